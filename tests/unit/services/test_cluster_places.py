"""What a CMDB adds to clusters: items named in the text, what they need to run, what runs on them, and what was changed there."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from smarttriage.domain.access import Principal
from smarttriage.domain.cmdb import Graph, Item, ItemChange, ItemKind
from smarttriage.domain.incident import Incident
from smarttriage.domain.stream_rules import Linking, StreamPolicy
from smarttriage.ports import Page
from smarttriage.services.cluster_evidence import evidence_of
from smarttriage.services.stream_detector import StreamDetector
from smarttriage.services.stream_window import Entry, Report, Window
from smarttriage.testing.factories import NOON, a_cluster, a_principal, an_incident

HOUR = timedelta(hours=1)


def item(id_: str, kind: ItemKind, *needs: str, **more: object) -> Item:
    base = Item(id_, "default", kind, id_, NOON, NOON, depends_on=needs)
    return replace(base, **more)  # type: ignore[arg-type]


ITEMS = (
    item("payroll", ItemKind.SERVICE, "appserver-17"),
    item("timesheets", ItemKind.SERVICE, "appserver-18"),
    item("appserver-17", ItemKind.CI, "storage-4"),
    item("appserver-18", ItemKind.CI, "storage-4"),
    item("storage-4", ItemKind.CI),
)
CHANGE = ItemChange("chg-1", "default", "storage-4", NOON - HOUR, "Firmware of storage-4 updated")


class Cmdb:
    """Finds items by their ids as words of the text or as affected services."""

    graph = Graph(ITEMS)

    def items_of(self, incident: Incident, principal: Principal) -> frozenset[str]:
        named = {*incident.text.split(), *incident.affected_services}
        return frozenset(one.id for one in ITEMS if one.id in named and principal.sees(one.tenant, one.audiences))

    def changed(self, item_id: str, *, before: datetime) -> list[ItemChange]:
        return [CHANGE] if item_id == CHANGE.item_id and CHANGE.at <= before else []


CMDB = Cmdb()


def vector(other: int) -> np.ndarray:
    found = np.zeros(8, dtype=np.float32)
    found[0], found[other] = 0.75, np.sqrt(1 - 0.75**2)
    return found


def test_a_report_is_at_the_items_that_its_text_names_and_at_what_they_need() -> None:
    incident = an_incident(title="appserver-17 unreachable", affected_services=("mail",))
    assert Report.of(incident, CMDB).places == {"service mail", "CI appserver-17", "CI storage-4"}
    assert Report.of(incident).places == {"service mail"}


def test_services_on_the_same_storage_are_drawn_together() -> None:
    linking = Linking(0.6, 0.6, 0.0, 0.1, HOUR, HOUR, timedelta(days=28))
    reports = [
        Report.of(an_incident(id=name, title=f"{name} is down", affected_services=(name,)), CMDB)
        for name in ("payroll", "timesheets")
    ]
    for near, together in ((reports, True), ([replace(one, places=frozenset()) for one in reports], False)):
        watch = StreamDetector(policy=StreamPolicy(linking, ()), dim=8)
        watch.arrive(near[0], vector(1))
        joins = watch.arrive(near[1], vector(2))
        assert bool(joins) is together
        assert all("both name CI storage-4" in join.because for join in joins)


def test_what_everybody_names_brings_nobody_together() -> None:
    window = Window(8, 256)
    everywhere = [Report(f"r{n}", "t", frozenset(), NOON, "", places=frozenset({"CI core"})) for n in range(60)]
    assert window.shared(everywhere[0], everywhere[1]) == ["CI core"]
    for one in everywhere:
        window.put(Entry(one), vector(1))
    assert window.shared(everywhere[0], everywhere[1]) == []


def test_evidence_names_changes_of_what_the_reports_need_and_the_services_that_run_on_it() -> None:
    members = [an_incident(id=f"i{n}", title="appserver-17 unreachable", reported_at=NOON + n * HOUR) for n in range(2)]
    found = evidence_of(NoIncidents(), a_principal(), a_cluster(), members, CMDB)  # type: ignore[arg-type]
    assert [(one.kind, one.id, one.shared) for one in found.changed] == [("change", "chg-1", ("CI storage-4",))]
    assert found.carried == ("payroll",)
    assert [(one.name, one.n) for one in found.places] == [("CI appserver-17", 2)]
    stranger = evidence_of(NoIncidents(), a_principal(audiences=frozenset({"hr"})), a_cluster(), members, CMDB)  # type: ignore[arg-type]
    assert (stranger.changed, stranger.carried, stranger.places) == ((), (), ())


class NoIncidents:
    """Records in which nothing was reported before."""

    def incidents(self, *_given: object, **_more: object) -> Page:
        """Return an empty page."""
        return Page([], None)
