"""What a store promises of incidents."""

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from smarttriage.domain.access import Principal
from smarttriage.domain.errors import Conflict, InvalidInput, NotFound, VersionMismatch
from smarttriage.domain.incident import Counted, Incident, IncidentStatus, LabelOrigin, Labels, Resolution, Teaching
from smarttriage.ports import IncidentFilter, Store
from smarttriage.testing.factories import NOON, a_principal, an_incident

FULL: dict[str, Any] = {
    "id": "incident-full",
    "title": "Drucker im 3. Stock: «kaputt» 🔥",
    "description": "Zeile 1\n行 2\tпринтер",
    "created_at": NOON + timedelta(microseconds=1),
    "updated_at": NOON + timedelta(days=1, microseconds=999_999),
    "reported_at": NOON - timedelta(hours=1),
    "status": IncidentStatus.RESOLVED,
    "audiences": frozenset({"everyone", "Büro", 'a"b,c'}),
    "labels": Labels("incident", "hardware", "printer", "medium", "low", {"product": "OÜ-7", "team": ""}),
    "reviewed": frozenset({"category", "impact"}),
    "label_origins": {"category": LabelOrigin.CONFIRMED, "urgency": LabelOrigin.LEFT_STANDING},
    "priority": "P3",
    "support_group": "Workplace",
    "detected_at": NOON - timedelta(hours=2, microseconds=7),
    "reporter": "Zoë",
    "affected_users": ("b", "a", ""),
    "affected_services": ("print",),
    "configuration_items": ("PRN-3", "PRN-4"),
    "symptoms": ("offline", "gelbe LED ü"),
    "initial_impact": "the whole floor",
    "source_system": "servicenow",
    "source_id": "INC0001",
    "logged_by": "mail gateway",
    "language": "de",
    "version": 1,
    "resolution": Resolution("Spooler neu gestartet", NOON + timedelta(hours=3), "Ann", "article-1", "article-2"),
    "counted": Counted(
        Teaching(
            "Drucker",
            "",
            Labels("incident", None, None, None, "low", {"team": "ü"}),
            frozenset({"kind"}),
            Resolution("Toner", NOON),
        ),
        "key-7",
        taken_back=True,
    ),
}
EVERYTHING = IncidentFilter()
OUTSIDERS = (
    a_principal(tenant="other"),
    a_principal(audiences=frozenset({"hr"})),
    a_principal(audiences=frozenset()),
)


def add(store: Store, *incidents: Incident) -> None:
    """Store the incidents in one transaction."""
    with store.begin(write=True) as records:
        records.add_incidents(incidents, key_id="key-1")


def listed(store: Store, where: IncidentFilter = EVERYTHING, principal: Principal | None = None) -> list[str]:
    """Return the ids of the first page."""
    with store.begin() as records:
        return [each.id for each in records.incidents(principal or a_principal(), where, limit=50, cursor=None).items]


class IncidentsContract:
    """Round trips, visibility, pages and versions of incidents."""

    def test_every_field_of_an_incident_comes_back(self, store: Store) -> None:
        """Full and bare, non-ASCII and empty alike, on every path that reads."""
        full, bare = an_incident(**FULL), an_incident(id="bare", title="", resolution=None)
        blank = an_incident(id="blank", resolution=Resolution("", NOON))
        add(store, full, bare, blank)
        with store.begin() as records:
            for expected in (full, bare, blank):
                assert records.incident(expected.id, a_principal()) == expected
            assert records.incident_by_source("default", "servicenow", "INC0001") == full
            assert {each.id: each for each in records.indexable_incidents()} == {each.id: each for each in (full, bare, blank)}

    def test_no_field_of_the_full_incident_is_at_its_default(self) -> None:
        """The round trip above would otherwise miss a field that nobody stores."""
        full, bare = an_incident(**FULL), an_incident()
        same = {name for name in Incident.__slots__ if getattr(full, name) == getattr(bare, name)}
        assert same == {"tenant", "version"}

    def test_instants_come_back_in_utc_whatever_zone_they_were_given_in(self, store: Store) -> None:
        """The instant is kept to the microsecond, the offset is zero."""
        local = (NOON + timedelta(microseconds=123_456)).astimezone(timezone(timedelta(hours=5, minutes=45)))
        add(store, an_incident(reported_at=local))
        with store.begin() as records:
            found = records.incident("incident-1", a_principal())
        assert found is not None
        assert found.reported_at == local
        assert found.reported_at.utcoffset() == timedelta(0)

    def test_an_instant_without_offset_is_refused(self, store: Store) -> None:
        """Nobody may guess a zone."""
        with pytest.raises(InvalidInput, match="no UTC offset"):
            add(store, an_incident(reported_at=NOON.replace(tzinfo=None)))

    @pytest.mark.parametrize(("text", "said"), [("a\x00b", "NUL"), ("a\ud800b", "surrogate")])
    def test_text_that_no_database_holds_is_refused_by_field(self, store: Store, text: str, said: str) -> None:
        """NUL and lone surrogates get an error that names the field, in writes and in reads."""
        with pytest.raises(InvalidInput, match=said) as caught:
            add(store, an_incident(title=text))
        assert caught.value.field == "title"
        with store.begin() as records, pytest.raises(InvalidInput, match=said):
            records.incident(text, a_principal())

    @pytest.mark.parametrize("outsider", OUTSIDERS, ids=["other tenant", "other audience", "no audience"])
    def test_an_outsider_sees_no_incident_on_any_read(self, store: Store, outsider: Principal) -> None:
        """Neither by id nor in a list."""
        add(store, an_incident())
        with store.begin() as records:
            assert records.incident("incident-1", outsider) is None
            assert records.incidents_by_id(["incident-1"], outsider) == {}
        assert listed(store, principal=outsider) == []
        assert listed(store) == ["incident-1"]

    def test_an_incident_without_audience_is_seen_by_nobody(self, store: Store) -> None:
        """Deny is the default."""
        add(store, an_incident(audiences=frozenset()))
        assert listed(store) == []

    def test_a_changed_audience_counts_at_once(self, store: Store) -> None:
        """Who is taken off the record no longer sees it."""
        add(store, an_incident())
        with store.begin(write=True) as records:
            records.update_incident(an_incident(version=2, audiences=frozenset({"hr"})), key_id=None)
        assert listed(store) == []
        assert listed(store, principal=a_principal(audiences=frozenset({"hr", "it"}))) == ["incident-1"]

    def test_a_source_is_looked_up_inside_its_tenant_only(self, store: Store) -> None:
        """The same source id may exist once in every tenant."""
        add(store, an_incident(**FULL), an_incident(**FULL | {"id": "theirs", "tenant": "other"}))
        with store.begin() as records:
            found = records.incident_by_source("other", "servicenow", "INC0001")
            assert records.incident_by_source("third", "servicenow", "INC0001") is None
        assert found is not None
        assert found.id == "theirs"

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            (IncidentFilter(status=IncidentStatus.RESOLVED), ["incident-full"]),
            (IncidentFilter(category="hardware"), ["incident-full"]),
            (IncidentFilter(priority="P3"), ["incident-full"]),
            (IncidentFilter(support_group="Workplace"), ["incident-full"]),
            (IncidentFilter(source_system="servicenow", source_id="INC0001"), ["incident-full"]),
            (IncidentFilter(source_id="INC0002"), []),
            (IncidentFilter(reported_from=NOON), ["incident-1"]),
            (IncidentFilter(reported_before=NOON), ["incident-full"]),
            (EVERYTHING, ["incident-1", "incident-full"]),
        ],
    )
    def test_a_list_is_narrowed_by_each_filter(self, store: Store, where: IncidentFilter, expected: list[str]) -> None:
        """Newest first; `reported_from` is included, `reported_before` is not."""
        add(store, an_incident(**FULL), an_incident())
        assert listed(store, where) == expected

    def test_pages_neither_skip_nor_repeat_while_incidents_arrive(self, store: Store) -> None:
        """Ties go by id; what is older than the cursor comes exactly once, whatever was added in front of it."""
        before = [an_incident(id=f"i{n}", reported_at=NOON - timedelta(minutes=n // 3)) for n in range(8)]
        add(store, *before[::-1])
        found: list[str] = []
        cursor: str | None = None
        for arriving in range(10):
            with store.begin() as records:
                page = records.incidents(a_principal(), EVERYTHING, limit=3, cursor=cursor)
            found += [each.id for each in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
            add(store, an_incident(id=f"later{arriving}", reported_at=NOON + timedelta(hours=1)))
        assert found == [each.id for each in before]

    def test_a_full_last_page_has_no_cursor(self, store: Store) -> None:
        """A cursor is only given where something follows."""
        add(store, an_incident(id="a"), an_incident(id="b"))
        with store.begin() as records:
            assert records.incidents(a_principal(), EVERYTHING, limit=2, cursor=None).next_cursor is None

    @pytest.mark.parametrize("cursor", ["", "?", "é", "W10=", "W1siYSJdXQ==", "WyJhIiwiYiJd", "W" * 4_001, "WyJcdWQ4MDAiXQ=="])
    def test_a_word_that_is_no_cursor_is_refused_by_field(self, store: Store, cursor: str) -> None:
        """It is the caller's mistake and never an internal error."""
        with store.begin() as records:
            with pytest.raises(InvalidInput, match="next_cursor") as caught:
                records.incidents(a_principal(), EVERYTHING, limit=3, cursor=cursor)
            assert caught.value.field == "cursor"

    def test_more_ids_than_a_statement_takes_are_found(self, store: Store) -> None:
        """A collection of any length is fine, unknown ids are left out."""
        add(store, *(an_incident(id=f"i{n}") for n in range(2_500)))
        asked = [f"i{n}" for n in range(2_500)] + ["unknown"]
        with store.begin() as records:
            assert len(records.incidents_by_id(asked, a_principal())) == 2_500
            assert sum(1 for _ in records.indexable_incidents(asked)) == 2_500

    def test_the_index_sees_every_tenant_and_audience(self, store: Store) -> None:
        """It filters later, by the labels of the record."""
        add(store, an_incident(id="a", tenant="t"), an_incident(id="b", audiences=frozenset()))
        with store.begin() as records:
            assert [each.id for each in records.indexable_incidents()] == ["a", "b"]

    @pytest.mark.parametrize("again", [{"id": "incident-full"}, {"source_id": "INC0001", "source_system": "servicenow"}])
    def test_a_second_incident_of_the_same_id_or_source_is_a_conflict(self, store: Store, again: dict[str, str]) -> None:
        """The error names it, and nothing of the call is stored even if the caller goes on."""
        add(store, an_incident(**FULL))
        with store.begin(write=True) as records:
            with pytest.raises(Conflict, match=r"incident-full|INC0001"):
                records.add_incidents([an_incident(id="fine"), an_incident(**({"id": "second"} | again))], key_id=None)
            assert records.last_seq() == 1
        assert listed(store) == ["incident-full"]

    def test_two_of_the_same_id_in_one_call_are_a_conflict(self, store: Store) -> None:
        """The call is checked against itself too."""
        with pytest.raises(Conflict, match="twin"):
            add(store, an_incident(id="twin"), an_incident(id="twin"))

    def test_incidents_without_source_id_never_collide(self, store: Store) -> None:
        """Unknown is not equal to unknown."""
        add(store, an_incident(id="a", source_system="mail"), an_incident(id="b", source_system="mail"))
        assert listed(store) == ["a", "b"]

    def test_an_update_replaces_every_field(self, store: Store) -> None:
        """From bare to full and back."""
        add(store, an_incident(id="incident-full"))
        full = an_incident(**FULL | {"version": 2})
        back = an_incident(id="incident-full", version=3)
        for step in (full, back):
            with store.begin(write=True) as records:
                records.update_incident(step, key_id="key-2")
                assert records.incident("incident-full", a_principal()) == step

    @pytest.mark.parametrize("version", [1, 3])
    def test_an_update_on_another_version_is_refused(self, store: Store, version: int) -> None:
        """Only the next version is stored."""
        add(store, an_incident())
        with store.begin(write=True) as records, pytest.raises(VersionMismatch, match="is at version 1"):
            records.update_incident(an_incident(version=version, title="lost"), key_id=None)
        with store.begin() as records:
            assert records.incident("incident-1", a_principal()) == an_incident()
            assert records.last_seq() == 1

    def test_an_update_cannot_move_an_incident_to_another_tenant(self, store: Store) -> None:
        """There it does not exist."""
        add(store, an_incident())
        with store.begin(write=True) as records, pytest.raises(NotFound, match="incident-1"):
            records.update_incident(an_incident(version=2, tenant="other"), key_id=None)

    def test_an_update_onto_a_taken_source_is_a_conflict(self, store: Store) -> None:
        """One source, one incident."""
        add(store, an_incident(**FULL), an_incident())
        stolen = replace(an_incident(version=2), source_system="servicenow", source_id="INC0001")
        with store.begin(write=True) as records, pytest.raises(Conflict, match="INC0001"):
            records.update_incident(stolen, key_id=None)
