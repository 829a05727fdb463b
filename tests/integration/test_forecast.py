"""A forecast is trained from the store on the command line and served beside the escalation steps."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smarttriage.bootstrap import parts
from smarttriage.bootstrap.forecasting import FORECASTS_FOLDER, forecasts
from smarttriage.cli import app
from smarttriage.config import Settings
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.incident import Incident, IncidentStatus, Resolution
from smarttriage.services.breach import BreachModel, Method
from smarttriage.services.forecasting import learn
from smarttriage.testing.factories import NOON, an_incident
from tests.integration.installation import OTHER_ADMIN, Installation, installation

REPORTED = {"title": "vpn down", "description": "no connection", "category": "network", "impact": "high", "urgency": "high"}


def past(n: int) -> list[Incident]:
    """Return resolved P1 incidents: a third takes ten hours, the others two."""
    made, chance = [], random.Random(5)
    for number in range(n):
        at = NOON - timedelta(hours=20 * (n - number))
        done = Resolution("Mended.", at + timedelta(hours=10 if chance.random() < 1 / 3 else 2, minutes=number % 7))
        one = an_incident(id=f"past_{number:04}", reported_at=at, priority="P1", support_group="desk", title=f"Printer {number}")
        made.append(replace(one, status=IncidentStatus.RESOLVED, resolution=done))
    return made


def test_nothing_is_forecast_before_one_was_trained_or_after_the_resolution(api: Installation) -> None:
    incident = api.must("POST", "/v1/incidents", REPORTED)["id"]
    forecast = api.must("GET", f"/v1/incidents/{incident}/escalation")["forecast"]
    assert (forecast["method"], forecast["risk"], forecast["hours"]) == (None, None, None)
    assert "no forecast was trained" in forecast["because"]
    api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": "Renewed the certificate."})
    assert api.must("GET", f"/v1/incidents/{incident}/escalation")["forecast"]["because"] == "it is resolved"


def test_risk_is_served_to_those_who_may_see_the_incident_and_grows_with_the_clock(tmp_path: Path) -> None:
    model: list[BreachModel] = []
    with installation(tmp_path, forecast=lambda tenant: model[0] if tenant == "default" else None) as api:
        with api.services.store.begin(write=True) as records:
            records.add_incidents(past(400), key_id=None)
        model.append(learn(api.services.store, api.services.live.state.models.policy, tenant="default"))
        body = {**REPORTED, "reported_at": api.clock().isoformat()}
        incident = api.must("POST", "/v1/incidents", body)["id"]
        first = api.must("GET", f"/v1/incidents/{incident}/escalation")["forecast"]
        assert first["method"] == model[0].method
        assert model[0].method in Method
        assert first["risk"] == pytest.approx(1 / 3, abs=0.07)
        assert (round(first["hours"]), round(first["low"]), round(first["high"])) == (2, 2, 10)
        api.clock.forward(timedelta(hours=3))
        assert api.must("GET", f"/v1/incidents/{incident}/escalation")["forecast"]["risk"] == 1.0
        other = api.must("POST", "/v1/incidents", body, key=OTHER_ADMIN)["id"]
        assert api.must("GET", f"/v1/incidents/{other}/escalation", key=OTHER_ADMIN)["forecast"]["method"] is None
        assert api.ask("GET", f"/v1/incidents/{incident}/escalation", key=OTHER_ADMIN).status_code == 404


def test_command_line_trains_it_and_a_running_service_takes_it_up(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    of = forecasts(settings)
    store = parts.store(settings)
    with store.begin(write=True) as records:
        records.add_incidents(past(100), key_id=None)
    assert of("default") is None
    short = CliRunner().invoke(app, ["forecast", "--data-dir", str(tmp_path)])
    assert isinstance(short.exception, InvalidInput)
    assert of("default") is None
    with store.begin(write=True) as records:
        records.add_incidents([replace(one, id=f"more_{one.id}") for one in past(300)], key_id=None)
    store.close()
    done = CliRunner().invoke(app, ["forecast", "--data-dir", str(tmp_path)])
    assert "400 resolved incidents; served is" in done.stdout
    found = of("default")
    assert found is not None
    assert found.n_rows == 400
    assert of("default") is found
    assert of("other") is None
    assert not [one for one in (tmp_path / FORECASTS_FOLDER).rglob("*") if one.suffix in (".pkl", ".joblib")]
