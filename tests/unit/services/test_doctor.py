"""What the data doctor finds, each on a table that has just that wrong with it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from smarttriage.adapters.classifiers.cross_fit import LinearCrossFitter
from smarttriage.adapters.classifiers.folds import text_groups
from smarttriage.domain.doctor import Check, Examination, Finding, FixPlan, Place, Severity
from smarttriage.services.doctor import DoctorOptions, Instruments, examine
from smarttriage.services.doctor_drift import area_under_curve, stability_index
from smarttriage.services.doctor_fix import CONFLICTING, LIKELY_WRONG
from smarttriage.services.doctor_rows import DoctorColumns, DoctorRow, DoctorTable
from smarttriage.testing.tickets import tickets

COLUMNS = DoctorColumns("team", ("text",))
INSTRUMENTS = Instruments(LinearCrossFitter(), text_groups, None, lambda *_: None)
AS_USUAL = DoctorOptions()
Rows = Sequence[tuple[str | None, ...]]


def diagnosed(rows: Rows, columns: DoctorColumns = COLUMNS, options: DoctorOptions = AS_USUAL) -> tuple[Examination, FixPlan]:
    values = [dict(zip(columns.named, row, strict=True)) for row in rows]
    read = [DoctorRow(Place("in.csv", line), value) for line, value in enumerate(values, start=2)]
    return examine(DoctorTable.read(read, columns), INSTRUMENTS, options)


def found(examination: Examination, check: Check) -> Finding:
    (finding,) = [finding for finding in examination.findings if finding.check == check]
    return finding


def lines(finding: Finding) -> list[int]:
    return [place.line for example in finding.examples for place in example.places]


def good_rows() -> list[tuple[str | None, ...]]:
    texts, labels, _ = tickets()
    return list(zip(texts, labels, strict=True))


def test_a_clean_table_has_nothing_severe() -> None:
    examination, plan = diagnosed(good_rows())
    assert {finding.check for finding in examination.findings} <= {Check.SMALL_CLASSES}
    assert examination.measures["agreement_with_labels"] > 0.9
    assert plan.counts["rows_written"] == len(good_rows())
    assert plan.counts["rows_flagged"] == 0


def test_a_label_that_no_text_supports_is_found_first_and_flagged_not_changed() -> None:
    rows = good_rows()
    rows[40] = (rows[40][0], "network")  # a workstation
    rows[70] = (rows[70][0], "hardware")  # a tunnel
    examination, plan = diagnosed(rows)
    wrong = found(examination, Check.WRONG_LABELS)
    assert set(lines(wrong)[:2]) == {42, 72}
    assert 'labelled "network", looks like "hardware"' in wrong.examples[lines(wrong).index(42)].note
    edit = plan.edits[Place("in.csv", 42)]
    assert edit.cells["doctor_flag"].startswith(LIKELY_WRONG)  # type: ignore[union-attr]
    assert edit.cells["doctor_suggested_label"] == "hardware"
    assert "team" not in edit.cells


def test_neighbours_are_asked_where_there_is_an_embedding() -> None:
    rows = good_rows()
    rows[40] = (rows[40][0], "network")
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return np.eye(2, 4, dtype=np.float32)[[int(label != "hardware") for _, label in good_rows()]]

    values = [DoctorRow(Place("in.csv", line), {"text": text, "team": label}) for line, (text, label) in enumerate(rows, 2)]
    examination, _ = examine(DoctorTable.read(values, COLUMNS), replace(INSTRUMENTS, embed=embed), DoctorOptions())
    assert len(asked) == len(rows)
    assert lines(found(examination, Check.WRONG_LABELS))[0] == 42


def test_twins_are_one_label_everywhere_and_merged_in_the_copy() -> None:
    rows = [(text, f"{label} " if place % 9 == 0 else label) for place, (text, label) in enumerate(good_rows())]
    rows[1] = (rows[1][0], "HARDWARE")
    examination, plan = diagnosed(rows)
    twins = found(examination, Check.LABEL_TWINS)
    assert (twins.severity, twins.n, examination.n_labels) == (Severity.ERROR, 2, 2)
    assert twins.details["renamed"] == {"hardware ": "hardware", "HARDWARE": "hardware", "network ": "network"}
    assert plan.edits[Place("in.csv", 3)].cells["team"] == "hardware"
    assert plan.counts["labels_merged"] == 1
    assert plan.counts["labels_trimmed"] == sum(str(label).endswith(" ") for _, label in rows)


def test_empty_courtesy_and_broken_texts_are_told_apart() -> None:
    rows = [
        *good_rows(),
        ("  \n--", "network"),
        (None, "network"),
        ("Thanks a lot, regards", "network"),
        ("DrÃ¼cker spinnt", "hardware"),
    ]
    last = len(rows) + 1
    examination, plan = diagnosed(rows)
    assert lines(found(examination, Check.EMPTY_TEXTS)) == [last - 3, last - 2]
    assert found(examination, Check.BROKEN_CHARACTERS).n == 1
    assert lines(found(examination, Check.BROKEN_CHARACTERS)) == [last]
    assert plan.counts["empty_rows_dropped"] == 2
    assert plan.edits[Place("in.csv", last - 2)].drop
    assert lines(found(examination, Check.BOILERPLATE_TEXTS)) == [last - 1]


def test_a_text_that_comes_back_all_the_time_is_named_with_its_labels() -> None:
    rows = [*good_rows(), *((f"Alert {n}: see attachment", "network" if n % 3 else "hardware") for n in range(12))]
    constant = found(diagnosed(rows)[0], Check.CONSTANT_TEXTS)
    assert constant.n == 12
    assert constant.examples[0].note == "12 rows: network 8, hardware 4"


def test_exact_duplicates_keep_the_first_and_conflicting_ones_stay_and_are_flagged() -> None:
    rows = [
        *good_rows(),
        ("badge reader is dead", "hardware"),
        ("badge reader is dead ", "hardware"),
        ("Badge reader is dead!", "network"),
    ]
    last = len(rows) + 1
    examination, plan = diagnosed(rows)
    assert lines(found(examination, Check.EXACT_DUPLICATES)) == [last - 2, last - 1]
    conflicting = found(examination, Check.CONFLICTING_DUPLICATES)
    assert (conflicting.n, conflicting.severity) == (1, Severity.ERROR)
    assert conflicting.examples[0].note == "hardware / network"
    assert plan.edits[Place("in.csv", last - 1)].drop
    kept = [plan.edits[Place("in.csv", line)] for line in (last - 2, last)]
    assert all(CONFLICTING in str(edit.cells["doctor_flag"]) for edit in kept)
    assert kept[0].cells["doctor_group"] == kept[1].cells["doctor_group"]


def test_near_duplicates_leak_only_where_the_callers_groups_tear_them_apart() -> None:
    columns = replace(COLUMNS, group="thread")
    pair = "the badge reader at the north gate is dead since monday morning"
    base = [(text, label, f"t{place}") for place, (text, label) in enumerate(good_rows())]
    torn = [*base, (pair, "hardware", "a"), (f"{pair} again", "hardware", "b")]
    whole = [*base, (pair, "hardware", "a"), (f"{pair} again", "hardware", "a")]
    leak = found(diagnosed(torn, columns)[0], Check.NEAR_DUPLICATES)
    assert (leak.severity, leak.n) == (Severity.ERROR, 2)
    assert Check.NEAR_DUPLICATES not in {finding.check for finding in diagnosed(whole, columns)[0].findings}


def test_a_group_of_the_callers_and_a_cluster_end_in_one_group_of_the_copy() -> None:
    columns = replace(COLUMNS, group="thread")
    base = [(text, label, f"t{place}") for place, (text, label) in enumerate(good_rows())]
    rows = [
        *base,
        ("gate badge dead", "hardware", "a"),
        ("gate badge dead!", "network", "b"),
        ("all else differs", "network", "b"),
    ]
    plan = diagnosed(rows, columns)[1]
    assert len({plan.edits[Place("in.csv", len(rows) + 1 - back)].cells["doctor_group"] for back in range(3)}) == 1


def test_small_classes_say_how_many_rows_the_contract_needs_and_count_duplicates_once() -> None:
    rows = [*good_rows(), *[("fax is dead", "fax")] * 90]
    small = found(diagnosed(rows, options=DoctorOptions(0.9, 0.9))[0], Check.SMALL_CLASSES)
    assert small.details["counts"] == {"fax": 1}
    assert int(str(small.details["rows_needed"])) > 29  # ln(.05) / ln(.9) for a single class
    assert found(diagnosed(rows, options=DoctorOptions(0.99, 0.9))[0], Check.SMALL_CLASSES).n == 3


def test_classes_taken_for_each_other_overlap_and_others_do_not() -> None:
    texts, _, subs = tickets()
    chance = np.random.default_rng(0)
    rows = [
        (text, str(chance.choice(["left", "right"])) if sub in {"vpn", "wifi"} else sub)
        for text, sub in zip(texts, subs, strict=True)
    ]
    overlap = found(diagnosed(rows)[0], Check.OVERLAPPING_CLASSES)
    assert [example.text for example in overlap.examples] == ["left / right"]


def test_personal_data_is_counted_but_masked_only_on_request() -> None:
    rows = [*good_rows(), ("Hi Ann,\nmail ann@example.org", "network")]
    place = Place("in.csv", len(rows) + 1)
    examination, plan = diagnosed(rows)
    personal = found(examination, Check.PERSONAL_DATA)
    assert personal.details["found"] == {"name": 1, "email": 1}
    assert "ann@example.org" not in personal.examples[0].text
    assert "text" not in plan.edits[place].cells
    masked = diagnosed(rows, options=DoctorOptions(mask_personal_data=True))[1]
    assert masked.edits[place].cells["text"] == "Hi [name],\nmail [email]"
    assert masked.counts["texts_masked"] == 1


def dated(rows: Rows, n_first: int) -> list[tuple[str | None, ...]]:
    return [(*row, f"{2023 if place < n_first else 2024}-03-{place % 28 + 1:02d}") for place, row in enumerate(rows)]


def test_shares_texts_and_labels_that_change_over_time_are_drift() -> None:
    columns = replace(COLUMNS, time="created")
    hardware = [row for row in good_rows() if row[1] == "hardware"]
    network = [row for row in good_rows() if row[1] == "network"]
    examination, _ = diagnosed(dated([*hardware, *network], len(hardware)), columns)
    assert examination.measures["label_stability_index"] > 0.25
    assert examination.measures["first_last_auc"] > 0.9
    assert found(examination, Check.LABEL_DRIFT).severity == Severity.WARNING
    assert found(examination, Check.TEXT_DRIFT).severity == Severity.WARNING
    changed = found(examination, Check.NEW_OR_VANISHED_LABELS)
    assert set(changed.details["new"]) == {"network"}  # type: ignore[call-overload]
    assert set(changed.details["vanished"]) == {"hardware"}  # type: ignore[call-overload]


def test_a_steady_stream_does_not_drift_and_unreadable_times_are_counted() -> None:
    columns = replace(COLUMNS, time="created")
    rows = good_rows()
    np.random.default_rng(1).shuffle(rows)  # type: ignore[arg-type]
    examination, _ = diagnosed([*dated(rows, len(rows) // 2), ("odd one out", "network", "some day")], columns)
    drifted = {Check.LABEL_DRIFT, Check.NEW_OR_VANISHED_LABELS, Check.TEXT_DRIFT}
    assert not drifted & {finding.check for finding in examination.findings}
    assert found(examination, Check.UNREADABLE_TIMES).n == 1


def test_what_cannot_be_checked_is_named_with_its_reason() -> None:
    examination, _ = diagnosed([("vpn drops", "network"), ("printer jams", None)])
    reasons = {skipped.check: skipped.reason for skipped in examination.skipped}
    assert "At least 50 rows in two classes are needed" in reasons[Check.WRONG_LABELS]
    assert "--time-column" in reasons[Check.TEXT_DRIFT]
    assert found(examination, Check.MISSING_LABELS).n == 1


def test_findings_come_most_severe_first_and_worst_says_so() -> None:
    examination, _ = diagnosed([*good_rows(), ("", "network"), ("Thanks", None)])
    order = [list(Severity).index(finding.severity) for finding in examination.findings]
    assert order == sorted(order)
    worst = examination.worst()
    assert worst == Severity.ERROR
    assert worst.reaches(Severity.WARNING)
    assert not Severity.NOTE.reaches(Severity.WARNING)


def test_the_index_and_the_area_have_their_known_values() -> None:
    assert stability_index(["a", "b"] * 500, ["a", "b"] * 500) == pytest.approx(0.0)
    even, skewed = ["a"] * 500 + ["b"] * 500, ["a"] * 800 + ["b"] * 200
    assert stability_index(even, skewed) == pytest.approx(0.3 * np.log(1.6) + 0.3 * np.log(2.5), abs=0.01)
    assert area_under_curve(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True])) == pytest.approx(0.875)
