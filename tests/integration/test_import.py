"""Bulk import over a real store: repeatable, resumable, honest about the rows it cannot use."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from smarttriage.adapters.articles import read_articles
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.adapters.tabular import read_rows
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.incident import IncidentStatus
from smarttriage.services.import_rows import Row, mapped, parse_map
from smarttriage.services.importing import ImportReport, ImportService, importer
from smarttriage.services.live import Models
from smarttriage.testing.fakes import KeywordClassifier, ManualClock
from tests.integration.installation import _policy, _taxonomy

TICKETS = """number,subject,body,area,prio,fix,opened
T1,VPN,the vpn drops,Network,high,changed the MTU to 1400,2026-03-02T08:00:00+01:00
T2,Printer,paper jam,Facilities,,,
T3,,,network,,,
T4,Mail,no mail,application,,,yesterday
"""
MAP = [
    "source_id=number",
    "title=subject",
    "description=body",
    "category=area",
    "urgency=prio",
    "resolution=fix",
    "reported_at=opened",
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(tmp_path / "store.db", clock=ManualClock())
    yield opened
    opened.close()


def service(store: SqlStore, batch_size: int = 256) -> ImportService:
    encoder = HashingEncoder()
    models = Models(encoder, KeywordClassifier(), _taxonomy(), _policy())
    return ImportService(
        store=store, encoder=encoder, models=models, clock=ManualClock(), principal=importer("import"), batch_size=batch_size
    )


def tickets(path: Path, columns: list[str] = MAP) -> Iterator[Row]:
    return mapped((Row(f"{path.name}:{row.line}", row.values, row.problem) for row in read_rows(path)), parse_map(columns))


def quiet(_: ImportReport) -> None:
    pass


def import_tickets(store: SqlStore, tmp_path: Path, text: str = TICKETS) -> ImportReport:
    path = tmp_path / "tickets.csv"
    path.write_text(text, encoding="utf-8")
    return service(store).incidents(tickets(path), source="desk", progress=quiet)


def test_rows_become_incidents_with_what_the_columns_say(store: SqlStore, tmp_path: Path) -> None:
    import_tickets(store, tmp_path)
    with store.begin() as records:
        vpn = records.incident_by_source("default", "desk", "T1")
    assert vpn is not None
    assert (vpn.title, vpn.description, vpn.labels.category, vpn.labels.urgency) == ("VPN", "the vpn drops", "network", "high")
    assert vpn.reviewed == {"category", "urgency"}
    assert vpn.status is IncidentStatus.RESOLVED
    assert vpn.resolution is not None
    assert vpn.resolution.text == "changed the MTU to 1400"
    assert vpn.reported_at.isoformat() == "2026-03-02T07:00:00+00:00"
    assert vpn.support_group == "Network Operations"


def test_bad_rows_are_skipped_and_reported_by_line(store: SqlStore, tmp_path: Path) -> None:
    report = import_tickets(store, tmp_path)
    assert report.added == 2
    assert [place for place, _ in report.skipped] == ["tickets.csv:4", "tickets.csv:5"]
    assert "no text" in report.skipped[0][1]
    assert 'reported_at is "yesterday"' in report.skipped[1][1]


def test_a_label_outside_the_taxonomy_is_kept_apart_and_counted(store: SqlStore, tmp_path: Path) -> None:
    report = import_tickets(store, tmp_path)
    with store.begin() as records:
        printer = records.incident_by_source("default", "desk", "T2")
    assert printer is not None
    assert printer.labels.category is None
    assert printer.labels.custom == {"source_category": "Facilities"}
    assert report.unknown_labels == {"category=Facilities": 1}


def test_importing_again_adds_only_what_is_new(store: SqlStore, tmp_path: Path) -> None:
    import_tickets(store, tmp_path)
    again = import_tickets(store, tmp_path, TICKETS + "T5,Screen,screen is black,hardware,,,\n")
    assert (again.added, again.present) == (1, 2)


def test_an_import_that_broke_off_goes_on_where_it_was(store: SqlStore, tmp_path: Path) -> None:
    rows = [Row(f"line {n}", {"source_id": str(n), "title": f"ticket number {n}"}) for n in range(35)]

    def cut_off() -> Iterator[Row]:
        yield from rows[:25]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service(store, 10).incidents(cut_off(), source="desk", progress=quiet)
    report = service(store, 10).incidents(rows, source="desk", progress=quiet)
    assert (report.added, report.present) == (15, 20)


def test_rows_without_an_id_are_known_by_their_content(store: SqlStore) -> None:
    rows = [Row("line 1", {"title": "same"}), Row("line 2", {"title": "same"}), Row("line 3", {"title": "other"})]
    report = service(store).incidents(rows, source="desk", progress=quiet)
    assert (report.added, report.present) == (2, 1)


def test_a_map_that_names_no_field_of_ours_is_refused_with_the_fields(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r'--map "subject=title".*our fields are title, description'):
        parse_map(["subject=title"])


def test_a_column_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text(TICKETS, encoding="utf-8")
    with pytest.raises(InvalidInput, match=r'no column "text"; the file has number, subject'):
        list(tickets(path, ["description=text"]))


def test_articles_come_from_markdown_and_json_lines_and_a_change_is_a_revision(store: SqlStore, tmp_path: Path) -> None:
    lines = [{"_id": "A1", "title": "Jam", "symptoms": "paper stuck", "body": "Open tray 2."}, {"_id": "A2", "title": ""}]
    path = tmp_path / "kb.jsonl.gz"

    def write() -> None:
        path.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))

    def load() -> ImportReport:
        rows = (Row(row.place, row.values, row.problem) for row in read_articles(path))
        return service(store).articles(rows, progress=quiet)

    write()
    first = load()
    assert (first.added, len(first.skipped)) == (1, 1)
    assert first.skipped[0][0].endswith(":2")
    assert load().present == 1
    lines[0]["body"] = "Open tray 3."
    write()
    assert load().updated == 1
    with store.begin() as records:
        article = records.article("A1", importer("import"))
    assert article is not None
    assert article.revision == 2
    assert "Open tray 3." in article.body
    assert article.body.startswith("## Symptoms\npaper stuck")


def test_an_article_that_looks_stuffed_waits_for_a_reviewer_unless_that_is_accepted(store: SqlStore) -> None:
    honest = {"id": "A1", "title": "Jam", "body": "Open tray 2 and take the paper out."}
    stuffed = {"id": "A2", "title": "Jam", "body": "printer, " * 60}

    def load(*articles: dict[str, str], **options: bool) -> ImportReport:
        return service(store).articles([Row(each["id"], each) for each in articles], progress=quiet, **options)

    def published() -> dict[str, str]:
        with store.begin() as records:
            return {article.id: article.body for article in records.indexable_articles()}

    first = load(honest, stuffed)
    assert (first.added, [id_ for id_, _ in first.held]) == (2, ["A2"])
    assert 'the word "printer"' in first.held[0][1]
    assert published() == {"A1": honest["body"]}
    again = load(honest, stuffed)
    assert (again.present, again.held) == (2, [])
    assert [id_ for id_, _ in load({**stuffed, "id": "A1"}).held] == ["A1"]
    assert published() == {"A1": honest["body"]}
    assert load({**stuffed, "id": "A3"}, accept_warnings=True).held == []
    assert list(published()) == ["A1", "A3"]
