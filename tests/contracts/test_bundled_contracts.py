"""What a classifier promises travels with its bundle; a bundle from before contracts keeps its thresholds."""

import json

import numpy as np
import pytest

from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.sklearn import SklearnTrainer
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.domain.errors import BundleError
from smarttriage.ports import LabelledTexts
from smarttriage.services.operating_point import at_precision
from smarttriage.testing.tickets import tickets

ENCODER = HashingEncoder(dim=64)


@pytest.fixture(scope="module")
def model() -> SklearnClassifier:
    texts, categories, _ = tickets()
    trainer = SklearnTrainer(encoder_id=ENCODER.encoder_id, target_precision=0.8, confidence=0.6, many_rows=1)
    return trainer.fit(LabelledTexts(texts, ENCODER.encode(texts), {"category": categories}), seed=0)


def altered(model: SklearnClassifier, **changes: object) -> dict[str, bytes]:
    """Return the model's files with keys of its target changed; None takes the key away."""
    files = model.to_files()
    content = json.loads(files["model.json"])
    for name, value in changes.items():
        content["targets"][0][name] = value
        if value is None:
            del content["targets"][0][name]
    return {**files, "model.json": json.dumps(content).encode()}


def test_contracts_and_their_curve_come_back_from_the_files(model: SklearnClassifier) -> None:
    card = model.cards["category"]
    back = SklearnClassifier.from_files(model.to_files(), version="1").cards["category"]
    assert card.curve is not None
    assert card.curve.confidence == 0.6
    assert dict(back.contracts) == dict(card.contracts)
    assert dict(back.thresholds) == dict(card.thresholds)
    for precision in (0.6, 0.8, 0.9):
        assert at_precision(back, precision) == at_precision(card, precision)


def test_thresholds_are_those_of_the_contracts(model: SklearnClassifier) -> None:
    card = model.cards["category"]
    assert any(contract.met for contract in card.contracts.values())
    assert dict(card.thresholds) == at_precision(card, 0.8).thresholds


def test_a_bundle_from_before_contracts_keeps_its_thresholds(model: SklearnClassifier) -> None:
    old = SklearnClassifier.from_files(altered(model, curve=None), version="1").cards["category"]
    assert dict(old.thresholds) == dict(model.cards["category"].thresholds)
    assert (old.curve, old.contracts) == (None, {})


def test_a_curve_of_other_labels_is_a_broken_bundle(model: SklearnClassifier) -> None:
    strange = {"confidence": 0.9, "n_rows": 10, "n_tested": 1, "n_predicted": {"mood": 10}, "cuts": {}}
    for curve in (strange, {"confidence": 0.9}, {**strange, "cuts": {"mood": [[1, 2]]}}):
        with pytest.raises(BundleError, match="do not make a classifier"):
            SklearnClassifier.from_files(altered(model, curve=curve), version="1")


def test_near_duplicates_among_the_training_rows_do_not_buy_a_contract() -> None:
    random = np.random.default_rng(0)
    words = {"a": "printer toner paper jam", "b": "vpn tunnel network drop"}
    names = ["a", "b"] * 12
    texts = [f"{words[name]} {''.join(random.choice(list('klmnopqrst'), 6))}" for name in names]
    trainer = SklearnTrainer(encoder_id=None, target_precision=0.8)
    met = []
    for copies in (1, 8):
        rows, labels = texts * copies, names * copies
        fitted = trainer.fit(LabelledTexts(rows, ENCODER.encode(rows), {"t": labels}), seed=0).cards["t"]
        met.append([contract.n for contract in fitted.contracts.values()])
        assert all(contract.n_predicted <= 24 for contract in fitted.contracts.values())
    assert met[0] == met[1]
