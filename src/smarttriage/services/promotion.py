"""The promotion gate: a candidate serves only if the same unseen rows show that it is no worse than the current model."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.fingerprint import fingerprint
from smarttriage.ports import Classifier, TargetCard, Vectors
from smarttriage.services.promotion_checks import Answered, Check, GateRules, Rule, beats_commonest, compare
from smarttriage.services.training import TrainingRows

Fingerprints = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found.

    Attributes:
        checks: Every comparison, those of a target together.
        n_rows: Rows that neither model was trained on, near-duplicates counted once.
        n_seen: Rows left out because one of the models was trained on them.
        n_repeated: Rows left out because another says the same.
        notes: What a reader should know beside the figures.
    """

    checks: tuple[Check, ...]
    n_rows: int
    n_seen: int
    n_repeated: int
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every check is met."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    def as_json(self) -> dict[str, object]:
        """Return the verdict as plain numbers and dictionaries."""
        return {"passed": self.passed, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Contender:
    """One of the two models and the rows it was trained on.

    Attributes:
        classifier: The model.
        seen: Sorted fingerprints of its training rows; None where its bundle keeps none.
    """

    classifier: Classifier
    seen: Fingerprints | None = None


def fingerprints(texts: Sequence[str]) -> Fingerprints:
    """Return the sorted distinct fingerprints of the texts."""
    return np.unique(np.array([fingerprint(text) for text in texts], dtype=np.uint64))


def unseen_rows(texts: Sequence[str], *seen: Fingerprints | None) -> tuple[NDArray[np.int_], int, int]:
    """Return the places of the rows that nobody was trained on, each text once, and how many were seen and repeated."""
    prints = np.array([fingerprint(text) for text in texts], dtype=np.uint64)
    known = np.concatenate([np.empty(0, dtype=np.uint64), *(part for part in seen if part is not None)])
    met = np.isin(prints, known)
    _, first = np.unique(prints, return_index=True)
    fresh = np.setdiff1d(first, np.flatnonzero(met))
    return np.sort(fresh), int(met.sum()), int(len(texts) - met.sum() - len(fresh))


def judge(
    *,
    current: Contender,
    candidate: Contender,
    rows: TrainingRows,
    vectors: Vectors,
    rules: GateRules,
    given_up: Sequence[str] = (),
    seed: int = 0,
) -> Verdict:
    """Return whether the candidate may take the current model's place.

    `given_up` names what the candidate may lose on purpose: a target, or one label of it as TARGET=LABEL.

    Raises:
        InvalidInput: The candidate does not say what it was trained on, or no unseen row is left.
    """
    if candidate.seen is None:
        message = "the candidate keeps no fingerprints of its training rows, so unseen rows cannot be told; train it again"
        raise InvalidInput(message, field="model")
    places, n_seen, n_repeated = unseen_rows(rows.texts, candidate.seen, current.seen)
    if not len(places):
        message = (
            f"none of the {len(rows.texts)} rows is new to both models ({n_seen} were trained on, {n_repeated} are repeated); "
            "give rows that were kept out of training"
        )
        raise InvalidInput(message, field="data")
    texts = [rows.texts[place] for place in places.tolist()]
    before = current.classifier.predict_proba(texts, vectors[places])
    after = candidate.classifier.predict_proba(texts, vectors[places])
    checks = lost(current.classifier.cards, candidate.classifier.cards, given_up)
    for target, column in rows.labels.items():
        kept = [place for place, row in enumerate(places.tolist()) if column[row]]
        if not kept or target not in after:
            continue
        truth = [str(column[row]) for row in places[kept].tolist()]
        new = Answered.of(candidate.classifier.cards[target], after[target][kept])
        if target in before:
            old = Answered.of(current.classifier.cards[target], before[target][kept])
            checks += compare(old, new, truth, rules=rules, seed=seed)
        else:
            checks.append(beats_commonest(new, truth, rules))
    compared = {check.target for check in checks if check.n}
    checks += [
        _missing(target, "accuracy", "no unseen row has a label of it; give rows that have one")
        for target in candidate.classifier.cards
        if target not in compared
    ]
    return Verdict(tuple(checks), len(places), n_seen, n_repeated, _notes(current))


def lost(current: Mapping[str, TargetCard], candidate: Mapping[str, TargetCard], given_up: Sequence[str]) -> list[Check]:
    """Return a failed check for each target or label that the candidate no longer knows and that nobody gave up."""
    gone = [(target, "target", target) for target in current if target not in candidate]
    for target, card in current.items():
        known = candidate[target].labels if target in candidate else card.labels
        gone += [(target, f"label {label}", f"{target}={label}") for label in card.labels if label not in known]
    return [
        _missing(target, what, f"the candidate no longer knows it; train with it, or give it up with --drop {name!r}")
        for target, what, name in gone
        if name not in given_up and target not in given_up
    ]


def _missing(target: str, measure: str, because: str) -> Check:
    return Check(
        target,
        measure,
        n=0,
        current=None,
        candidate=None,
        difference=None,
        lower=None,
        upper=None,
        margin=0.0,
        rule=Rule.STILL_THERE if measure != "accuracy" else Rule.SHOWN_NO_WORSE,
        passed=False,
        because=because,
    )


def _notes(current: Contender) -> tuple[str, ...]:
    if current.seen is not None:
        return ()
    return ("the current model keeps no fingerprints of its training rows; rows it may have seen favour it, not the candidate",)
