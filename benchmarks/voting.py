"""Do reviewed neighbours that vote beside the model help, and do they ever hurt? Prequential replay with and without them.

    python benchmarks/voting.py [--data ../shared/data] [--cache FOLDER] [--work FOLDER] [--choose]

A model is fitted on the first rows of a set and stays as it is; the next rows arrive one by one, are predicted with and without
the votes of what came before, and then count as reviewed. Streams with a hidden category let it appear halfway; the others hide
nothing. `--choose` prints the log loss of other weights on the streams for choosing: other hidden categories, other blocks of
it_ticket_category, other shuffles of the small sets (whose rows therefore overlap). Everything else is from the streams for reporting.
Neighbours are those by cosine, of cosine 0.5 or more as in the service, where the hybrid ranking has the same floor.
"""

import argparse
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import comb
from pathlib import Path

import numpy as np

from report import write_results
from smarttriage.bootstrap import parts
from smarttriage.domain.voting import SEVERITY, TOPIC, Vote, Voting, with_votes
from smarttriage.services.evaluation import expected_calibration_error
from smarttriage.services.retrieval import FLOOR_WITHOUT_CHANCE
from voting_streams import Stream, plans, streams

ROOT = Path(__file__).resolve().parent.parent
N_WINDOWS = 10
# A hidden category counts as found when this many of its last tickets in a row window were right.
FOUND, OF_LAST = 3, 5
GRID = {
    "sharpness": (1.0, 1.5, 2.0, 3.0),
    "model": (0.5, 0.7, 1.0, 1.5, 2.0),
    "unlearnt": (1.0, 2.0, 4.0, 6.0),
    "background": (0.0, 0.7, 0.8, 0.9),
    "floor": (0.2, 0.3, 0.4, 0.5),
    "doubt": (0.0, 0.25, 0.5, 0.8, 1.2),
}


@dataclass(frozen=True, slots=True)
class Replay:
    """What was predicted for each of n tickets: n labels, confidences, and probabilities of the true labels."""

    labels: np.ndarray
    confidence: np.ndarray
    of_truth: np.ndarray


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options.add_argument("--cache", type=Path, help="Keep vectors here.")
    options.add_argument("--work", type=Path, default=Path("build/voting"), help="Keep fitted streams here.")
    options.add_argument("--choose", action="store_true", help="Compare weights on the streams for choosing; writes nothing.")
    chosen = options.parse_args()
    encoder = parts.encoder(n_threads=1)
    wanted = plans(chosen.data, tuning=chosen.choose)
    replayed = streams(wanted, chosen.data, encoder=encoder, cache=chosen.cache, work=chosen.work)
    if chosen.choose:
        choose([stream for stream in replayed if not stream.plan.source.ordered])
        return
    rows = [row for stream in replayed for row in measured(stream)]
    result = {"streams": rows, "latency_ms": latency(), "voting": str(TOPIC), "severity": str(SEVERITY)}
    write_results("voting", result, table(rows, result["latency_ms"]))


def choose(kept: list[Stream]) -> None:
    """Print the mean log loss over the streams, one setting moved at a time."""
    for name, values in GRID.items():
        for value in values:
            voting = replace(TOPIC, **{name: value})
            losses = [log_loss(replay(stream, voting, fitted_vote=both)) for stream in kept for both in (False, True)]
            print(f"{name} {value}: log loss {np.mean(losses):.4f}{'  <- chosen' if voting == TOPIC else ''}", flush=True)


def measured(stream: Stream) -> list[dict[str, object]]:
    """Return the figures of a stream: votes of earlier tickets only, and of the fitted rows too, as after an import."""
    voting = SEVERITY if stream.plan.source.ordered else TOPIC
    without = replay(stream, None, fitted_vote=False)
    print(stream.plan.name, file=sys.stderr, flush=True)
    return [compared(stream, without, replay(stream, voting, fitted_vote=both), fitted_vote=both) for both in (False, True)]


def replay(stream: Stream, voting: Voting | None, *, fitted_vote: bool) -> Replay:
    """Return what is predicted; ticket i hears those before i only."""
    labels, confidence, of_truth = [], [], []
    names = [str(name) for name in stream.labels]
    for i, truth in enumerate(stream.truth):
        blended = dict(zip(names, stream.model[i].tolist(), strict=True))
        if voting is not None:
            blended = dict(with_votes(blended, votes(stream, i, fitted_vote=fitted_vote), voting))
        best = max(blended, key=lambda name: blended[name])
        labels.append(best)
        confidence.append(blended[best])
        of_truth.append(blended.get(str(truth), 0.0))
    return Replay(np.array(labels), np.array(confidence), np.array(of_truth))


def votes(stream: Stream, i: int, *, fitted_vote: bool) -> list[Vote]:
    if fitted_vote:
        found = list(zip(stream.near_labels[i], stream.near_similarity[i].tolist(), strict=True))
    else:
        found = [(stream.truth[j], s) for j, s in zip(stream.near[i], stream.similarity[i].tolist(), strict=True) if j >= 0]
    found = [(str(label), similarity) for label, similarity in found if similarity >= FLOOR_WITHOUT_CHANCE]
    tenth = found[-1][1] if len(found) == stream.near.shape[1] else 0.0
    return [Vote(label, similarity, tenth=tenth) for label, similarity in found]


def compared(stream: Stream, without: Replay, voted: Replay, *, fitted_vote: bool) -> dict[str, object]:
    right, before = voted.labels == stream.truth, without.labels == stream.truth
    windows = np.array_split(np.arange(len(right)), N_WINDOWS)
    gains = [(int((right & ~before)[w].sum()), int((~right & before)[w].sum())) for w in windows]
    figures: dict[str, object] = {
        "stream": stream.plan.name,
        "set": f"{stream.plan.source.folder} {stream.plan.source.target}",
        "severity": stream.plan.source.ordered,
        "hidden": stream.plan.hidden,
        "fitted_vote": fitted_vote,
        "n": len(right),
        "accuracy": [float(before.mean()), float(right.mean())],
        "gain": gained(before, right),
        "windows": [[float(each[w].mean()) for w in windows] for each in (before, right)],
        "p_worse_windows": [p_worse(*gain) for gain in gains],
        "p_worse": p_worse(*map(sum, zip(*gains, strict=True))),
        "ece": [calibration(each, hit) for each, hit in ((without, before), (voted, right))],
        "log_loss": [log_loss(each) for each in (without, voted)],
    }
    if stream.plan.hidden is not None:
        mine = stream.truth == stream.plan.hidden
        figures |= {
            "n_hidden": int(mine.sum()),
            "recall_hidden": float(right[mine].mean()),
            "recall_hidden_late": float(right[mine][mine.sum() // 2 :].mean()),
            "known": [float(before[~mine].mean()), float(right[~mine].mean())],
            "first": first(right[mine], 1, 1),
            "found": first(right[mine], FOUND, OF_LAST),
        }
    return figures


def gained(before: np.ndarray, right: np.ndarray) -> list[float]:
    """Return the mean paired difference of being right, ticket by ticket, and its standard error."""
    difference = right.astype(float) - before.astype(float)
    return [float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))]


def first(right: np.ndarray, n_right: int, of_last: int) -> int | None:
    """Return after how many examples `n_right` of the last `of_last` were right, None if never."""
    return next((n for n in range(of_last, len(right) + 1) if right[n - of_last : n].sum() >= n_right), None)


def p_worse(better: int, worse: int) -> float:
    """Return how likely so many or more of the changed predictions are worse if votes change nothing (exact McNemar, one-sided)."""
    n = better + worse
    return sum(comb(n, k) for k in range(worse, n + 1)) / 2**n


def log_loss(replayed: Replay) -> float:
    """Return the mean log loss, a label without any probability counted as one in a thousand."""
    return float(-np.log(np.maximum(replayed.of_truth, 1e-3)).mean())


def calibration(replayed: Replay, right: np.ndarray) -> float:
    return expected_calibration_error(replayed.confidence, right)


def latency() -> float:
    """Return the median milliseconds that ten votes on each of five targets cost."""
    model = {f"label {n}": 1 / 20 for n in range(20)}
    heard = [Vote(f"label {n % 4}", 0.95 - 0.03 * n, tenth=0.6) for n in range(10)]
    spent = []
    for _ in range(2_000):
        started = time.perf_counter()
        for _ in range(5):
            with_votes(model, heard, TOPIC)
        spent.append(time.perf_counter() - started)
    return round(float(np.median(spent)) * 1_000, 4)


def table(rows: list[dict[str, object]], latency_ms: object) -> str:
    topics = [row for row in rows if not row["severity"]]
    lines = [
        "Accuracy over the whole stream without -> with votes, means over streams. Votes come from earlier tickets of the stream; "
        "in brackets from the fitted rows as well, as after an import.",
        "",
        "| streams | n | accuracy | gain, 95 % | known categories | hidden: recall, second half | first right after | found after "
        "| ECE (15 bins) | log loss |",
        "|" + "---|" * 10,
        *(line(name, group) for name, group in grouped(rows)),
        "",
        "Gain: mean paired difference, ticket by ticket. Streams of a set share tickets, so the interval is as wide as that of one stream.",
        "",
        f'"First right after" and "found after" count examples of the hidden category (median over streams); found: {FOUND} of its '
        f'last {OF_LAST} were right; "never" where more than half of the streams did not find it.',
        "",
        "Accuracy in ten windows of the stream, the hidden category appears with the sixth:",
        "",
        "| streams | votes | " + " | ".join(str(n) for n in range(1, N_WINDOWS + 1)) + " |",
        "|" + "---|" * (N_WINDOWS + 2),
        *(text for name, group in grouped(topics) for text in curves(name, group)),
        "",
        harm(rows),
        "",
        f"Ten votes on each of five targets cost {latency_ms} ms. Reviewers are not weighted: no set names who decided.",
    ]
    return "\n".join(lines)


def grouped(rows: list[dict[str, object]]) -> Iterable[tuple[str, list[dict[str, object]]]]:
    names = dict.fromkeys((str(row["set"]), row["hidden"] is not None) for row in rows)
    for name, hidden in names:
        group = [row for row in rows if row["set"] == name and (row["hidden"] is not None) == hidden]
        yield f"{name}, {'one category hidden' if hidden else 'nothing hidden'}", group


def line(name: str, group: list[dict[str, object]]) -> str:
    alone = [row for row in group if not row["fitted_vote"]]
    both = [row for row in group if row["fitted_vote"]]
    cells = [name, str(len(alone)), pair(alone, both, "accuracy"), interval(alone)]
    if alone[0]["hidden"] is None:
        cells += ["", "", "", ""]
    else:
        recall = [
            f"{np.mean([row[key] for row in part]):.2f}"
            for part in (alone, both)
            for key in ("recall_hidden", "recall_hidden_late")
        ]
        cells += [pair(alone, both, "known"), f"{recall[0]}, {recall[1]} ({recall[2]}, {recall[3]})"]
        cells += [f"{middle(alone, key)} ({middle(both, key)})" for key in ("first", "found")]
    return "| " + " | ".join([*cells, pair(alone, both, "ece"), pair(alone, both, "log_loss")]) + " |"


def pair(alone: list[dict[str, object]], both: list[dict[str, object]], key: str) -> str:
    before, after = np.mean([row[key] for row in alone], axis=0)
    return f"{before:.3f} -> {after:.3f} ({np.mean([row[key] for row in both], axis=0)[1]:.3f})"


def interval(rows: list[dict[str, object]]) -> str:
    mean, error = np.mean([row["gain"] for row in rows], axis=0)
    return f"{mean:+.3f} ({mean - 1.96 * error:+.3f} to {mean + 1.96 * error:+.3f})"


def middle(rows: list[dict[str, object]], key: str) -> str:
    found = float(np.median([np.inf if row[key] is None else row[key] for row in rows]))
    return "never" if np.isinf(found) else f"{found:g}"


def curves(name: str, group: list[dict[str, object]]) -> list[str]:
    alone = [row["windows"] for row in group if not row["fitted_vote"]]
    return [
        "| " + " | ".join([name, votes, *(f"{value:.3f}" for value in values)]) + " |"
        for votes, values in zip(("without", "with"), np.mean(alone, axis=0), strict=True)
    ]


def harm(rows: list[dict[str, object]]) -> str:
    """Return how often votes made a window or a stream worse, beside what chance alone would give."""
    texts = []
    for severity, name in ((False, "topics"), (True, "severities")):
        mine = [row for row in rows if row["severity"] is severity]
        windows = [p for row in mine for p in row["p_worse_windows"]]
        lower = sum(after < before for row in mine for before, after in zip(*row["windows"], strict=True))
        worst = min(after - before for row in mine for before, after in zip(*row["windows"], strict=True))
        streams_worse = [row["stream"] for row in mine if row["p_worse"] < 0.05]
        texts.append(
            f"{name}: {lower} of {len(windows)} windows are lower with votes, at worst by {abs(worst):.3f}; "
            f"{sum(p < 0.05 for p in windows)} of them at p < 0.05 and {sum(p < 0.05 / len(windows) for p in windows)} after Bonferroni "
            f"(exact one-sided McNemar), and {len(streams_worse)} of {len(mine)} whole streams at p < 0.05, "
            f"{sum(row['gain'][0] < 0 for row in mine)} with less accuracy at all"
            + (f" ({'; '.join(map(str, streams_worse))})" if streams_worse else "")
        )
    return f"Harm. {'. '.join(texts)}."


if __name__ == "__main__":
    main()
