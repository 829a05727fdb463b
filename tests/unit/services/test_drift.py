"""Drift: silent on the same population, loud on another, and fair to hard tickets."""

import numpy as np
import pytest

from smarttriage.domain.errors import BundleError
from smarttriage.ports import HeldOut, Probabilities, TargetCard, Vectors
from smarttriage.services.drift import (
    JUDGEMENTS_PER_FALSE_ALARM,
    MIN_ROWS,
    Outcomes,
    Reference,
    Signal,
    input_signals,
    psi,
    psi_limit,
)

LABELS = ("a", "b", "c")
CARD = TargetCard("category", LABELS, {}, 0.9)
DIM = 8


def texts(rng: np.random.Generator, n: int, *, moved: float = 0.0) -> Vectors:
    rows = rng.standard_normal((n, DIM))
    rows[:, 0] += moved
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def predictions(rng: np.random.Generator, n: int, weights: tuple[float, float, float] = (4.0, 2.0, 1.0)) -> Probabilities:
    return rng.dirichlet(weights, n)


def reference(rng: np.random.Generator) -> Reference:
    found = predictions(rng, 2_000)
    held = HeldOut(range(2_000), ["a"] * 2_000, found, found, "recipe")
    return Reference.of({"category": held}, {"category": CARD}, texts(rng, 2_000), seed=0)


def signals(known: Reference, vectors: Vectors, found: Probabilities) -> dict[str, Signal]:
    return {signal.name: signal for signal in input_signals(known, vectors, {"category": (CARD, found)})}


def test_windows_of_the_same_population_hardly_ever_alarm() -> None:
    rng = np.random.default_rng(0)
    known = reference(rng)
    alarms = [signal.alarm for _ in range(100) for signal in signals(known, texts(rng, 300), predictions(rng, 300)).values()]
    assert sum(alarms) <= 2


def test_other_texts_other_labels_and_other_confidences_alarm_each_by_its_signal() -> None:
    rng = np.random.default_rng(1)
    known = reference(rng)
    other_texts = signals(known, texts(rng, 300, moved=1.5), predictions(rng, 300))
    assert {name for name, signal in other_texts.items() if signal.alarm} == {"texts"}
    other_labels = signals(known, texts(rng, 300), predictions(rng, 300, (1.0, 2.0, 4.0)))
    assert {name for name, signal in other_labels.items() if signal.alarm} == {"labels"}
    unsure = signals(known, texts(rng, 300), predictions(rng, 300, (40.0, 20.0, 10.0)))
    assert unsure["confidence"].alarm


def test_few_rows_raise_no_alarm_whatever_they_are() -> None:
    rng = np.random.default_rng(2)
    found = signals(reference(rng), texts(rng, MIN_ROWS - 1, moved=5), predictions(rng, MIN_ROWS - 1, (1.0, 2.0, 40.0)))
    assert [(signal.alarm, signal.limit) for signal in found.values()] == [(False, None)] * 3


def test_psi_is_the_published_sum_and_its_limit_grows_as_rows_get_fewer() -> None:
    left, right = np.array([999.5, 1999.5]), np.array([1999.5, 999.5])
    assert psi(left, right) == pytest.approx(2 * (1 / 3) * np.log(2))
    many = np.full(20, 100.0)
    assert psi_limit(many, 100) > psi_limit(many, 1_000) >= 0.1


def test_the_reference_survives_the_bundle_and_a_damaged_one_is_named() -> None:
    known = reference(np.random.default_rng(3))
    back = Reference.read(known.written())
    assert back is not None
    assert (back.n, back.limit, back.targets) == (known.n, known.limit, known.targets)
    np.testing.assert_allclose(back.mean, known.mean, atol=1e-6)
    assert Reference.read(None) is None
    with pytest.raises(BundleError, match=r"reference\.json is no reference"):
        Reference.read(b"[]")


def test_labels_that_go_wrong_as_often_as_said_raise_no_alarm_however_hard_they_are() -> None:
    rng = np.random.default_rng(4)
    runs = []
    for _ in range(20):
        outcomes = Outcomes()
        for confidence in rng.uniform(0.3, 1.0, 500):
            outcomes.add(confidence, wrong=bool(rng.random() > confidence))
        runs.append(outcomes.alarmed)
    assert sum(runs) <= 20 * 500 / JUDGEMENTS_PER_FALSE_ALARM + 2


def test_labels_that_go_wrong_more_often_than_said_alarm_within_a_hundred_judgements_and_stay_alarmed() -> None:
    outcomes, rng = Outcomes(), np.random.default_rng(5)
    for _ in range(100):
        outcomes.add(0.9, wrong=bool(rng.random() < 0.4))
    assert outcomes.alarmed
    for _ in range(200):
        outcomes.add(0.9, wrong=False)
    assert outcomes.signal("category").alarm
