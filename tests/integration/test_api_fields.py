"""Modes and precision of fields: set by an administrator, served at once, kept in the store."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smarttriage.domain.contract import Cut, PrecisionCurve
from smarttriage.services.field_settings import read_field_settings
from smarttriage.services.live import Models
from tests.integration.installation import Installation, installation

REPORT = {"title": "VPN drops", "description": "The whole team cannot work."}
# The classifier of keywords is sure at .9; these cuts put its labels on either side of that.
CUTS = {
    "high": (Cut(0.95, 50, 50, 0.0, 0.97), Cut(0.85, 100, 100, 4.0, 0.91), Cut(0.4, 200, 200, 30.0, 0.8)),
    "medium": (Cut(0.85, 100, 100, 12.0, 0.82),),
    "low": (),
}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as running:
        running.services.live.publish_models(with_curve(running.services.live.state.models))
        yield running


def with_curve(models: Models) -> Models:
    curve = PrecisionCurve(0.9, 400, 2, {"high": 200, "medium": 100, "low": 3}, CUTS)
    cards = dict(models.classifier.cards)
    cards["urgency"] = replace(cards["urgency"], curve=curve, contracts=curve.contracts(0.9))
    return replace(models, classifier=_Classifier(models.classifier, cards))


class _Classifier:
    def __init__(self, inner: Any, cards: Any) -> None:
        self._inner, self.cards = inner, cards

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def urgency(api: Installation) -> Any:
    return api.must("POST", "/v1/suggestions", REPORT)["urgency"]


def test_a_mode_holds_from_the_next_suggestion_on(api: Installation) -> None:
    assert urgency(api)["mode"] == "autofill"
    for mode, value, shown in (("recommend", "high", "recommend"), ("monitor", None, "monitor"), ("off", None, "off")):
        answer = api.must("PUT", "/v1/fields/urgency", {"mode": mode})
        assert (answer["mode"], answer["decided"]["mode"]) == (mode, mode)
        assert (urgency(api)["value"], urgency(api)["mode"]) == (value, shown)
    assert api.must("GET", "/v1/taxonomy")["field_modes"]["urgency"] == "off"
    assert api.must("PUT", "/v1/fields/urgency", {})["mode"] == "autofill"


def test_a_precision_moves_the_thresholds_that_suggestions_use(api: Installation) -> None:
    assert urgency(api)["value"] == "high"
    answer = api.must("PUT", "/v1/fields/urgency", {"target_precision": 0.95})
    assert answer["target_precision"] == 0.95
    assert answer["operating_point"]["thresholds"] == {"high": 0.95, "medium": None, "low": None}
    found = urgency(api)
    assert (found["value"], found["reason"]) == (None, "low_confidence")
    api.must("PUT", "/v1/fields/urgency", {"target_precision": 0.9})
    assert urgency(api)["value"] == "high"


def test_choosing_precision_or_coverage_answers_the_other(api: Installation) -> None:
    by_precision = api.must("GET", "/v1/fields/urgency/operating-point?precision=0.8")
    assert by_precision["coverage"] == pytest.approx(300 / 400)
    assert by_precision["precision"] == pytest.approx(1 - 42 / 300)
    by_coverage = api.must("GET", "/v1/fields/urgency/operating-point?coverage=0.25")
    assert (by_coverage["target_precision"], by_coverage["coverage"]) == (0.91, 0.25)
    assert by_coverage["thresholds"]["high"] == 0.85
    low = next(row for row in by_coverage["labels"] if row["label"] == "low")
    assert (low["met"], low["threshold"], low["n_predicted"]) == (False, None, 3)
    assert low["n_needed"] > 30
    assert api.must("GET", "/v1/fields/urgency")["target_precision"] == 0.9  # asking changes nothing


def test_settings_outlive_the_process_and_a_new_model(tmp_path: Path) -> None:
    with installation(tmp_path) as first:
        first.services.live.publish_models(with_curve(first.services.live.state.models))
        first.must("PUT", "/v1/fields/urgency", {"mode": "recommend", "target_precision": 0.95})
        first.services.live.publish_models(with_curve(replace(first.services.live.state.models, settings={}, moved={})))
        assert first.must("GET", "/v1/fields/urgency")["decided"] == {"mode": "recommend", "target_precision": 0.95}
    with installation(tmp_path) as second:
        models = with_curve(second.services.live.state.models).under(read_field_settings(second.services.store))
        card = models.card("urgency")
        assert models.mode("urgency") == "recommend"
        assert card is not None
        assert card.thresholds == {"high": 0.95, "medium": 1.01, "low": 1.01}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("PUT", "/v1/fields/mood", {"mode": "off"}, 404, "there are kind, category"),
        ("PUT", "/v1/fields/urgency", {"mode": "auto"}, 422, "autofill"),
        ("PUT", "/v1/fields/urgency", {"target_precision": 1.0}, 422, "less than 1"),
        ("PUT", "/v1/fields/urgency", {"precision": 0.9}, 422, "precision"),
        ("PUT", "/v1/fields/category", {"target_precision": 0.9}, 409, "train it again"),
        ("GET", "/v1/fields/category/operating-point", None, 409, "train it again"),
        ("GET", "/v1/fields/urgency/operating-point?coverage=0.9", None, 422, "at most that"),
        ("GET", "/v1/fields/urgency/operating-point?coverage=0.2&precision=0.9", None, 422, "choose one"),
    ],
)
def test_what_cannot_be_set_changes_nothing_and_says_why(
    api: Installation, method: str, path: str, body: Any, status: int, says: str
) -> None:
    response = api.ask(method, path, body)
    assert response.status_code == status, response.text
    assert says in response.text
    assert read_field_settings(api.services.store) == {}


def test_every_field_is_listed(api: Installation) -> None:
    items = {item["target"]: item for item in api.must("GET", "/v1/fields")["items"]}
    assert list(items) == ["kind", "category", "sub_category", "impact", "urgency"]
    assert items["category"]["operating_point"] is None
    assert items["urgency"]["operating_point"]["confidence"] == 0.9
