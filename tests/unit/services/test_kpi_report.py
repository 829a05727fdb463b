"""What the report of the key figures says, as table, CSV and page, and which days it finds unusual."""

import csv
import io
from datetime import UTC, datetime, timedelta

from smarttriage.domain.kpi import IncidentFacts
from smarttriage.domain.kpi_targets import Standing
from smarttriage.domain.kpi_trends import category_mix, saved_by_articles, unusual_days
from smarttriage.services.kpi_page import page
from smarttriage.services.kpi_report import as_csv, as_table, kpi_report, plain

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def facts(number: int, **values: object) -> IncidentFacts:
    return IncidentFacts(**{"id": f"INC{number}", "opened_at": NOW - timedelta(days=1), **values})  # type: ignore[arg-type]


def solved(number: int, *, hours: float, article: bool) -> IncidentFacts:
    opened = NOW - timedelta(days=10, hours=-number)
    return facts(number, opened_at=opened, resolved_at=opened + timedelta(hours=hours), used_article=article, category="vpn")


def test_targets_stand_beside_the_figures_and_what_is_unknown_is_neither_met_nor_missed() -> None:
    quick = [facts(n, priority="1 - Critical", resolved_at=NOW - timedelta(hours=22), met_sla=False) for n in range(3)]
    found = {one.name: one.standing for one in kpi_report(quick, source="desk", now=NOW).goals}
    assert found["MTTR P1"] is Standing.MET
    assert found["SLA compliance"] is Standing.MISSED
    assert found["first-contact resolution"] is Standing.UNKNOWN


def test_csv_holds_no_cell_that_a_spreadsheet_computes() -> None:
    evil = [facts(n, category="=HYPERLINK(1)", group=" @cmd", priority="+1", id="-2+3", met_sla=False) for n in range(2)]
    rows = list(csv.reader(io.StringIO(as_csv(kpi_report(evil, source="=x", now=NOW)))))
    texts = [cell for row in rows for cell in row if not _is_number(cell)]
    assert any("HYPERLINK" in cell for cell in texts)
    assert not [cell for cell in texts if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_page_escapes_every_name_and_loads_nothing() -> None:
    evil = [facts(n, category="<script>x</script>", group="<b>", priority="P1", met_sla=False) for n in range(2)]
    shown = page(kpi_report(evil, source="<i>", now=NOW))
    assert "&lt;script&gt;" in shown
    assert not [text for text in ("<script", "<b>INC", "<i>", "src=", "href=", "url(") if text in shown]


def test_empty_record_has_a_report() -> None:
    report = kpi_report([], source="desk", now=NOW)
    assert "0 incidents" in as_table(report)
    assert "<svg" not in page(report)


def test_mix_uses_the_height_of_its_chart_and_leaves_out_months_of_a_few_incidents() -> None:
    names = ["Network and connectivity of branch offices", *"abcdefg"]
    full = [facts(n, opened_at=NOW - timedelta(days=60), category=names[n % 8]) for n in range(80)]
    few = [facts(100 + n, opened_at=NOW, category="a") for n in range(3)]
    shown = page(kpi_report([*full, *few], source="desk", now=NOW))
    assert ">20%</text>" in shown
    assert ">100%</text>" not in shown
    assert ">Network and connectivity of…<title>" in shown
    assert "<circle" in shown  # one month is drawn, as a point


def test_report_names_no_person() -> None:
    names = str(plain(kpi_report([facts(1)], source="desk", now=NOW)))
    assert not [word for word in ("resolved_by", "assigned_to", "agent", "reporter") if word in names]


def test_breach_names_how_late_it_was() -> None:
    late = facts(1, due_at=NOW - timedelta(hours=5), resolved_at=NOW - timedelta(hours=2), met_sla=False)
    (breach,) = kpi_report([late, facts(2, met_sla=True)], source="desk", now=NOW).breaches
    assert (breach.id, breach.hours_late) == ("INC1", 3.0)


def test_day_far_above_its_weekday_is_unusual_and_an_ordinary_one_is_not() -> None:
    per_day = dict.fromkeys(range(42), 10) | {35: 60}
    record = [facts(day * 100 + n, opened_at=NOW + timedelta(days=day)) for day, count in per_day.items() for n in range(count)]
    assert [(one.day, one.n) for one in unusual_days(record)] == [((NOW + timedelta(days=35)).date(), 60)]


def test_saved_hours_compare_with_matched_incidents_only() -> None:
    record = [solved(n, hours=2 if n % 2 else 6, article=bool(n % 2)) for n in range(40)]
    elsewhere = [solved(100, hours=500, article=False)]
    stray = [IncidentFacts("x", NOW, resolved_at=NOW, used_article=True, category="printer")]
    saved = saved_by_articles([*record, *elsewhere, *stray])
    assert (saved.n_pairs, saved.n_unmatched, saved.median_hours, saved.low, saved.high) == (20, 1, 4.0, 4.0, 4.0)


def test_article_that_saved_nothing_is_called_so() -> None:
    record = [solved(n, hours=9 if n % 2 else 6, article=bool(n % 2)) for n in range(40)]
    assert "3.0 h later, so nothing was saved" in as_table(kpi_report(record, source="desk", now=NOW))


def test_mix_gives_the_share_of_each_month() -> None:
    record = [facts(n, category="vpn" if n else "mail") for n in range(4)]
    assert [(one.category, one.share) for one in category_mix(record)] == [("vpn", 0.75), ("mail", 0.25)]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
