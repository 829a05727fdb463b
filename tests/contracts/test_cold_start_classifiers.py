"""Classifiers of no label and of few pass the contract, and use what stands beside the labels."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.few_shot import FEW
from smarttriage.adapters.classifiers.sklearn import SklearnTrainer, TargetOptions
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import Classifier, DescribedLabels, LabelledTexts, Vectors
from smarttriage.testing.classifier_contract import ClassifierContract
from smarttriage.testing.tickets import interleaved, tickets

ENCODER = HashingEncoder(dim=64)
TEXTS, CATEGORIES, SUBS = tickets()
SAMPLE = [*interleaved(TEXTS, 6), "Nothing known here at all"]
MEANING = {
    "vpn": "VPN tunnel, remote gateway, certificate",
    "wifi": "wireless, access point, ssid",
    "printer": "printer, scanner, toner, label printer",
    "workstation": "laptop, notebook, battery, keyboard",
}
PARENTS = {"vpn": "network", "wifi": "network", "printer": "hardware", "workstation": "hardware"}


def described(meaning: Mapping[str, str] = MEANING, parents: Mapping[str, str] = PARENTS) -> DescribedLabels:
    texts = list(meaning.values())
    return DescribedLabels(list(meaning), texts, ENCODER.encode(texts), parents)


def examples(
    texts: Sequence[str], subs: Sequence[str | None], descriptions: DescribedLabels | None = None, target: str = "sub_category"
) -> LabelledTexts:
    known = {target: descriptions} if descriptions else {}
    return LabelledTexts(texts, ENCODER.encode(texts), {target: subs}, descriptions=known)


def trainer() -> SklearnTrainer:
    return SklearnTrainer(encoder_id=ENCODER.encoder_id)


def right(classifier: Classifier, target: str = "sub_category") -> float:
    found = classifier.predict_proba(TEXTS, ENCODER.encode(TEXTS))[target].argmax(axis=1)
    pairs = [(classifier.cards[target].labels[column], truth) for column, truth in zip(found, SUBS, strict=True) if truth]
    return sum(label == truth for label, truth in pairs) / len(pairs)


@pytest.fixture(scope="module")
def zero() -> SklearnClassifier:
    return trainer().fit(examples([], [], described()), seed=0)


class TestNoLabelAtAll(ClassifierContract):
    @pytest.fixture(scope="class")
    @classmethod
    def classifier(cls, zero: SklearnClassifier) -> Classifier:
        return SklearnClassifier.from_files(zero.to_files(), version="1")

    @pytest.fixture(scope="class")
    @classmethod
    def texts(cls) -> Sequence[str]:
        return SAMPLE

    @pytest.fixture(scope="class")
    @classmethod
    def vectors(cls) -> Vectors:
        return ENCODER.encode(SAMPLE)


def test_descriptions_alone_tell_most_texts_apart_and_nothing_is_filled_in(zero: SklearnClassifier) -> None:
    assert right(zero) > 0.7
    assert all(threshold > 1 for threshold in zero.cards["sub_category"].thresholds.values())
    assert not zero.held_out


def test_the_words_of_a_description_explain_its_label(zero: SklearnClassifier) -> None:
    text = "the toner is empty since Monday"
    (span, *_) = zero.explain(text, "sub_category", "printer", n=1)
    assert text[span.start : span.end] == "toner"


def test_a_described_label_without_a_row_is_still_found() -> None:
    rows = [place for place, label in enumerate(SUBS) if label and label != "vpn"][:30]
    few = examples([TEXTS[row] for row in rows], [SUBS[row] for row in rows], described())
    classifier = trainer().fit(few, seed=0)
    found = classifier.predict_proba(["vpn tunnel refused"], ENCODER.encode(["vpn tunnel refused"]))["sub_category"][0]
    assert classifier.cards["sub_category"].labels[found.argmax()] == "vpn"


def test_unlabelled_texts_carry_a_label_to_words_that_no_labelled_row_holds() -> None:
    texts = ["printer jams", "wifi weak", *["printer jams, paper zorp", "wifi weak, signal blix"] * 4]
    labels = ["printer", "wifi", *[None] * 8]
    alone = trainer().fit(examples(texts[:2], labels[:2], target="team"), seed=0)
    joined = trainer().fit(examples(texts, labels, target="team"), seed=0)
    probe, vector = ["zorp"], np.zeros((1, 64), dtype=np.float32)
    column = joined.cards["team"].labels.index("printer")
    gain = joined.predict_proba(probe, vector)["team"][0, column] - alone.predict_proba(probe, vector)["team"][0, column]
    assert gain > 0.01


def test_without_any_label_unlabelled_texts_carry_a_description_to_words_that_it_lacks() -> None:
    known = described({"printer": "printer jams", "wifi": "wifi weak"}, {})
    texts = ["printer jams, paper zorp", "wifi weak, signal blix"] * 4
    alone = trainer().fit(examples(texts[:2], [None] * 2, known, target="team"), seed=0)
    joined = trainer().fit(examples(texts, [None] * 8, known, target="team"), seed=0)
    probe, vector = ["zorp"], np.zeros((1, 64), dtype=np.float32)
    column = joined.cards["team"].labels.index("printer")
    gain = joined.predict_proba(probe, vector)["team"][0, column] - alone.predict_proba(probe, vector)["team"][0, column]
    assert gain > 0.01


def test_descriptions_step_back_where_labels_are_many() -> None:
    texts = [f"{text} {place}" for place, text in enumerate([*TEXTS, *TEXTS])]
    labels = [*CATEGORIES, *CATEGORIES]
    known = described({"network": "paths", "hardware": "devices", "moon": "rockets"}, {})
    assert len(texts) >= FEW * 3
    classifier = trainer().fit(LabelledTexts(texts, ENCODER.encode(texts), {"c": labels}, descriptions={"c": known}), seed=0)
    assert classifier.cards["c"].labels == ("hardware", "network")


def test_one_row_a_label_and_no_description_still_ranks_labels() -> None:
    rows = [SUBS.index(label) for label in MEANING]
    classifier = trainer().fit(examples([TEXTS[row] for row in rows], [SUBS[row] for row in rows]), seed=0)
    assert right(classifier) > 0.35
    assert not classifier.held_out


def test_label_of_one_row_does_not_keep_the_others_from_being_held_out() -> None:
    rows = [row for row, label in enumerate(SUBS) if label][::2]
    texts, labels = [TEXTS[row] for row in rows], [SUBS[row] for row in rows]
    held = trainer().fit(examples([*texts, "the moon is full"], [*labels, "moon"]), seed=0).held_out["sub_category"]
    assert len(held.rows) == len(rows)
    assert "moon" not in held.truth


def test_twenty_six_labels_of_one_row_each_are_learnt_without_a_warning() -> None:
    texts = [f"{chr(97 + place)}{chr(97 + place)}x stopped" for place in range(26)]
    classifier = trainer().fit(examples(texts, [text[:3] for text in texts], target="team"), seed=0)
    assert len(classifier.cards["team"].labels) == len(texts)


def test_rows_that_mislead_each_other_do_not_make_all_labels_equal() -> None:
    letters = [f"{chr(97 + place // 26)}{chr(97 + place % 26)}" for place in range(60)]
    texts = [f"{letters[place // 2]}quu {letters[place // 2]}zuu {own}ott" for place, own in enumerate(letters)]
    classifier = trainer().fit(examples(texts, ["left", "right"] * 30, target="side"), seed=0)
    probabilities = classifier.predict_proba(texts, ENCODER.encode(texts))["side"]
    assert (probabilities.argmax(axis=1) == np.arange(60) % 2).mean() > 0.9


def test_a_described_label_without_its_parent_is_refused() -> None:
    below = SklearnTrainer(encoder_id=ENCODER.encoder_id, targets={"sub_category": TargetOptions(parent="category")})
    known = {"category": described({"network": "paths", "hardware": "devices"}, {}), "sub_category": described(parents={})}
    empty = LabelledTexts([], ENCODER.encode([]), {"category": [], "sub_category": []}, descriptions=known)
    with pytest.raises(InvalidInput, match="is described without its category"):
        below.fit(empty, seed=0)


def test_same_rows_and_seed_make_the_same_few_shot_model() -> None:
    few = examples(TEXTS[::9], SUBS[::9], described())
    assert trainer().fit(few, seed=3).to_files() == trainer().fit(few, seed=3).to_files()
