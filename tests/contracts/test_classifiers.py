"""Every classifier passes the one contract, and what it promises beyond it."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from smarttriage.adapters.classifiers.centroid import CentroidClassifier
from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.features import Altered, Place
from smarttriage.adapters.classifiers.sklearn import SklearnTrainer, TargetOptions
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.domain.errors import BundleError, InvalidInput, NotFound
from smarttriage.ports import Classifier, LabelledTexts, TextSpan, Vectors
from smarttriage.testing.classifier_contract import ClassifierContract
from smarttriage.testing.tickets import interleaved, tickets

ENCODER = HashingEncoder(dim=64)
TEXTS, CATEGORIES, SUBS = tickets()
VECTORS = ENCODER.encode(TEXTS)
SAMPLE = [*interleaved(TEXTS, 6), "Nothing known here at all"]


class Shouting:
    """An extra feature that no word shows, since words are read in lower case: capitals."""

    name = "shouting-v1"
    columns = ("capitals",)

    def values(self, text: str) -> Sequence[float]:
        return [float(any(map(str.isupper, text)))]

    def used(self, target: str) -> Sequence[bool]:
        return [True]

    def places(self, text: str) -> Sequence[Place]:
        loud = [TextSpan(match.start(), match.end(), 0.0, "loud") for match in re.finditer("[A-Z]+", text)]
        return [Place(span, {0: 1.0}, {("tone", "loud")}) for span in loud]

    def alternatives(self, text: str) -> Sequence[Altered]:
        return []


def fitted(trainer: SklearnTrainer, *, seed: int = 0, **labels: Sequence[str | None]) -> SklearnClassifier:
    return trainer.fit(LabelledTexts(TEXTS, VECTORS, labels), seed=seed)


class WithTickets(ClassifierContract):
    @pytest.fixture(scope="class")
    @classmethod
    def texts(cls) -> Sequence[str]:
        return SAMPLE

    @pytest.fixture(scope="class")
    @classmethod
    def vectors(cls) -> Vectors:
        return ENCODER.encode(SAMPLE)


class TestSklearnClassifierOfFewRows(WithTickets):
    @pytest.fixture(scope="class")
    @classmethod
    def classifier(cls, few: SklearnClassifier) -> Classifier:
        return few


class TestSklearnClassifierOfManyRows(WithTickets):
    @pytest.fixture(scope="class")
    @classmethod
    def classifier(cls, many: SklearnClassifier) -> Classifier:
        return many


class TestSklearnClassifierFromABundle(WithTickets):
    @pytest.fixture(scope="class")
    @classmethod
    def classifier(cls, many: SklearnClassifier) -> Classifier:
        return SklearnClassifier.from_files(many.to_files(), version="1")


class TestCentroidClassifier(WithTickets):
    @pytest.fixture(scope="class")
    @classmethod
    def classifier(cls) -> Classifier:
        return centroids()


def centroids() -> CentroidClassifier:
    descriptions = {"category": {"network": "vpn, wifi, network connection", "hardware": "laptop, printer, keyboard, toner"}}
    return CentroidClassifier.from_descriptions(descriptions, encoder=ENCODER)


@pytest.fixture(scope="module")
def trainer() -> SklearnTrainer:
    return SklearnTrainer(encoder_id=ENCODER.encoder_id, targets={"sub_category": TargetOptions(parent="category")})


@pytest.fixture(scope="module")
def few(trainer: SklearnTrainer) -> SklearnClassifier:
    return fitted(trainer, category=CATEGORIES, sub_category=SUBS)


@pytest.fixture(scope="module")
def many() -> SklearnClassifier:
    return fitted(SklearnTrainer(encoder_id=ENCODER.encoder_id, many_rows=50), category=CATEGORIES, sub_category=SUBS)


def test_it_learns_what_the_texts_say(few: SklearnClassifier, many: SklearnClassifier) -> None:
    for model in (few, many):
        for target, truth in (("category", CATEGORIES), ("sub_category", SUBS)):
            probabilities = model.predict_proba(TEXTS, VECTORS)[target]
            winners = [model.cards[target].labels[column] for column in probabilities.argmax(axis=1)]
            right = [winner == label for winner, label in zip(winners, truth, strict=True) if label]
            assert np.mean(right) > 0.95


def test_many_rows_bring_networks_and_few_do_not(few: SklearnClassifier, many: SklearnClassifier) -> None:
    assert "networks" not in few.held_out["category"].recipe
    assert "with 2 networks" in many.held_out["category"].recipe


def test_sub_labels_share_out_the_probability_of_their_parent(few: SklearnClassifier) -> None:
    found = few.predict_proba(SAMPLE, ENCODER.encode(SAMPLE))
    card = few.cards["sub_category"]
    assert card.parents == {"printer": "hardware", "workstation": "hardware", "vpn": "network", "wifi": "network"}
    for column, category in enumerate(few.cards["category"].labels):
        members = [place for place, label in enumerate(card.labels) if card.parents[label] == category]
        np.testing.assert_allclose(found["sub_category"][:, members].sum(axis=1), found["category"][:, column], atol=1e-6)


def test_same_rows_and_seed_give_the_same_files_whatever_the_threads(trainer: SklearnTrainer, few: SklearnClassifier) -> None:
    again = SklearnTrainer(encoder_id=trainer.encoder_id, targets=trainer.targets, n_threads=1)
    assert fitted(again, category=CATEGORIES, sub_category=SUBS).to_files() == few.to_files()


def test_a_recipe_kept_from_an_earlier_fit_gives_the_model_that_choosing_it_gave(
    trainer: SklearnTrainer, few: SklearnClassifier
) -> None:
    chosen = {target: held.recipe for target, held in few.held_out.items()}
    again = fitted(replace(trainer, kept_recipes=chosen), category=CATEGORIES, sub_category=SUBS)
    assert again.to_files() == few.to_files()


def test_networks_are_the_same_for_the_same_seed_and_others_for_another(many: SklearnClassifier) -> None:
    trainer = SklearnTrainer(encoder_id=ENCODER.encoder_id, many_rows=50, n_threads=1)
    assert fitted(trainer, category=CATEGORIES, sub_category=SUBS).to_files() == many.to_files()
    other = fitted(trainer, seed=1, category=CATEGORIES, sub_category=SUBS)
    assert other.to_files() != many.to_files()


def test_held_out_rows_are_labelled_ones_and_each_comes_once(few: SklearnClassifier) -> None:
    held = few.held_out["sub_category"]
    assert sorted(held.rows) == [place for place, label in enumerate(SUBS) if label]
    assert list(held.truth) == [SUBS[row] for row in held.rows]
    np.testing.assert_allclose(held.calibrated.sum(axis=1), 1.0)


def test_near_duplicates_are_never_split(trainer: SklearnTrainer) -> None:
    # Each text three times with another number, labels at random: a model that saw a twin would be right about the others.
    random = np.random.default_rng(0)
    texts = [f"alert {word} {number}" for word in map(str.__mul__, "abcdefghijklmnopqrst", [4] * 20) for number in range(3)]
    labels = [str(label) for label in np.repeat(random.integers(0, 2, 20), 3)]
    model = trainer.fit(LabelledTexts(texts, ENCODER.encode(texts), {"kind": labels}), seed=0)
    held = model.held_out["kind"]
    winners = [model.cards["kind"].labels[column] for column in held.calibrated.argmax(axis=1)]
    assert np.mean([winner == label for winner, label in zip(winners, held.truth, strict=True)]) < 0.8


def test_a_label_of_one_row_is_known_but_never_filled_in(trainer: SklearnTrainer) -> None:
    labels = [*CATEGORIES[:-1], "rarity"]
    card = fitted(trainer, category=labels).cards["category"]
    assert "rarity" in card.labels
    assert card.thresholds["rarity"] > 1
    assert card.thresholds["network"] < 1


def test_a_precision_nobody_reaches_leaves_everything_to_people() -> None:
    strict = SklearnTrainer(encoder_id=None, target_precision=0.999)
    assert all(threshold > 1 for threshold in fitted(strict, category=CATEGORIES).cards["category"].thresholds.values())


def test_ordered_labels_keep_their_order() -> None:
    levels = ["high" if label == "network" else "low" for label in CATEGORIES]
    trainer = SklearnTrainer(encoder_id=None, targets={"impact": TargetOptions(order=("low", "medium", "high"))})
    card = fitted(trainer, impact=levels).cards["impact"]
    assert card.ordered
    assert card.labels == ("low", "high")
    with pytest.raises(InvalidInput, match="huge"):
        fitted(trainer, impact=[*levels[:-1], "huge"])


def test_explanations_name_the_words_that_decide(few: SklearnClassifier) -> None:
    text = "Hello colleagues, the VPN drops since Monday!"
    spans = few.explain(text, "sub_category", "vpn", n=2)
    assert "VPN drops" in text[spans[0].start : spans[0].end]
    with pytest.raises(NotFound, match="teapot"):
        few.explain(text, "sub_category", "teapot")


def test_explained_offsets_survive_letters_that_grow_in_lower_case(few: SklearnClassifier) -> None:
    text = "İİİİ says: vpn drops"
    (span,) = few.explain(text, "sub_category", "vpn", n=1)
    assert text[span.start : span.end] in {"vpn", "drops"}


def test_extra_features_decide_where_the_words_do_not() -> None:
    texts = [(str.upper if place % 2 else str.lower)(text.split()[0]) for place, text in enumerate(TEXTS)]
    labels = ["loud" if text.isupper() else "calm" for text in texts]
    trainer = SklearnTrainer(encoder_id=None, extra=Shouting(), targets={"topic": TargetOptions(extra=False)})
    vectors = np.zeros((len(texts), 8), dtype=np.float32)
    groups = [str(place) for place in range(len(texts))]
    model = trainer.fit(LabelledTexts(texts, vectors, {"tone": labels, "topic": labels}, groups), seed=0)
    loud = model.cards["tone"].labels.index("loud")
    calm_text, loud_text = model.predict_proba(["mouse", "MOUSE"], vectors[:2])["tone"][:, loud]
    assert loud_text > 0.9 > 0.1 > calm_text
    (span,) = model.explain("MOUSE", "tone", "loud")
    assert (span.start, span.end, span.cue) == (0, 5, "loud")
    topic = model.predict_proba(["mouse", "MOUSE"], vectors[:2])["topic"]
    np.testing.assert_array_equal(topic[0], topic[1])


def test_a_bundle_with_extra_features_needs_them_again() -> None:
    trainer = SklearnTrainer(encoder_id=None, extra=Shouting())
    files = fitted(trainer, category=CATEGORIES).to_files()
    with pytest.raises(BundleError, match="shouting-v1"):
        SklearnClassifier.from_files(files, version="1")
    loaded = SklearnClassifier.from_files(files, version="1", extras={"shouting-v1": Shouting()})
    assert loaded.version == "1"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([*CATEGORIES[:9], *[None] * (len(TEXTS) - 9)], "one label only"),
        (["network"] * len(TEXTS), "one label only"),
        (["", None] * (len(TEXTS) // 2) + [None], "0 labelled rows"),
        (CATEGORIES[:5], "5 labels"),
    ],
)
def test_what_cannot_be_learnt_is_said(trainer: SklearnTrainer, labels: Sequence[str | None], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        fitted(trainer, category=labels)


def test_rows_that_are_all_alike_are_refused(trainer: SklearnTrainer) -> None:
    texts = [f"ticket number {place}" for place in range(20)]
    with pytest.raises(InvalidInput, match="too alike"):
        trainer.fit(LabelledTexts(texts, ENCODER.encode(texts), {"kind": ["a", "b"] * 10}), seed=0)


def test_texts_without_words_are_refused(trainer: SklearnTrainer) -> None:
    texts = ["."] * 20
    with pytest.raises(InvalidInput, match="no words"):
        trainer.fit(LabelledTexts(texts, ENCODER.encode(texts), {"kind": ["a", "b"] * 10}), seed=0)


def test_a_sub_label_under_two_parents_is_refused(trainer: SklearnTrainer) -> None:
    with pytest.raises(InvalidInput, match=r"'printer'.*\['hardware', 'network'\]"):
        fitted(trainer, category=["network", *CATEGORIES[1:]], sub_category=SUBS)


def test_a_parent_that_is_not_trained_is_refused(trainer: SklearnTrainer) -> None:
    with pytest.raises(InvalidInput, match="'category', which is not trained"):
        fitted(trainer, sub_category=SUBS)


def test_vectors_of_another_length_are_refused(few: SklearnClassifier) -> None:
    with pytest.raises(InvalidInput, match="shape"):
        few.predict_proba(["vpn"], np.zeros((1, 8), dtype=np.float32))


@pytest.mark.parametrize("name", ["model.json", "arrays.safetensors"])
def test_broken_files_are_a_bundle_error(few: SklearnClassifier, name: str) -> None:
    for content in (b"", b"{}", b"\x80\x04]\x94."):
        with pytest.raises(BundleError, match="do not make a classifier"):
            SklearnClassifier.from_files({**few.to_files(), name: content}, version="1")


def test_zero_shot_prefers_the_nearest_description_and_fills_nothing_in() -> None:
    model = centroids()
    vectors = ENCODER.encode(["the wifi network connection", "printer without toner"])
    winners = model.predict_proba(["", ""], vectors)["category"].argmax(axis=1)
    assert [model.cards["category"].labels[column] for column in winners] == ["network", "hardware"]
    assert all(threshold > 1 for threshold in model.cards["category"].thresholds.values())


def test_zero_shot_comes_back_from_its_files() -> None:
    model = centroids()
    loaded = CentroidClassifier.from_files(model.to_files(), version="7")
    expected = model.predict_proba(TEXTS, VECTORS)["category"]
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS, VECTORS)["category"], expected)
    with pytest.raises(BundleError, match=r"centroid\.json"):
        CentroidClassifier.from_files({}, version="7")


def test_zero_shot_needs_two_descriptions_and_a_temperature() -> None:
    with pytest.raises(InvalidInput, match="1 described"):
        CentroidClassifier.from_descriptions({"category": {"one": "only"}}, encoder=ENCODER)
    with pytest.raises(InvalidInput, match="temperature"):
        CentroidClassifier.from_descriptions({"category": {"a": "b", "c": "d"}}, encoder=ENCODER, temperature=0)
