"""Precision contracts on unseen rows: our bounds beside no correction and beside the conformal-risk rule, same splits.

    python benchmarks/contracts.py [--data ../shared/data] [--cache FOLDER] [--splits 20] [--work FOLDER] [--budget SECONDS]

Fits what is not in the work folder yet, until the budget is spent; writes benchmarks/results/contracts.json and .md once all is
there. Thresholds come from cross-fitted predictions of the 75 %, and are counted on the unseen 25 %.
"""

import argparse
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from contract_splits import QUESTIONS, Split, fit_split, load_split, read_question, save_split, split_path
from report import write_results
from smarttriage.adapters.classifiers.contracts import precision_curve
from smarttriage.domain.contract import NEVER, PrecisionCurve

ROOT = Path(__file__).resolve().parent.parent
TARGETS = (0.8, 0.9, 0.95)
CONFIDENCE = 0.9
GOAL = 0.95
# The resplits before this one were looked at while the rule was made.
FIRST_UNSEEN = 200
Thresholds = Mapping[str, float]


@dataclass(slots=True)
class Count:
    """What a rule came to, over the splits of a set.

    Attributes:
        pairs: (label, split) pairs with an unseen row filled in.
        met: Those whose share right reaches the target.
        in_noise: Those that miss it by no more than a true precision of the target explains (one-sided binomial test, 5 %).
        unfilled: Pairs that could be filled in (a row of the label among the unseen) but never are.
        filled: Unseen rows filled in.
        right: Those that are right.
        rows: Unseen rows.
    """

    pairs: int = 0
    met: int = 0
    in_noise: int = 0
    unfilled: int = 0
    filled: int = 0
    right: int = 0
    rows: int = 0

    def add(self, other: "Count") -> None:
        for name in (field.name for field in fields(self)):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--cache", type=Path, help="Keep vectors here.")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--first", type=int, default=FIRST_UNSEEN, help="Number of the first split, which seeds it.")
    parser.add_argument("--work", type=Path, default=ROOT / ".cache" / "contracts", help="Keep the predictions of splits here.")
    parser.add_argument("--budget", type=float, default=math.inf, help="Start no fit after so many seconds; call again to go on.")
    args = parser.parse_args()
    if not args.data.is_dir():
        raise SystemExit(f"{args.data} is absent: give --data FOLDER with the data sets.")
    args.work.mkdir(parents=True, exist_ok=True)
    if not prepared(args):
        raise SystemExit("the budget is spent; call again to go on")
    splits = {
        question.name: [load_split(split_path(args.work, question, seed)) for seed in seeds_of(args)] for question in QUESTIONS
    }
    found = {
        str(target): {
            rule: {name: counted(chosen, target, rows) for name, rows in splits.items()} for rule, chosen in RULES.items()
        }
        for target in TARGETS
    }
    result = {
        target: {rule: {name: asdict(count) for name, count in sets.items()} for rule, sets in rules.items()}
        for target, rules in found.items()
    }
    write_results(
        "contracts",
        {"confidence": CONFIDENCE, "splits": args.splits, "targets": result},
        table(found, splits, fresh=args.first >= FIRST_UNSEEN),
    )


def seeds_of(args: argparse.Namespace) -> range:
    """Return the numbers of the splits."""
    return range(args.first, args.first + args.splits)


def prepared(args: argparse.Namespace) -> bool:
    """Fit the splits that are not there yet; return whether all are there now."""
    started = time.monotonic()
    for question in QUESTIONS:
        missing = [seed for seed in seeds_of(args) if not split_path(args.work, question, seed).is_file()]
        rows = read_question(question, args.data) if missing else None
        for seed in missing:
            if rows is None or time.monotonic() - started > args.budget:
                return False
            split = fit_split(question, rows, args.cache, seed)
            save_split(split_path(args.work, question, seed), split)
            print(f"{question.name}, split {seed}: fitted in {split.fit_s:.0f} s", flush=True)
    return True


def contract(split: Split, target: float) -> Thresholds:
    """Return our thresholds."""
    return {label: found.threshold for label, found in _curve(split).contracts(target).items()}


@cache
def _curve(split: Split) -> PrecisionCurve:
    """Return the curve, which is the same for every target."""
    return precision_curve(split.labels, split.held, split.held_truth, split.held_groups, confidence=CONFIDENCE)


def naive(split: Split, target: float) -> Thresholds:
    """Return for each label the least confidence from which the share right reaches the target, as it stands."""
    return _least(split, lambda errors, n: errors <= (1 - target) * n + 1e-12)


def conformal_risk(split: Split, target: float) -> Thresholds:
    """Return the same with one error more than was seen among one row more (Angelopoulos et al., 2022, arXiv:2208.02814)."""
    return _least(split, lambda errors, n: errors + 1 <= (1 - target) * (n + 1) + 1e-12)


RULES: dict[str, Callable[[Split, float], Thresholds]] = {
    "no correction": naive,
    "(errors + 1) / (n + 1)": conformal_risk,
    "contract": contract,
}


def _least(split: Split, fine: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Thresholds:
    winners, confidences = split.held.argmax(axis=1), split.held.max(axis=1)
    found = {}
    for column, label in enumerate(split.labels):
        rows = np.flatnonzero(winners == column)
        rows = rows[np.argsort(-confidences[rows], kind="stable")]
        ranked, errors = confidences[rows], np.cumsum(split.held_truth[rows] != column)
        last = np.append(ranked[1:] < ranked[:-1], True)[: len(rows)]
        places = np.flatnonzero(fine(errors, np.arange(1, len(rows) + 1)) & last)
        found[label] = float(ranked[places[-1]]) if len(places) else NEVER
    return found


def counted(rule: Callable[[Split, float], Thresholds], target: float, splits: Sequence[Split]) -> Count:
    """Return what the rule's thresholds came to on the unseen rows of all splits."""
    total = Count()
    for split in splits:
        total.add(count_split(rule(split, target), target, split))
    return total


def count_split(thresholds: Thresholds, target: float, split: Split) -> Count:
    """Return the counts of one split."""
    winners, confidences = split.unseen.argmax(axis=1), split.unseen.max(axis=1)
    bounds = np.array([thresholds[label] for label in split.labels])
    filled, right = confidences >= bounds[winners], winners == split.unseen_truth
    count = Count(filled=int(filled.sum()), right=int((filled & right).sum()), rows=len(winners))
    for column in range(len(split.labels)):
        mine = filled & (winners == column)
        n, n_right = int(mine.sum()), int((mine & right).sum())
        if n:
            met = n_right >= target * n - 1e-9
            count.pairs += 1
            count.met += bool(met)
            count.in_noise += bool(not met and binomtest(n_right, n, target, alternative="less").pvalue > 0.05)
        else:
            count.unfilled += bool((split.unseen_truth == column).any())
    return count


def table(found: Mapping[str, Mapping[str, Mapping[str, Count]]], splits: Mapping[str, Sequence[Split]], *, fresh: bool) -> str:
    """Return the tables as Markdown."""
    lines = [_intro(splits, fresh=fresh), ""]
    for target, rules in found.items():
        lines += [
            f"### Target precision {target}",
            "",
            "| set | rule | pairs met | filled pairs | missed within noise | never filled pairs | coverage | precision |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for name in [*splits, "all"]:
            for rule, sets in rules.items():
                total = Count()
                for count in sets.values() if name == "all" else [sets[name]]:
                    total.add(count)
                lines.append(f"| {name} | {rule} | {_row(total)} |")
        lines.append("")
    return "\n".join([*lines, verdict(found)])


def verdict(found: Mapping[str, Mapping[str, Mapping[str, Count]]]) -> str:
    """Return which goals were reached, set by set."""
    parts = []
    for target, rules in found.items():
        for name, count in rules["contract"].items():
            share = count.met / count.pairs if count.pairs else None
            said = "fills nothing in" if share is None else f"{share:.3f} {'reaches' if share >= GOAL else 'misses'}"
            parts.append(f"{name} at {target}: {said}")
    return f"Goal: {GOAL} of the filled pairs meet the target. " + "; ".join(parts) + "."


def _intro(splits: Mapping[str, Sequence[Split]], *, fresh: bool) -> str:
    looked_at = "not looked at" if fresh else "looked at"
    sizes = [f"{name} {len(rows[0].held_truth):,} + {len(rows[0].unseen_truth):,} rows" for name, rows in splits.items()]
    one = ", ".join(question.name for question in QUESTIONS if question.one_recipe)
    drawn = ", ".join(f"{question.name} (whole clusters, drawn anew for each split)" for question in QUESTIONS if question.n_rows)
    return (
        f"{len(next(iter(splits.values())))} resplits by cluster of train and dev together, fitted on 75 %, counted on the unseen "
        f"25 %: {', '.join(sizes)}. These resplits were {looked_at} while the rule was made. Only a part of {drawn} and one fixed recipe for {one}, so that the fits are affordable. "
        f"Contract: confidence {CONFIDENCE}. A pair is a label in a split with at least one unseen row filled in; it is met if the "
        "share right reaches the target, however few rows they are. Missed within noise: a true precision of the target would "
        "explain the miss (binomial, 5 %). Never filled: unseen rows carry the label, and none is filled in with it. Tried before: a "
        "second bound that is not shared out among the labels, which fills more in and misses the goal."
    )


def _row(count: Count) -> str:
    met = f"{count.met / count.pairs:.3f}" if count.pairs else "-"
    precision = f"{count.right / count.filled:.3f}" if count.filled else "-"
    cells = (met, count.pairs, count.in_noise, count.unfilled, f"{count.filled / count.rows:.3f}", precision)
    return " | ".join(map(str, cells))


if __name__ == "__main__":
    main()
