"""Does the drift alarm stay silent on more of the same, and how much of something else does it take to notice?

    python benchmarks/drift.py [--cache FOLDER] [--windows 200]

A reference is taken from it_ticket_category's train part, as training does. Windows of tickets are then drawn from its dev part, with
growing shares of msoffice symptoms, or with growing shares of one category only. Writes benchmarks/results/drift.json and .md.
"""

import argparse
from pathlib import Path

import numpy as np

from report import write_results
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.classifiers import sklearn_trainer
from smarttriage.bootstrap.training import N_THREADS, read_training_rows
from smarttriage.ports import LabelledTexts
from smarttriage.services import drift
from smarttriage.services.drift import Reference, input_signals
from smarttriage.services.training import embed
from smarttriage.services.watching import WINDOW

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
FITTED = 3_000
SHARES = (0.0, 0.05, 0.1, 0.2, 0.5)
FLOORS = (0.0, 0.02, 0.05, 0.1)


def main() -> None:
    """Fit, draw windows, count alarms."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path)
    options.add_argument("--windows", type=int, default=200)
    chosen = options.parse_args()
    encoder, rng = parts.encoder(n_threads=N_THREADS), np.random.default_rng(0)
    cache = FileVectorCache(chosen.cache) if chosen.cache else None

    def read(folder: str, part: str, target: str, limit: int) -> tuple[list[str], np.ndarray, list[str]]:
        rows = read_training_rows([DATA / folder / f"{part}.csv.gz"], [target], ["text"], on_problem=print)
        places = rng.permutation(len(rows.texts))[:limit].tolist()
        texts = [rows.texts[place] for place in places]
        return texts, embed(texts, encoder=encoder, cache=cache), [str(rows.labels[target][place]) for place in places]

    texts, vectors, labels = read("it_ticket_category", "train", "category", FITTED)
    trainer = sklearn_trainer(encoder.encoder_id, {"category": labels}, target_precision=0.9)
    model = trainer.fit(LabelledTexts(texts, vectors, {"category": labels}), seed=0)
    reference = Reference.of(model.held_out, model.cards, vectors, seed=0)
    same, same_vectors, same_labels = read("it_ticket_category", "dev", "category", 3_000)
    other, other_vectors, _ = read("msoffice_symptom_product", "train", "product", 1_000)
    commonest = max(set(same_labels), key=same_labels.count)
    one = np.array([place for place, label in enumerate(same_labels) if label == commonest])
    card = model.cards["category"]
    pools = {
        "msoffice symptoms": (other_vectors, model.predict_proba(other, other_vectors)["category"]),
        f"tickets of the category {commonest} only": (same_vectors[one], None),
    }
    found = model.predict_proba(same, same_vectors)["category"]
    pools[f"tickets of the category {commonest} only"] = (same_vectors[one], found[one])
    rows = []
    for name, (pool_vectors, pool_found) in pools.items():
        for share in SHARES:
            alarms: dict[str, int] = {}
            for _ in range(chosen.windows):
                n_other = round(share * WINDOW)
                mine, theirs = rng.choice(len(same), WINDOW - n_other, replace=False), rng.choice(len(pool_vectors), n_other)
                window = np.vstack([same_vectors[mine], pool_vectors[theirs]])
                said = np.vstack([found[mine], pool_found[theirs]])
                for floor in FLOORS:
                    drift.LEAST_SHIFT = floor
                    for signal in input_signals(reference, window, {"category": (card, said)}):
                        key = f"texts, floor {floor}" if signal.name == "texts" else signal.name
                        if signal.name == "texts" or floor == FLOORS[0]:
                            alarms[key] = alarms.get(key, 0) + signal.alarm
            rows.append({"mixed_with": name, "share": share, **{key: count / chosen.windows for key, count in alarms.items()}})
    write_results("drift", {"windows": chosen.windows, "rows": rows}, table(rows, chosen.windows))


def table(rows: list[dict[str, object]], n: int) -> str:
    """Return the Markdown table."""
    signals = [name for name in rows[0] if name not in ("mixed_with", "share")]
    lines = [
        f"{n} windows of {WINDOW} texts each; share of windows with an alarm of the signal. The reference: {FITTED:,} rows of train.",
        "",
        f"| window: dev tickets mixed with | share | {' | '.join(signals)} |",
        "|---|---|" + "---|" * len(signals),
    ]
    for row in rows:
        lines.append(f"| {row['mixed_with']} | {row['share']:.0%} | " + " | ".join(f"{row[name]:.1%}" for name in signals) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
