"""Model versions over the API: a challenger listens unseen, people's judgements compare both, one call goes back."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from smarttriage.adapters.bundles import write_bundle
from smarttriage.domain.suggestion import Suggestion
from smarttriage.ports import HeldOut, Probabilities, PromotionAction, PromotionEntry, Vectors
from smarttriage.services.drift import Reference
from smarttriage.services.watching import QUEUE, WINDOW, DriftMonitor, Watcher
from smarttriage.testing.factories import NOON, a_suggestion
from tests.integration.installation import A_TRAINING, OTHER_ADMIN, Installation, two_categories

VPN = {"title": "vpn printer down", "description": "cannot work"}


@pytest.fixture
def versions(api: Installation, tmp_path: Path) -> Installation:
    """An installation that promoted v1 and then v2."""
    encoder = api.services.live.state.models.encoder
    previous = None
    for name in ("v1", "v2"):
        write_bundle(tmp_path / name, two_categories(encoder), A_TRAINING, version=name)  # type: ignore[arg-type]
        api.versions.install(tmp_path / name)
        api.versions.serve(PromotionEntry(NOON, "test", PromotionAction.PROMOTED, name, previous))
        previous = name
    return api


def test_versions_are_listed_with_their_lineage_and_history(versions: Installation) -> None:
    found = versions.must("GET", "/v1/models")
    assert [row["version"] for row in found["versions"]] == ["starter", "v1", "v2"]
    assert found["versions"][1]["data_sha256"] == "ab" * 32
    assert (found["champion"], found["challenger"], found["promoted"]) == ("keywords-1", None, "v2")
    assert [entry["version"] for entry in found["history"]] == ["v1", "v2"]


def test_a_challenger_answers_unseen_and_judgements_compare_both(versions: Installation) -> None:
    before = versions.must("POST", "/v1/suggestions", VPN)
    assert versions.must("POST", "/v1/models/shadow", {"version": "v1"}) == {"champion": "keywords-1", "challenger": "v1"}
    shown = versions.must("POST", "/v1/suggestions", VPN)
    assert shown["category"] == before["category"]
    assert shown["provenance"]["model_version"] == "keywords-1"
    judged = {"suggestion_id": shown["id"], "action": "replaced", "field": "category", "value": "hardware"}
    versions.must("POST", "/v1/feedback", judged)
    found = versions.must("GET", "/v1/models")
    assert found["challenger"] == "v1"
    assert [row["target"] for row in found["comparison"]] == ["category"]
    row = found["comparison"][0]
    assert (row["n"], row["n_judged"]) == (1, 1)
    assert row["agreement"] == float(row["champion_accuracy"] == row["challenger_accuracy"])
    assert versions.must("GET", "/v1/models", key=OTHER_ADMIN)["comparison"] == []
    versions.must("POST", "/v1/models/shadow", {"version": None})
    versions.must("POST", "/v1/suggestions", VPN)
    versions.must("POST", "/v1/models/shadow", {"version": "v1"})
    assert versions.must("GET", "/v1/models")["comparison"][0]["n"] == 1


def test_a_challenger_is_remembered_by_the_store(versions: Installation) -> None:
    versions.must("POST", "/v1/models/shadow", {"version": "v1"})
    with versions.services.store.begin() as records:
        assert records.fact("challenger") == "v1"
    versions.services.lifecycle.resume()
    assert versions.must("GET", "/v1/models")["challenger"] == "v1"


def test_a_challenger_that_serves_by_now_stops_listening(versions: Installation) -> None:
    versions.must("POST", "/v1/models/shadow", {"version": "v1"})
    versions.services.live.update_models(lambda models: replace(models, classifier=versions.versions.load("v1")))
    versions.services.lifecycle.resume()
    assert versions.must("GET", "/v1/models")["challenger"] is None


@pytest.mark.parametrize(("version", "message"), [("v9", "v9 cannot listen"), ("keywords-1", "is the champion already")])
def test_what_cannot_listen_is_refused_by_name(versions: Installation, version: str, message: str) -> None:
    response = versions.ask("POST", "/v1/models/shadow", {"version": version})
    assert response.status_code == 422
    assert message in response.json()["detail"]
    assert response.json()["field"] == "version"


def test_rollback_goes_back_at_once_and_says_who_asked(versions: Installation) -> None:
    made = versions.must("POST", "/v1/models/rollback", {"reason": "wrong teams"})
    assert (made["version"], made["previous"], made["action"], made["reason"]) == ("v1", "v2", "rolled_back", "wrong teams")
    assert made["by"]
    assert versions.reloaded == [1]
    assert versions.must("POST", "/v1/models/rollback", {})["version"] is None
    refused = versions.ask("POST", "/v1/models/rollback", {})
    assert refused.status_code == 409
    assert "nothing was promoted before the shipped starter" in refused.json()["detail"]


def test_only_administrators_see_and_change_models(versions: Installation) -> None:
    key = versions.key("write", "suggest", "review")
    calls = [("GET", "/v1/models", None), ("GET", "/v1/models/drift", None), ("POST", "/v1/models/rollback", {})]
    for method, path, body in [*calls, ("POST", "/v1/models/shadow", {"version": "v1"})]:
        assert versions.ask(method, path, body, key=key).status_code == 403


def test_labels_that_people_replace_again_and_again_raise_the_outcome_alarm(api: Installation) -> None:
    for place in range(25):  # unlike each other, so that one correction does not vote for the next
        text = " ".join(f"{word}{place}" for word in ("qua", "zu", "ki", "mo"))
        made = api.must("POST", "/v1/suggestions", {"title": text, "description": ""})
        said = {"suggestion_id": made["id"], "action": "replaced", "field": "kind", "value": "request"}
        api.must("POST", "/v1/feedback", said)
    found = api.must("GET", "/v1/models/drift")
    assert found["alarm"] is True
    assert [(row["name"], row["target"], row["n"]) for row in found["signals"] if row["alarm"]] == [("outcome", "kind", 25)]
    metrics = api.ask("GET", "/metrics").text
    assert 'smarttriage_drift_alarm{signal="outcome",target="kind"} 1.0' in metrics


def watcher(api: Installation, alarms: list[object], reference: Reference | None = None) -> Watcher:
    live, store = api.services.live, api.services.store
    drift = DriftMonitor(live=live, store=store, reference=lambda: reference)
    return Watcher(live=live, store=store, clock=api.clock, drift=drift, on_error=alarms.append, on_alarm=alarms.append)


def seen(api: Installation, text: str) -> tuple[Suggestion, Vectors, Mapping[str, Probabilities]]:
    models = api.services.live.state.models
    vector = models.encoder.encode([text])
    return a_suggestion(title="", description=text), vector, models.classifier.predict_proba([text], vector)


def test_a_full_queue_leaves_suggestions_out_instead_of_waiting(api: Installation) -> None:
    idle = watcher(api, [])
    for _ in range(QUEUE + 3):
        idle.observe(*seen(api, "vpn"))
    assert idle.n_left_out == 3


def test_texts_unlike_the_trainings_are_reported_once_by_the_running_thread(api: Installation) -> None:
    models = api.services.live.state.models
    words = [f"the printer on floor {place} is out of toner again" for place in range(400)]
    vectors = models.encoder.encode(words)
    found = models.classifier.predict_proba(words, vectors)["category"]
    held = HeldOut(range(400), ["hardware"] * 400, found, found, "recipe")
    known = Reference.of({"category": held}, models.classifier.cards, vectors, seed=0)
    alarms: list[object] = []
    running = watcher(api, alarms, known)
    running.start()
    for place in range(200):
        running.observe(*seen(api, f"vpn tunnel {place} closes while reading mail from home"))
    running.stop()
    names = {(alarm.name, alarm.target) for alarm in alarms}  # type: ignore[attr-defined]
    assert ("texts", None) in names
    assert ("labels", "category") in names
    assert len(names) == len(alarms)
    assert WINDOW > 200
