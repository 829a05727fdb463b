"""Scores of a tree of targets: each level, the answer as a whole, and how deep it goes before confidence ends."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.tree import ancestors
from smarttriage.ports import Classifier, Probabilities, TargetCard

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetScores:
    """Hierarchical precision, recall and F1 of answers with all their ancestors.

    Sums over all rows of the labels that answer and truth share, by those of the answer and of the truth (Kiritchenko, Matwin,
    Nock and Famili, 2006, Canadian AI; recommended by Silla and Freitas, 2011, Data Mining and Knowledge Discovery 22).
    """

    precision: float | None
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class LevelScores:
    """One level.

    Attributes:
        n: Rows with a label of it.
        accuracy: Share right where every level is answered.
        coverage: Share of all rows in which the answer comes down to it before confidence ends.
        precision: Share right of these, of those with a label; None where there are none.
    """

    n: int
    accuracy: float | None
    coverage: float
    precision: float | None


@dataclass(frozen=True, slots=True)
class HierarchyScores:
    """What `smarttriage evaluate classifier` says of a target that stands below others.

    Attributes:
        n: Rows with a label of the first level.
        levels: Target -> its scores, highest first.
        whole: Every level answered.
        stopped: Answered down to the level where confidence ends.
        mean_depth: Levels answered on average when stopping there.
        depths: Share of rows answered to each depth, from none to all levels.
        deepest_right: Share of the rows with an answer whose deepest answered label is right; None where nothing is answered.
        consistent: Share of rows in which no answered label contradicts the one above it.
    """

    n: int
    levels: Mapping[str, LevelScores]
    whole: SetScores
    stopped: SetScores
    mean_depth: float
    depths: Sequence[float]
    deepest_right: float | None
    consistent: float

    def as_json(self) -> dict[str, object]:
        """Return the scores as plain numbers and dictionaries."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers level by level, for n rows.

    Attributes:
        paths: The likeliest label of each level below the one chosen above; shorter where the tree ends.
        depths: How many levels of each path reach their thresholds, none left out from the top.
    """

    paths: Sequence[Path]
    depths: NDArray[np.int_]

    @property
    def stopped(self) -> list[Path]:
        """The paths down to where confidence ends."""
        return [path[:depth] for path, depth in zip(self.paths, self.depths.tolist(), strict=True)]


def chain(classifier: Classifier, target: str) -> list[TargetCard]:
    """Return the cards from the highest level down to the target.

    Raises:
        InvalidInput: The model does not know the target.
    """
    cards = classifier.cards
    if target not in cards:
        raise InvalidInput(f"The model has no target {target!r}; it has {sorted(cards)}.", field="target")
    above = ancestors(target, {name: card.parent for name, card in cards.items()})
    return [cards[name] for name in (*reversed(above), target)]


def answers(cards: Sequence[TargetCard], probabilities: Mapping[str, Probabilities]) -> Answers:
    """Return the answers from the top down, as serving gives them without votes and rules."""
    n = len(probabilities[cards[0].name])
    paths: list[Path] = [()] * n
    depths = np.zeros(n, dtype=np.int_)
    for level, card in enumerate(cards):
        rows = probabilities[card.name].copy()
        if level:
            chosen = np.array([path[-1] if len(path) == level else "" for path in paths], dtype=object)
            rows[np.array([card.parents[label] for label in card.labels], dtype=object)[None, :] != chosen[:, None]] = -1.0
        winners, best = rows.argmax(axis=1), rows.max(axis=1)
        for row in np.flatnonzero(best >= 0).tolist():
            label = card.labels[winners[row]]
            paths[row] = (*paths[row], label)
            if depths[row] == level and best[row] >= card.thresholds[label]:
                depths[row] += 1
    return Answers(paths, depths)


def known_path(cards: Sequence[TargetCard], labels: Sequence[str | None]) -> Path:
    """Return the true path of a row by its label of each level; labels above a known one follow from it."""
    found = list(labels)
    for level in range(len(cards) - 1, 0, -1):
        label = found[level]
        if label is not None and found[level - 1] is None:
            found[level - 1] = cards[level].parents.get(label)
    path: list[str] = []
    for label in found:
        if label is None:
            break
        path.append(label)
    return tuple(path)


def score_hierarchy(
    cards: Sequence[TargetCard], probabilities: Mapping[str, Probabilities], truth: Sequence[Path]
) -> HierarchyScores:
    """Return the scores of the cards' levels against the true paths; rows without any label are left out.

    Raises:
        InvalidInput: No row has a label.
    """
    kept = [row for row, path in enumerate(truth) if path]
    if not kept:
        raise InvalidInput(f"No row has a label of {cards[0].name!r}: nothing to compare.", field="truth")
    found = answers(cards, {card.name: probabilities[card.name][kept] for card in cards})
    true, stopped = [truth[row] for row in kept], found.stopped
    depths = np.bincount(found.depths, minlength=len(cards) + 1) / len(kept)
    deepest = [path == right[: len(path)] for path, right in zip(stopped, true, strict=True) if path and len(path) <= len(right)]
    return HierarchyScores(
        n=len(kept),
        levels={card.name: _level(level, found, true) for level, card in enumerate(cards)},
        whole=set_scores(found.paths, true),
        stopped=set_scores(stopped, true),
        mean_depth=float(found.depths.mean()),
        depths=depths.tolist(),
        deepest_right=_share(deepest),
        consistent=consistency(cards, found.paths),
    )


def set_scores(found: Sequence[Iterable[str]], true: Sequence[Iterable[str]]) -> SetScores:
    """Return the hierarchical scores of answers from the highest level down; equal names on two levels are two labels."""
    sets = [(set(enumerate(answer)), set(enumerate(right))) for answer, right in zip(found, true, strict=True)]
    shared, n_found, n_true = (sum(counts) for counts in zip(*((len(a & t), len(a), len(t)) for a, t in sets), strict=True))
    return SetScores(shared / n_found if n_found else None, shared / n_true, 2 * shared / (n_found + n_true))


def consistency(cards: Sequence[TargetCard], paths: Sequence[Sequence[str]]) -> float:
    """Return the share of answers in which each label stands below the one before it."""
    right = [
        all(card.parents[below] == above for card, above, below in zip(cards[1:], path, path[1:], strict=False)) for path in paths
    ]
    return float(np.mean(right))


def _level(level: int, found: Answers, true: Sequence[Path]) -> LevelScores:
    right = [
        (path[: level + 1] == known[: level + 1], int(depth) > level)
        for path, known, depth in zip(found.paths, true, found.depths, strict=True)
        if len(known) > level
    ]
    reached = [hit for hit, deep in right if deep]
    return LevelScores(len(right), _share([hit for hit, _ in right]), float((found.depths > level).mean()), _share(reached))


def _share(hits: Sequence[bool]) -> float | None:
    return float(np.mean(hits)) if hits else None
