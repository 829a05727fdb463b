"""Do reviewed neighbours that vote beside the model help, and do they ever hurt?

    python benchmarks/voting.py [--train 2500] [--stream 2500]

A classifier is fitted on the first rows of it_ticket_category's train part and stays as it is; the next rows arrive one by one, are
predicted with and without the votes of all rows before them, and then count as reviewed. Near-duplicates (column `cluster`) of the
fitted rows are left out of the stream. One category is hidden from the fitted rows: only votes can find it.
"""

import argparse
import csv
import gzip
from pathlib import Path

import numpy as np

from report import write_results
from smarttriage.adapters.classifiers.sklearn import SklearnTrainer
from smarttriage.bootstrap import parts
from smarttriage.domain.text import model_text
from smarttriage.domain.voting import Vote, with_votes
from smarttriage.ports import LabelledTexts
from smarttriage.services.matching import N_NEIGHBOURS

TICKETS = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "it_ticket_category" / "train.csv.gz"
FLOORS = (0.5, 0.6, 0.7, 0.8, 0.9)
HIDDEN = "Purchase"


def main() -> None:
    """Replay the stream and write benchmarks/results/voting.json and .md."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--train", type=int, default=2500)
    options.add_argument("--stream", type=int, default=2500)
    chosen = options.parse_args()
    with gzip.open(TICKETS, "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    fitted = [row for row in rows[: chosen.train] if row["category"] != HIDDEN]
    seen = {row["cluster"] for row in fitted}
    stream = [row for row in rows[chosen.train :] if row["cluster"] not in seen][: chosen.stream]
    encoder = parts.encoder(n_threads=2)
    texts = [model_text("", row["text"]) for row in fitted]
    examples = LabelledTexts(
        texts, encoder.encode(texts), {"category": [row["category"] for row in fitted]}, [row["cluster"] for row in fitted]
    )
    classifier = SklearnTrainer(encoder_id=encoder.encoder_id).fit(examples, seed=0)
    arriving = [model_text("", row["text"]) for row in stream]
    vectors = encoder.encode(arriving)
    probabilities = classifier.predict_proba(arriving, vectors)["category"]
    truth = [row["category"] for row in stream]
    labels = classifier.cards["category"].labels
    without = [labels[column] for column in probabilities.argmax(axis=1)]
    results = [figures("without votes", truth, without)]
    for floor in FLOORS:
        results.append(figures(f"votes, floor {floor}", truth, replay(truth, vectors, probabilities, labels, floor)))
    write_results(
        "voting", {"hidden": HIDDEN, "fitted": len(fitted), "stream": len(stream), "rows": results}, table(results, len(stream))
    )


def replay(truth: list[str], vectors: np.ndarray, probabilities: np.ndarray, labels: tuple[str, ...], floor: float) -> list[str]:
    """Return the predictions with votes; row i sees rows before i only."""
    predicted = []
    for i, row in enumerate(probabilities):
        model = dict(zip(labels, row.tolist(), strict=True))
        similarity = vectors[:i] @ vectors[i]
        nearest = np.argsort(-similarity, kind="stable")[:N_NEIGHBOURS]
        votes = [Vote(truth[j], float(similarity[j])) for j in nearest]
        blended = with_votes(model, votes, floor=floor)
        predicted.append(max(blended, key=lambda label: blended[label]))
    return predicted


def figures(name: str, truth: list[str], predicted: list[str]) -> dict[str, object]:
    """Return accuracy over all rows, over the known categories, and recall of the hidden one."""
    right = np.array([a == b for a, b in zip(truth, predicted, strict=True)])
    hidden = np.array([label == HIDDEN for label in truth])
    order = np.flatnonzero(hidden)
    found = next((n + 1 for n, i in enumerate(order) if right[i]), None)
    return {
        "name": name,
        "accuracy": round(float(right.mean()), 4),
        "accuracy_known": round(float(right[~hidden].mean()), 4),
        "recall_hidden": round(float(right[hidden].mean()), 4),
        "examples_until_found": found,
    }


def table(results: list[dict[str, object]], n: int) -> str:
    """Return the Markdown table."""
    lines = [
        f"{n} arriving tickets; category {HIDDEN} is unknown to the model",
        "",
        "| | accuracy | accuracy, known categories | recall of the hidden category | its examples until first found |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {' | '.join(str(value) for value in row.values())} |" for row in results]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
