"""A hundred retrains, many of them on a bad batch: how many regressions get promoted with the gate and without it?

    python benchmarks/promotion.py [--retrains 100] [--cache FOLDER] [--work FOLDER] [--minutes 4]

Rows of endava ticket_kind and service and of it_ticket_category (train and dev together) are dealt, clusters whole, into a base that
the current model is fitted on, batches, gate rows and a large part that nobody touches. Each retrain adds one batch to the base, as
it is or damaged, and is fitted anew; the gate judges it on the gate rows, the untouched part says what was true. Finished retrains
are kept in the work folder, so a run that was cut off goes on. Writes benchmarks/results/promotion.json and .md.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from report import write_results
from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.classifiers import sklearn_trainer
from smarttriage.bootstrap.training import N_THREADS, read_training_rows
from smarttriage.domain.text import model_text
from smarttriage.ports import LabelledTexts
from smarttriage.services.evaluation import confusion, macro_f1
from smarttriage.services.promotion import lost
from smarttriage.services.promotion_checks import Answered, GateRules, compare
from smarttriage.services.training import embed

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
RULES = GateRules()


@dataclass(frozen=True, slots=True)
class Question:
    """One target and how its rows are dealt: shares of base, one batch, gate and the untouched part (1: all the rest)."""

    name: str
    folder: str
    target: str
    text_columns: tuple[str, ...]
    base: float
    batch: float
    gate: float
    untouched: float = 1.0


QUESTIONS = (
    Question("endava service", "endava_native_labels", "service_code", ("title", "body"), 0.15, 0.08, 0.30),
    Question("endava ticket_kind", "endava_native_labels", "ticket_kind", ("title", "body"), 0.15, 0.08, 0.30),
    Question("it_ticket category", "it_ticket_category", "category", ("text",), 0.015, 0.01, 0.05, untouched=0.08),
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one part."""

    texts: list[str]
    vectors: np.ndarray
    labels: list[str]

    def take(self, places: np.ndarray) -> "Rows":
        return Rows([self.texts[i] for i in places], self.vectors[places], [self.labels[i] for i in places])

    def __add__(self, other: "Rows") -> "Rows":
        return Rows(self.texts + other.texts, np.vstack([self.vectors, other.vectors]), self.labels + other.labels)


Change = Callable[[Rows, np.random.Generator], Rows]


def clean(rows: Rows, rng: np.random.Generator) -> Rows:
    return rows


def repeated(rows: Rows, rng: np.random.Generator) -> Rows:
    return rows.take(rng.choice(len(rows.texts) // 3, size=len(rows.texts)))


def reordered(rows: Rows, rng: np.random.Generator) -> Rows:
    return rows.take(rng.permutation(len(rows.texts))[: len(rows.texts) // 2])


def noisy(rows: Rows, rng: np.random.Generator) -> Rows:
    """Return the rows with a tenth to all of the labels replaced by any other."""
    names, hit = sorted(set(rows.labels)), rng.random(len(rows.labels)) < rng.uniform(0.1, 1.0)
    return replace(rows, labels=[str(rng.choice(names)) if bad else label for label, bad in zip(rows.labels, hit, strict=True)])


def shuffled(rows: Rows, rng: np.random.Generator) -> Rows:
    return replace(rows, labels=[rows.labels[i] for i in rng.permutation(len(rows.labels))])


def one_label(rows: Rows, rng: np.random.Generator) -> Rows:
    """Return the rows all filed under one label, as by a default in a form."""
    return replace(rows, labels=[str(rng.choice(rows.labels))] * len(rows.labels))


def merged(rows: Rows, rng: np.random.Generator) -> Rows:
    """Return the rows with one label filed under another."""
    names = sorted(set(rows.labels))
    gone, instead = rng.choice(names, size=2, replace=False)
    return replace(rows, labels=[str(instead) if label == gone else label for label in rows.labels])


def truncated(rows: Rows, rng: np.random.Generator) -> Rows:
    """Return the rows cut to a few characters; their vectors are those of the cut texts."""
    return replace(rows, texts=[text[: int(rng.integers(5, 25))] for text in rows.texts], vectors=np.empty((0, 0)))


def without_label(rows: Rows, rng: np.random.Generator) -> Rows:
    names, counts = np.unique(rows.labels, return_counts=True)
    gone = str(rng.choice(names[counts >= 5]))
    return rows.take(np.array([i for i, label in enumerate(rows.labels) if label != gone]))


def tiny(rows: Rows, rng: np.random.Generator) -> Rows:
    return rows.take(rng.choice(len(rows.texts), size=max(30, len(rows.texts) // 8), replace=False))


def other_encoder(rows: Rows, rng: np.random.Generator) -> Rows:
    """Return the rows with vectors as another encoder would give them: turned at random."""
    turn, _ = np.linalg.qr(rng.standard_normal((rows.vectors.shape[1], rows.vectors.shape[1])))
    return replace(rows, vectors=(rows.vectors @ turn).astype(np.float32))


# Name -> what happens to the batch; the last three happen to base and batch alike (an export gone wrong, a stale encoder).
ON_BATCH: dict[str, Change] = {
    "clean batch": clean,
    "half of a batch": reordered,
    "few rows repeated": repeated,
    "label noise": noisy,
    "shuffled labels": shuffled,
    "all under one label": one_label,
    "one label under another": merged,
    "truncated texts": truncated,
}
ON_ALL: dict[str, Change] = {"label dropped": without_label, "tiny sample": tiny, "stale encoder": other_encoder}
HARMLESS = ("clean batch", "half of a batch", "few rows repeated")
KINDS = (*ON_BATCH, *ON_ALL)


def main() -> None:
    """Run what is missing, then write the results if nothing is."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--retrains", type=int, default=100)
    options.add_argument("--cache", type=Path)
    options.add_argument("--work", type=Path, default=Path("/tmp/promotion-benchmark"))
    options.add_argument("--minutes", type=float, default=1e9, help="Stop after this long; run again to go on.")
    chosen = options.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + 60 * chosen.minutes
    encoder = parts.encoder(n_threads=N_THREADS)
    cache = FileVectorCache(chosen.cache) if chosen.cache else None
    setups: dict[str, Setup] = {}
    done = []
    for number in range(chosen.retrains):
        path = chosen.work / f"{number:03}.json"
        if not path.is_file():
            if time.monotonic() > ends:
                print(f"{number} of {chosen.retrains} done; run again to go on", file=sys.stderr)
                return
            question = QUESTIONS[number % len(QUESTIONS)]
            if question.name not in setups:
                setups[question.name] = Setup.of(question, encoder, cache)
            kind = KINDS[number // len(QUESTIONS) % len(KINDS)] if number % 2 else HARMLESS[number // 2 % len(HARMLESS)]
            if kind == "label dropped" and len(setups[question.name].current.cards[question.target].labels) == 2:
                kind = "stale encoder"  # one label alone cannot be trained on at all
            path.write_text(json.dumps(setups[question.name].retrain(kind, number, encoder)))
        done.append(json.loads(path.read_text()))
        print(summary(number, done[-1]), file=sys.stderr, flush=True)
    write_results("promotion", {"rules": {name: getattr(RULES, name) for name in RULES.__slots__}, "retrains": done}, table(done))


@dataclass(frozen=True, slots=True)
class Setup:
    """The parts of one question and its current model."""

    question: Question
    base: Rows
    pool: Rows
    gate: Rows
    untouched: Rows
    current: SklearnClassifier

    @classmethod
    def of(cls, question: Question, encoder: object, cache: FileVectorCache | None) -> "Setup":
        files = [DATA / question.folder / f"{part}.csv.gz" for part in ("train", "dev")]
        read = read_training_rows(files, [question.target], question.text_columns, group_column="cluster", on_problem=print)
        groups = list(read.groups or ())
        names = sorted(set(groups))
        rank = dict(zip(names, np.random.default_rng(0).permutation(len(names)) / len(names), strict=True))
        place = np.array([rank[group] for group in groups])
        cuts = np.cumsum([question.base, 2 * question.batch, question.gate, question.untouched])
        part = np.searchsorted(cuts, place, side="right")
        parts_of_it = []
        for number in range(4):
            places = np.flatnonzero(part == number).tolist()
            texts = [read.texts[i] for i in places]
            labels = [str(read.labels[question.target][i]) for i in places]
            parts_of_it.append(Rows(texts, embed(texts, encoder=encoder, cache=cache), labels))
        base, pool, gate, untouched = parts_of_it
        return cls(question, base, pool, gate, untouched, fitted(question, base, encoder))

    def retrain(self, kind: str, number: int, encoder: object) -> dict[str, object]:
        """Return what the gate said of one retrain, and the truth."""
        rng = np.random.default_rng(number)
        batch = self.pool.take(rng.choice(len(self.pool.texts), size=len(self.pool.texts) // 2, replace=False))
        if kind in ON_BATCH:
            batch = ON_BATCH[kind](batch, rng)
            if not batch.vectors.size:
                batch = replace(batch, texts=[model_text("", text) for text in batch.texts], vectors=encoder.encode(batch.texts))
            rows = self.base + batch
        else:
            rows = ON_ALL[kind](self.base + batch, rng)
        started = time.perf_counter()
        candidate = fitted(self.question, rows, encoder, kept=self.current.held_out[self.question.target].recipe)
        target = self.question.target
        old, new = (answers(model, target, self.gate) for model in (self.current, candidate))
        checks = [*lost(self.current.cards, candidate.cards, ()), *compare(old, new, self.gate.labels, rules=RULES)]
        true_old, true_new = (answers(model, target, self.untouched) for model in (self.current, candidate))
        return {
            "question": self.question.name,
            "kind": kind,
            "n_fitted": len(rows.texts),
            "n_gate": len(self.gate.texts),
            "n_untouched": len(self.untouched.texts),
            "seconds": time.perf_counter() - started,
            "promoted": all(check.passed for check in checks),
            "accuracy_passed": next(check.passed for check in checks if check.measure == "accuracy"),
            "naive": next(check.difference for check in checks if check.measure == "accuracy"),
            "refused_by": [check.measure for check in checks if not check.passed],
            **truth(true_old, true_new, self.untouched.labels),
        }


def fitted(question: Question, rows: Rows, encoder: object, kept: str | None = None) -> SklearnClassifier:
    """Return a fitted model; a retrain keeps the recipe that the current model chose, as a backtest's does."""
    labels = {question.target: rows.labels}
    trainer = sklearn_trainer(encoder.encoder_id, labels, target_precision=0.9)
    # All are fitted the usual way, also where a label has so few rows that training would turn to its way for few rows.
    trainer = replace(trainer, few=0, kept_recipes={question.target: kept} if kept else {})
    return trainer.fit(LabelledTexts(rows.texts, rows.vectors, labels), seed=0)


def answers(model: SklearnClassifier, target: str, rows: Rows) -> Answered:
    return Answered.of(model.cards[target], model.predict_proba(rows.texts, rows.vectors)[target])


def truth(old: Answered, new: Answered, labels: list[str]) -> dict[str, object]:
    """Return the change of accuracy, macro-F1 and of the worst label of weight on the untouched rows."""
    true = np.array(labels)
    before, after = old.labels == true, new.labels == true
    names, counts = np.unique(true, return_counts=True)
    heavy = names[counts >= 0.05 * len(true)]
    recalls = {str(name): float(after[true == name].mean() - before[true == name].mean()) for name in heavy}
    worst = min(recalls, key=lambda name: recalls[name])
    return {
        "accuracy": float(after.mean()),
        "change": float(after.mean() - before.mean()),
        "macro_f1_change": f1(new, true) - f1(old, true),
        "worst_label_change": recalls[worst],
    }


def f1(found: Answered, true: np.ndarray) -> float:
    names, codes = np.unique(np.concatenate([true, found.labels]), return_inverse=True)
    return macro_f1(confusion(codes[: len(true)], codes[len(true) :], len(names)))


def regressed(row: dict[str, object]) -> bool:
    return row["change"] < -RULES.margin


def improved(row: dict[str, object]) -> bool:
    return row["change"] > RULES.margin


POLICIES: dict[str, Callable[[dict[str, object]], bool]] = {
    "no gate: always promoted": lambda row: True,
    "not lower on the same gate rows": lambda row: row["naive"] >= 0,
    "accuracy shown no worse only": lambda row: row["accuracy_passed"],
    "the gate": lambda row: row["promoted"],
}


def table(rows: list[dict[str, object]]) -> str:
    """Return the tables: policies, then kinds of batch."""
    bad, good = [row for row in rows if regressed(row)], [row for row in rows if improved(row)]
    level = [row for row in rows if not regressed(row) and not improved(row)]
    hidden = [row for row in rows if not regressed(row) and row["worst_label_change"] < -RULES.class_margin]
    lines = [
        f"{len(rows)} retrains; true change of accuracy on rows that nobody touched: {len(bad)} regressions (below -{RULES.margin:g}), "
        f"{len(good)} improvements (above +{RULES.margin:g}), {len(level)} between. Of those that are no regression, {len(hidden)} "
        f"lose more than {RULES.class_margin:g} of the recall of a label that has 5 % of the rows.",
        "",
        "| policy | regressions promoted | improvements refused | in between refused | label losses promoted | mean true change of what it promotes |",
        "|---|---|---|---|---|---|",
    ]
    for name, promotes in POLICIES.items():
        taken = [row["change"] for row in rows if promotes(row)]
        cells = [
            f"{sum(map(promotes, bad))} of {len(bad)}",
            f"{sum(not promotes(row) for row in good)} of {len(good)}",
            f"{sum(not promotes(row) for row in level)} of {len(level)}",
            f"{sum(map(promotes, hidden))} of {len(hidden)}",
            f"{np.mean(taken):+.4f}" if taken else "-",
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    refused = [row for row in good if not row["promoted"]]
    by_label = sum(any(measure.startswith(("recall", "label")) for measure in row["refused_by"]) for row in refused)
    lines += [
        "",
        f"The price: of the {len(refused)} improvements that the gate refuses, {by_label} are refused for a label (its recall, or its "
        "loss), though the whole got better. A gate on accuracy alone lets nearly all of them through, and most label losses with them. "
        f"Label losses that pass stand on too few gate rows to be shown at a confidence of {RULES.confidence:g}. All retrains keep the "
        "recipe that the current model chose, and start from the same current model.",
    ]
    lines += [
        "",
        "| batch | retrains | true change, worst to best | regressions | promoted by the gate | of them regressions |",
        "|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        mine = [row for row in rows if row["kind"] == kind]
        if mine:
            changes, taken = [row["change"] for row in mine], [row for row in mine if row["promoted"]]
            spread = f"{min(changes):+.3f} to {max(changes):+.3f}"
            lines.append(
                f"| {kind} | {len(mine)} | {spread} | {sum(map(regressed, mine))} | {len(taken)} | {sum(map(regressed, taken))} |"
            )
    lines += ["", "| question | rows of the gate | rows untouched | retrains | promoted |", "|---|---|---|---|---|"]
    for question in QUESTIONS:
        mine = [row for row in rows if row["question"] == question.name]
        taken = sum(row["promoted"] for row in mine)
        lines.append(f"| {question.name} | {mine[0]['n_gate']} | {mine[0]['n_untouched']} | {len(mine)} | {taken} |")
    return "\n".join(lines)


def summary(number: int, row: dict[str, object]) -> str:
    decided = "promoted" if row["promoted"] else "refused by " + ", ".join(row["refused_by"][:3])
    return f"{number} {row['question']}, {row['kind']}: true change {row['change']:+.4f}, {decided} ({row['seconds']:.1f} s)"


if __name__ == "__main__":
    main()
