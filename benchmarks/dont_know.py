"""Does it say that it does not know, and only then?

    python benchmarks/dont_know.py [--data ../shared/data] [--cache FOLDER] [--steps FOLDER] [--only STEP]

1. Classes left out: a model of it_ticket_category (6,000 rows), msoffice product or endava topic group is fitted without two
   classes; dev rows of the other classes are in scope, those of the two are an unknown topic.
2. Foreign sets: the same models are shown texts of other sets.
3. Own texts (benchmarks/data/dont_know.jsonl, the half "test"; the rules were tuned on the half "dev"): the shipped starter.
4. The seed, fitted on one half and shown the other: how many real incidents are refused.

Scores that a service could refuse by are compared by AUROC and by how many foreign texts pass where 95 % of the texts in scope pass
("shipped": what is refused below all else, novelty within). "Refused" is the shipped decision at its own bounds: rules, novelty
and the kind "no work item" together; the bounds aim at one real ticket in a hundred, not at 5 %. Every step is kept in --steps and not
repeated; delete the folder to measure anew.
"""

import argparse
import csv
import gzip
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dont_know_tables import SCORES, table
from report import write_results
from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.heads import linear_scores
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts, resources
from smarttriage.bootstrap.bundles import folder_bundles
from smarttriage.bootstrap.classifiers import sklearn_trainer
from smarttriage.bootstrap.training import N_THREADS, read_training_rows
from smarttriage.config import Settings
from smarttriage.domain.suggestion import Reason
from smarttriage.domain.text import model_text
from smarttriage.ports import LabelledTexts
from smarttriage.services.gate import Gate
from smarttriage.services.live import Models
from smarttriage.services.matching import IncidentText
from smarttriage.services.predicting import judged, means_work
from smarttriage.services.training import embed

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "training"))
OWN = ROOT / "benchmarks" / "data" / "dont_know.jsonl"
SETS = {
    "it_ticket_category": (
        "category",
        6000,
        ("stackfaq_webapps", "hadoop_priority", "msoffice_symptom_product", "status_page_impact"),
    ),
    "msoffice_symptom_product": (
        "product",
        2000,
        ("stackfaq_webapps", "hadoop_priority", "it_ticket_category", "alert_severity"),
    ),
    "endava_native_labels": (
        "topic_group",
        4200,
        ("stackfaq_webapps", "hadoop_priority", "msoffice_symptom_product", "alert_severity"),
    ),
}
LEFT_OUT = (0, 2)
N_DEV, N_FOREIGN, SEED = 1500, 150, 0
BELOW_ALL = 1000.0


@dataclass(frozen=True, slots=True)
class Desk:
    """A model behind the shipped decision, as the service builds it."""

    models: Models
    classifier: SklearnClassifier
    target: str
    cache: FileVectorCache | None

    @classmethod
    def of(cls, classifier: SklearnClassifier, target: str, cache: FileVectorCache | None) -> "Desk":
        """Return the desk of a classifier, with the shipped rules and taxonomy."""
        settings, encoder = Settings(), parts.encoder(n_threads=N_THREADS)
        gate = Gate(resources.intake(settings), classifier.novelty)
        models = Models(encoder, classifier, resources.taxonomy(settings), resources.priority_policy(settings), gate=gate)
        return cls(models, classifier, target, cache)

    def look(self, pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """Return for each (title, description) its scores, high for familiar, and why it was refused, if it was."""
        texts = [model_text(*pair) or " " for pair in pairs]
        vectors = embed(texts, encoder=self.models.encoder, cache=self.cache)
        return [self._one(pair, text, vector) for pair, text, vector in zip(pairs, texts, vectors, strict=True)]

    def _one(self, pair: tuple[str, str], text: str, vector: NDArray[np.float32]) -> dict[str, Any]:
        probabilities = self.classifier.predict_proba([text], vector[None])
        novelty = self.classifier.novelty
        assert novelty is not None
        first = {name: rows[0] for name, rows in probabilities.items()}
        found = novelty.familiarity(text, self.models.gate.intake.languages.detect(text), vector, first)
        columns = self.classifier._columns[self.target]
        logits = linear_scores(self.classifier._head, self.classifier._features.row(text, vector))[columns]
        scores = (
            float(first[self.target].max()),
            float(np.logaddexp.reduce(logits)),
            float(np.sort(novelty.rows @ vector)[-5:].mean()),
            found.score,
        )
        started = time.perf_counter()
        refused = self.models.gate.refusal(*pair)
        if refused is None:
            self.models.gate.verdict(
                text,
                vector,
                first,
                taxonomy=self.models.taxonomy,
                votes={},
                labels={name: card.labels for name, card in self.classifier.cards.items()},
            )
        spent = time.perf_counter() - started
        if refused is None:
            fields, refused = judged(self.models, IncidentText(*pair), vector, probabilities, {})
            if refused is None and not means_work(self.models.taxonomy, fields["kind"].value):
                refused = Reason.NO_WORK_ITEM
        found_scores = dict(zip(SCORES, (*scores, scores[-1] - (BELOW_ALL if refused else 0)), strict=True))
        return {**found_scores, "refused": str(refused) if refused else None, "gate_ms": spent * 1000}


def main() -> None:
    """Run what is not there yet and write benchmarks/results/dont_know.json and .md."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options.add_argument("--cache", type=Path)
    options.add_argument("--steps", type=Path, default=ROOT / ".cache" / "dont_know")
    options.add_argument("--only")
    chosen = options.parse_args()
    chosen.steps.mkdir(parents=True, exist_ok=True)
    cache = FileVectorCache(chosen.cache) if chosen.cache else None
    results = {}
    for name, step in steps(chosen.data, cache).items():
        kept = chosen.steps / f"{name}.json"
        if not kept.is_file() and (chosen.only is None or name.startswith(chosen.only)):
            print(f"{name} ...", file=sys.stderr)
            kept.write_text(json.dumps(step()), encoding="utf-8")
        if kept.is_file():
            results[name] = json.loads(kept.read_text(encoding="utf-8"))
    write_results("dont_know", results, table(results))


def steps(data: Path, cache: FileVectorCache | None) -> dict[str, Callable[[], Any]]:
    """Return the measurements by name."""
    found: dict[str, Callable[[], Any]] = {"own": lambda: own_texts(cache)}
    for half in (0, 1):
        found[f"seed-{half}"] = lambda half=half: seed_half(half, cache)
    for folder in reversed(SETS):
        for place in LEFT_OUT:
            found[f"{folder}-{place}"] = lambda folder=folder, place=place: classes_left_out(data, folder, place, cache)
    return found


def own_texts(cache: FileVectorCache | None) -> dict[str, Any]:
    """Return scores and decisions of the shipped starter on our own texts, by half and case."""
    bundles = folder_bundles(ROOT / "models")
    desk = Desk.of(bundles.load(bundles.current()), "category", cache)
    rows = [json.loads(line) for line in OWN.read_text(encoding="utf-8").splitlines()]
    looked = desk.look([(row["title"], row["description"]) for row in rows])
    return {"rows": [{**row, **found} for row, found in zip(rows, looked, strict=True)]}


def seed_half(half: int, cache: FileVectorCache | None) -> dict[str, Any]:
    """Return what a model of one half of the seed says of the other half, by kind and language."""
    import starter  # noqa: PLC0415 - training is a folder of scripts, not a package of ours

    plan = starter.recipe()
    incidents = starter.read_incidents(ROOT / plan["data"])
    groups = starter.own_groups(incidents)
    names = {name: place for place, name in enumerate(sorted(set(groups)))}
    fitted = [place for place, group in enumerate(groups) if names[group] % 2 != half]
    shown = [place for place, group in enumerate(groups) if names[group] % 2 == half]
    mine = [incidents[place] for place in fitted]
    rows = starter.examples(mine, plan["tone"], seed=plan["seed"]).rows(plan["targets"], [groups[place] for place in fitted])
    trained = starter.fit(rows, plan)
    desk = Desk.of(trained.classifier, "category", cache)
    looked = desk.look([(incidents[place]["title"], incidents[place]["description"]) for place in shown])
    return {
        "rows": [
            {"kind": incidents[place]["kind"], "language": incidents[place]["language"], **found}
            for place, found in zip(shown, looked, strict=True)
        ]
    }


def classes_left_out(data: Path, folder: str, place: int, cache: FileVectorCache | None) -> dict[str, Any]:
    """Return scores and decisions of a model without two classes on dev rows of all, and on foreign sets."""
    target, n_train, foreign = SETS[folder]
    train, dev = (_rows(data, folder, target, part) for part in ("train", "dev"))
    classes = sorted(set(train.labels[target]))
    hidden = {classes[place], classes[(place + 3) % len(classes)]}
    random = np.random.default_rng(SEED)
    kept = [row for row in np.sort(random.permutation(len(train.texts))[:n_train]) if train.labels[target][row] not in hidden]
    texts, labels = [train.texts[row] for row in kept], {target: [train.labels[target][row] for row in kept]}
    encoder = parts.encoder(n_threads=N_THREADS)
    examples = LabelledTexts(texts, embed(texts, encoder=encoder, cache=cache), labels, [train.groups[row] for row in kept])
    classifier = sklearn_trainer(encoder.encoder_id, labels, target_precision=0.9).fit(examples, seed=SEED)
    desk = Desk.of(classifier, target, cache)
    some = np.sort(random.permutation(len(dev.texts))[:N_DEV])
    looked = desk.look([("", dev.texts[row]) for row in some])
    cases = ["unknown topic" if dev.labels[target][row] in hidden else "in_scope" for row in some]
    rows = [{"case": case, **found} for case, found in zip(cases, looked, strict=True)]
    for other in foreign:
        rows += [{"case": other, **found} for found in desk.look([("", text) for text in _foreign(data, other)])]
    return {"hidden": sorted(hidden), "n_train": len(texts), "rows": rows}


def _rows(data: Path, folder: str, target: str, part: str) -> Any:
    return read_training_rows([data / folder / f"{part}.csv.gz"], [target], ["text"], group_column="cluster", on_problem=print)


def _foreign(data: Path, folder: str) -> list[str]:
    queries = data / folder / "queries.dev.jsonl.gz"
    if queries.is_file():
        with gzip.open(queries, "rt", encoding="utf-8") as lines:
            return [json.loads(line)["text"] for line in lines][:N_FOREIGN]
    csv.field_size_limit(10**9)
    with gzip.open(data / folder / "dev.csv.gz", "rt", encoding="utf-8") as lines:
        return [model_text("", row["text"]) for row in csv.DictReader(lines)][:N_FOREIGN]


if __name__ == "__main__":
    main()
