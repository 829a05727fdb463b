"""The record's key figures, from the rows of an export to the figures that pandas computed."""

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smarttriage.bootstrap.resources import priority_policy
from smarttriage.config import Settings
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.kpi import Grouping, IncidentFacts, Kpis, kpis
from smarttriage.services.kpi_facts import facts_of_rows, parse_fact_map, with_sla

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
POLICY = priority_policy(Settings())
RECORD = Path(__file__).resolve().parents[4] / "shared" / "data" / "kpi_servicenow"
COLUMNS = {
    "id": "number",
    "group": "assignment_group",
    "n_reopened": "reopen_count",
    "n_reassigned": "reassignment_count",
    "met_sla": "made_sla",
    "used_article": "knowledge_used",
}


def facts(**values: object) -> IncidentFacts:
    return IncidentFacts(**{"id": "1", "opened_at": NOW, **values})  # type: ignore[arg-type]


def gold_of(found: Kpis) -> dict[str, object]:
    """Return our figures under the names and with the digits of the reference."""
    times = found.time_to_resolve
    by_priority = {
        one.name: {
            "n": one.time_to_resolve.n,
            "mttr_mean_h": round(one.time_to_resolve.mean or 0, 4),
            "mttr_median_h": round(one.time_to_resolve.median or 0, 4),
            "p90_h": round(one.time_to_resolve.p90 or 0, 4),
            "sla_met": round(one.met_sla.value or 0, 6),
        }
        for one in sorted(found.groups[Grouping.PRIORITY], key=lambda one: one.name)
    }
    shares = {
        "sla_met_rate_all": found.met_sla,
        "sla_met_rate_resolved": found.met_sla_resolved,
        "reopen_rate": found.reopened,
        "no_reassignment_no_reopen_rate": found.first_contact,
        "reassigned_rate": found.reassigned,
        "knowledge_used_rate": found.used_article,
    }
    return {
        "n": found.n,
        "n_resolved": found.n_resolved,
        "n_negative_duration": times.n_negative,
        "mttr_hours_mean": round(times.mean or 0, 3),
        "mttr_hours_median": round(times.median or 0, 3),
        "by_priority": by_priority,
        **{name: round(share.value or 0, 6) for name, share in shares.items()},
        "by_month_opened": found.opened_by_month,
    }


@pytest.mark.skipif(not RECORD.is_dir(), reason="the record of 20,769 incidents is not part of the project")
def test_figures_of_a_real_record_are_exactly_those_that_pandas_computed() -> None:
    with gzip.open(RECORD / "incidents.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    mapping = parse_fact_map([f"{ours}={theirs}" for ours, theirs in COLUMNS.items()])
    known = list(facts_of_rows(rows, mapping, policy=POLICY, now=NOW))
    gold = json.loads((RECORD / "gold_kpis.json").read_text(encoding="utf-8"))
    assert gold_of(kpis(known, now=NOW)) == gold


def test_problem_that_comes_again_within_30_days_counts_and_one_without_the_time_to_does_not() -> None:
    opened = NOW - timedelta(days=90)
    again = [
        facts(id="1", opened_at=opened, resolved_at=opened + timedelta(days=1), problem="printer"),
        facts(id="2", opened_at=opened + timedelta(days=20), resolved_at=opened + timedelta(days=21), problem="printer"),
        facts(id="3", opened_at=NOW - timedelta(days=5), resolved_at=NOW - timedelta(days=4), problem="printer"),
        facts(id="4", opened_at=opened, resolved_at=opened + timedelta(days=1)),
    ]
    recurred = kpis(again, now=NOW).recurred
    assert (recurred.n_yes, recurred.n) == (1, 2)


def test_a_recognised_problem_comes_again_without_any_article_and_beside_one() -> None:
    opened = NOW - timedelta(days=90)
    done = opened + timedelta(days=1)
    again = [
        facts(id="1", opened_at=opened, resolved_at=done, known_problem="clu_1"),
        facts(id="2", opened_at=opened, resolved_at=done, problem="restart", known_problem="clu_2"),
        facts(id="3", opened_at=opened + timedelta(days=9), known_problem="clu_1"),
        facts(id="4", opened_at=opened + timedelta(days=50), resolved_at=done, known_problem="clu_2"),
        facts(id="5", opened_at=opened, resolved_at=done, problem="clu_1"),
    ]
    recurred = kpis(again, now=NOW).recurred
    assert (recurred.n_yes, recurred.n) == (1, 4)


def test_first_contact_is_unknown_where_nobody_wrote_down_whether_it_was_reassigned() -> None:
    found = kpis(
        [facts(n_reopened=0), facts(id="2", n_reopened=0, n_reassigned=0), facts(id="3", n_reopened=0, n_reassigned=1)], now=NOW
    )
    assert (found.first_contact.n_yes, found.first_contact.n) == (1, 2)


def test_sla_of_a_record_without_verdict_runs_on_the_business_calendar() -> None:
    friday = datetime(2026, 2, 27, 16, tzinfo=UTC)
    # P3 is due after three business days of eight hours: on Wednesday at 16:00.
    met = with_sla(facts(opened_at=friday, priority="3 - Moderate", resolved_at=friday + timedelta(days=5)), POLICY, now=NOW)
    late = with_sla(facts(opened_at=friday, priority="P1", resolved_at=friday + timedelta(hours=5)), POLICY, now=NOW)
    assert (met.met_sla, met.due_at, late.met_sla) == (True, datetime(2026, 3, 4, 16, tzinfo=UTC), False)


def test_open_incident_before_its_deadline_has_no_verdict_and_behind_it_has_failed() -> None:
    young = with_sla(facts(priority="P1", opened_at=NOW - timedelta(hours=1)), POLICY, now=NOW)
    old = with_sla(facts(priority="P1", opened_at=NOW - timedelta(hours=9)), POLICY, now=NOW)
    assert (young.met_sla, old.met_sla) == (None, False)


def test_value_that_cannot_be_read_is_named_with_its_row() -> None:
    rows = [{"id": "1", "opened_at": "2026-01-01", "met_sla": "perhaps"}]
    with pytest.raises(InvalidInput, match='row 1: met_sla: "perhaps" is neither'):
        list(facts_of_rows(rows, parse_fact_map([]), policy=POLICY, now=NOW))


def test_record_without_the_needed_column_is_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidInput, match='no column "id" for id; the file has number'):
        list(facts_of_rows([{"number": "1"}], parse_fact_map([]), policy=POLICY, now=NOW))
