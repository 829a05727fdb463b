"""Train the shipped starter model from kb/incidents.jsonl by training/recipes/starter.toml.

    python training/train_starter.py

Writes models/starter-1/ (with its model card) and models/CURRENT. The card's figures come from training/reports/starter.json,
which training/report_starter.py writes, and tone.md of training/probe_tone.py; run those first after a change of data, cues or recipe. Seeded; the
manifest names the instant.
"""

import json
import sys
from pathlib import Path

import starter
from smarttriage import __version__
from smarttriage.adapters.bundles import BundleFacts, write_bundle
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.classifiers import folder_bundles
from starter import ROOT

CARD = ROOT / "training/recipes/starter_card.md"
REPORT = ROOT / "training/reports/starter"
TONE = ROOT / "training/reports/tone.md"


def main() -> None:
    """Train, write, promote."""
    plan = starter.recipe()
    incidents = starter.read_incidents(ROOT / plan["data"])
    examples = starter.examples(incidents, plan["tone"], seed=plan["seed"])
    rows = examples.rows(plan["targets"], starter.own_groups(incidents))
    trained = starter.fit(rows, target_precision=plan["target_precision"], seed=plan["seed"])
    facts = BundleFacts(
        created_at=parts.clock(),
        code_version=__version__,
        data_sha256=trained.data_sha256,
        seed=plan["seed"],
        metrics=trained.metrics,
        documents={"MODEL_CARD.md": model_card(len(incidents))},
    )
    version = write_bundle(ROOT / "models" / plan["version"], trained.classifier, facts, version=plan["version"])
    folder_bundles(ROOT / "models").promote(version)
    summary = {name: {key: scores[key] for key in ("macro_f1", "coverage", "recipe")} for name, scores in trained.metrics.items()}
    sys.stdout.write(json.dumps({"version": version, "fit_s": round(trained.fit_s), "held_out": summary}, indent=1) + "\n")


def model_card(n_incidents: int) -> str:
    """Return the card with the report's tables filled in."""
    report = json.loads(REPORT.with_suffix(".json").read_text("utf-8"))
    tables = REPORT.with_suffix(".md").read_text("utf-8")
    template = CARD.read_text("utf-8")
    languages = ", ".join(f"{name} {count}" for name, count in report["data"]["languages"].items())
    return template.format(
        n_incidents=n_incidents,
        languages=languages,
        report=tables[tables.index("## ") :].strip(),
        tone=TONE.read_text("utf-8").strip(),
    )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
