"""What the answers of a walk were worth, month by month."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.effort import Effort
from smarttriage.domain.near_text import near_identical, word_set
from smarttriage.services.backtest_answers import Near, StepAnswers
from smarttriage.services.backtest_history import History
from smarttriage.services.backtest_plan import Plan, known_seconds
from smarttriage.services.evaluation import confusion, macro_f1
from smarttriage.services.notes import assess
from smarttriage.services.retrieval import FLOOR_WITHOUT_CHANCE

# Below this cosine an earlier incident is not shown; the floor that benchmarks/retrieval.py prints for incidents.
FLOOR = FLOOR_WITHOUT_CHANCE


@dataclass(frozen=True, slots=True)
class TargetFigures:
    """One target over some rows.

    Attributes:
        n: Rows that carry a label.
        n_answered: Those for which a model existed.
        accuracy: Share of right answers among those answered; None where nothing was.
        macro_f1: Unweighted mean F1 over the labels in truth or answers.
        n_filled: Rows that would have been filled in.
        n_right: Those filled in right.
        coverage: `n_filled` by `n`.
        precision: `n_right` by `n_filled`; None where nothing was filled in.
        minutes_saved: By the report's assumption.
        n_fresh: Answered rows that no earlier incident says in nearly the same words.
        accuracy_fresh: Accuracy on those.
        majority_accuracy: Of always answering the commonest label known so far, on the answered rows.
        recent_accuracy: Of always answering the commonest label of the step before, on the answered rows.
        n_near: Rows with an earlier incident at or above the floor.
        near_right: Share of those whose nearest earlier incident carries the right label.
        new_labels: Label that no row before these carried -> rows that carry it.
    """

    n: int
    n_answered: int
    accuracy: float | None
    macro_f1: float | None
    n_filled: int
    n_right: int
    coverage: float
    precision: float | None
    minutes_saved: float
    n_fresh: int
    accuracy_fresh: float | None
    majority_accuracy: float | None
    recent_accuracy: float | None
    n_near: int
    near_right: float | None
    new_labels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ResolutionFigures:
    """What earlier resolutions would have offered over some rows.

    Attributes:
        n: Rows whose own resolution is known.
        found: Share with a near-identical resolution among the five nearest earlier ones at or above the floor.
        latest: The same share for the five latest earlier resolutions, whatever they are about: the baseline.
        n_telling: Rows whose resolution says what was done, more than that it is over.
        found_telling: `found` over those.
        latest_telling: `latest` over those.
    """

    n: int
    found: float | None
    latest: float | None
    n_telling: int
    found_telling: float | None
    latest_telling: float | None


@dataclass(frozen=True, slots=True)
class Month:
    """One month; `fits` names the steps of the models that answered in it, `refused` says why a target had none at the end."""

    month: str
    n: int
    n_repeats: int
    fits: Sequence[str]
    refused: Mapping[str, str]
    targets: Mapping[str, TargetFigures]
    resolutions: ResolutionFigures | None


class Scoring:
    """Computes the figures of any rows of a walked history."""

    def __init__(self, history: History, steps: Sequence[StepAnswers], plan: Plan, effort: Effort) -> None:
        self._history, self._steps, self._effort = history, steps, effort
        self._answers = [answer for step in steps for answer in step.answers]
        self._owners = [step for step in steps for _ in step.answers]
        self._months = [plan.month_of(at) for at in history.at]
        self._found = _Resolutions(history, [answer.resolved for answer in self._answers]) if history.resolutions else None

    def months(self) -> list[Month]:
        """Return every month that holds a row, in order."""
        seen: dict[str, set[str]] = {target: set() for target in self._history.labels}
        found = []
        for month in dict.fromkeys(self._months):
            rows = [row for row, own in enumerate(self._months) if own == month]
            owners = [self._owners[row] for row in rows]
            targets = {target: self.target(target, rows, frozenset(seen[target])) for target in seen}
            for target, labels in seen.items():
                labels |= {label for row in rows if (label := self._history.labels[target][row])}
            found.append(
                Month(
                    month=month,
                    n=len(rows),
                    n_repeats=self.n_repeats(rows),
                    fits=list(dict.fromkeys(step.fitted_at for step in owners if step.fitted_at)),
                    refused=owners[-1].refused,
                    targets=targets,
                    resolutions=self.resolutions(rows),
                )
            )
        return found

    def rows_of(self, months: Sequence[str]) -> list[int]:
        """Return the rows of some months."""
        chosen = set(months)
        return [row for row, month in enumerate(self._months) if month in chosen]

    def n_repeats(self, rows: Sequence[int]) -> int:
        """Return how many of the rows say what an earlier one said."""
        return sum(self._answers[row].repeats for row in rows)

    def resolutions(self, rows: Sequence[int]) -> ResolutionFigures | None:
        """Return what earlier resolutions would have offered; None where the file has none."""
        return self._found.figures(rows) if self._found else None

    def target(self, target: str, rows: Sequence[int], seen: frozenset[str] = frozenset()) -> TargetFigures:
        """Return the figures of one target on some rows; labels that are not in `seen` count as new."""
        column = self._history.labels[target]
        labelled = [(row, label) for row in rows if (label := column[row])]
        answered = [(row, label, guess) for row, label in labelled if (guess := self._answers[row].guesses.get(target))]
        right = [guess.label == label for _, label, guess in answered]
        filled = [hit for hit, (_, _, guess) in zip(right, answered, strict=True) if guess.filled]
        fresh = [hit for hit, (row, _, _) in zip(right, answered, strict=True) if not self._answers[row].repeats]
        near = [column[place] == label for row, label in labelled for place in self._nearest(row)]
        return TargetFigures(
            n=len(labelled),
            n_answered=len(answered),
            accuracy=share(right),
            macro_f1=_macro_f1([(label, guess.label) for _, label, guess in answered]),
            n_filled=len(filled),
            n_right=sum(filled),
            coverage=len(filled) / len(labelled) if labelled else 0.0,
            precision=share(filled),
            minutes_saved=self._effort.minutes_saved(len(filled), sum(filled)),
            n_fresh=len(fresh),
            accuracy_fresh=share(fresh),
            majority_accuracy=share([self._owners[row].majority.get(target) == label for row, label, _ in answered]),
            recent_accuracy=share([self._owners[row].recent.get(target) == label for row, label, _ in answered]),
            n_near=len(near),
            near_right=share(near),
            new_labels=dict(sorted(Counter(label for _, label in labelled if label not in seen).items())),
        )

    def _nearest(self, row: int) -> list[int]:
        return [place for place, cosine in self._answers[row].nearest[:1] if cosine >= FLOOR]


class _Resolutions:
    """For each row whether an earlier resolution near it, or simply a late one, says what its own came to say."""

    def __init__(self, history: History, resolved: Sequence[Near]) -> None:
        notes = history.resolutions or []
        self._words = [word_set(note) if note else frozenset[str]() for note in notes]
        self._telling = [bool(note) and assess(note or "").actionable for note in notes]
        self._near = [[place for place, cosine in near if cosine >= FLOOR] for near in resolved]
        self._late = _latest(history, n=5)

    def figures(self, rows: Sequence[int]) -> ResolutionFigures:
        """Return the figures of some rows."""
        known = [row for row in rows if self._words[row]]
        telling = [row for row in known if self._telling[row]]
        return ResolutionFigures(
            n=len(known),
            found=share([self._among(row, self._near[row]) for row in known]),
            latest=share([self._among(row, self._late[row]) for row in known]),
            n_telling=len(telling),
            found_telling=share([self._among(row, self._near[row]) for row in telling]),
            latest_telling=share([self._among(row, self._late[row]) for row in telling]),
        )

    def _among(self, row: int, places: Sequence[int]) -> bool:
        return any(near_identical(self._words[row], self._words[place]) for place in places)


def _latest(history: History, *, n: int) -> list[list[int]]:
    """Return for each row the places of the n resolutions that were known last before it came."""
    known = known_seconds(history)
    usable = [place for place in np.argsort(known, kind="stable").tolist() if (history.resolutions or [])[place]]
    instants: NDArray[np.float64] = known[usable]
    ends = np.searchsorted(instants, [at.timestamp() for at in history.at], side="left")
    return [usable[max(0, end - n) : end] for end in ends.tolist()]


def share(hits: Sequence[bool]) -> float | None:
    """Return the share of hits, None of nothing."""
    return sum(hits) / len(hits) if hits else None


def _macro_f1(pairs: Sequence[tuple[str, str]]) -> float | None:
    if not pairs:
        return None
    columns = {label: place for place, label in enumerate(sorted({label for pair in pairs for label in pair}))}
    true, answered = (np.array([columns[pair[side]] for pair in pairs]) for side in (0, 1))
    return macro_f1(confusion(true, answered, len(columns)))
