"""Train the shipped starter model from kb/incidents.jsonl by training/recipes/starter.toml.

    python training/train_starter.py
    SMARTTRIAGE_ENCODER=fast python training/train_starter.py

Writes models/starter-1/ (with its model card), models/CURRENT and training/reports/starter.* (as training/report_starter.py
does), the second models/starter-1-fast/, models/CURRENT-fast and training/reports/starter-fast.*. The card's table of tones comes from training/probe_tone.py; run that first after a change of data, cues or recipe.
Seeded: the same files, but for the manifest's instant.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import report_starter
import starter
from report_starter import REPORT
from smarttriage import __version__
from smarttriage.adapters.bundles import BundleFacts, write_bundle
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.bundles import folder_bundles
from smarttriage.bootstrap.models import STARTERS
from smarttriage.config import Settings
from starter import ROOT

CARD = ROOT / "training/recipes/starter_card.md"
TONE = ROOT / "training/reports/tone.md"


def main() -> None:
    """Train, report, write, promote."""
    plan = starter.recipe()
    incidents = starter.read_incidents(ROOT / plan["data"])
    examples = starter.examples(incidents, plan["tone"], seed=plan["seed"])
    rows = examples.rows(plan["targets"], starter.own_groups(incidents))
    trained = starter.fit(rows, plan)
    report_starter.write(trained.classifier, examples, plan)
    facts = BundleFacts(
        created_at=parts.clock(),
        code_version=__version__,
        data_sha256=trained.data_sha256,
        seed=plan["seed"],
        metrics=trained.metrics,
        documents={"MODEL_CARD.md": model_card(len(incidents), plan)},
    )
    version = write_bundle(ROOT / "models" / plan["version"], trained.classifier, facts, version=plan["version"])
    folder_bundles(ROOT / "models", pointer=STARTERS[Settings().encoder]).promote(version)
    summary = {name: {key: scores[key] for key in ("macro_f1", "coverage", "recipe")} for name, scores in trained.metrics.items()}
    sys.stdout.write(json.dumps({"version": version, "fit_s": round(trained.fit_s), "held_out": summary}, indent=1) + "\n")


def model_card(n_incidents: int, plan: Mapping[str, Any]) -> str:
    """Return the card with the report's tables filled in."""
    report = json.loads(REPORT.with_suffix(".json").read_text("utf-8"))
    tables = REPORT.with_suffix(".md").read_text("utf-8")
    template = CARD.read_text("utf-8")
    languages = ", ".join(f"{name} {count}" for name, count in report["data"]["languages"].items())
    return template.format(
        n_incidents=n_incidents,
        precision=plan["target_precision"],
        confidence=plan["confidence"],
        languages=languages,
        report=tables[tables.index("## ") :].strip(),
        tone=TONE.read_text("utf-8").strip(),
        encoder=parts.encoder_folder().name,
    )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
