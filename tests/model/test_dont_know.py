"""The shipped starter behind the gate: it refuses what it cannot know and never a real incident."""

import json
from pathlib import Path

import pytest

from smarttriage.bootstrap import parts
from smarttriage.bootstrap.models import open_models
from smarttriage.config import Settings
from smarttriage.domain.suggestion import Reason
from smarttriage.domain.text import model_text
from smarttriage.services.live import Models
from smarttriage.services.matching import IncidentText
from smarttriage.services.predicting import judged, means_work

OWN = Path(__file__).resolve().parents[2] / "benchmarks" / "data" / "dont_know.jsonl"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    opened = open_models(Settings(data_dir=tmp_path_factory.mktemp("data")), parts.encoder())
    assert opened.gate.novelty is not None
    return opened


def refused(models: Models, title: str, description: str) -> Reason | None:
    if (reason := models.gate.refusal(title, description)) is not None:
        return reason
    text = model_text(title, description)
    vector = models.encoder.encode([text])
    fields, reason = judged(
        models, IncidentText(title, description), vector[0], models.classifier.predict_proba([text], vector), {}
    )
    if reason is not None:
        assert all(field.value is None for field in fields.values())
    return reason or (None if means_work(models.taxonomy, fields["kind"].value) else Reason.NO_WORK_ITEM)


def test_no_hard_ticket_is_refused(models: Models) -> None:
    rows = [json.loads(line) for line in OWN.read_text("utf-8").splitlines()]
    tickets = [(row["title"], row["description"]) for row in rows if row["case"] == "in_scope" and row["half"] == "dev"]
    assert [ticket for ticket in tickets if refused(models, *ticket) is not None] == []


@pytest.mark.parametrize(
    "report", ["vpn down", "printer 3rd floor jam", "sap frozen", "screen black", "toner leer", "wifi kaputt"]
)
def test_a_terse_report_is_work(models: Models, report: str) -> None:
    assert refused(models, "", report) is None
    assert refused(models, report, report) is None


@pytest.mark.parametrize(
    "text",
    [
        "Whisk the egg whites, fold in the sugar and bake the meringue at a low heat for two hours.",
        "The striker scored twice in the second half and the visitors won the cup final.",
        "O moon above the silent lake, you silver every wave that sleeps.",
    ],
)
def test_what_is_not_about_it_is_refused(models: Models, text: str) -> None:
    assert refused(models, "", text) in (Reason.OFF_TOPIC, Reason.UNKNOWN_TOPIC, Reason.NO_WORK_ITEM)


def test_thanks_are_no_work(models: Models) -> None:
    assert refused(models, "Re: printer", "Thank you very much, it works again!") is Reason.NO_WORK_ITEM
