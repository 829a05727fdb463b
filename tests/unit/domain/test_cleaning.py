"""What mail programs add is blanked; what people search for stays."""

import pytest

from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.domain.cleaning import cleaned
from smarttriage.domain.text import locate, model_text

REPORT = "The payroll export fails since nine."
CODES = ("0x80070005", "ORA-12154", "KB5034441", "srv-db01.corp")
TRACE = 'Traceback (most recent call last):\n  File "<stdin>", line 1\nOSError: [Errno 28] No space left on device'


@pytest.mark.parametrize(
    "around",
    [
        f"{REPORT}\n\n-- \nJane Doe\nPhone 555-0100",
        f"{REPORT}\nSent from my iPhone",
        f"{REPORT}\n\nOn Mon, 2 Mar 2026 at 09:12, Service Desk wrote:\n> Which export?\n> Please tell",
        f"{REPORT}\n\nAm 2. März 2026 schrieb Service Desk:\nWelcher Export?",
        f"{REPORT}\n-----Original Message-----\nFrom: desk\nTo: jane\nWhich export?",
        f"---------- Forwarded message ----------\nFrom: Jane\nSubject: export\nTo: desk\n\n{REPORT}",
        f"<html><body><p>{REPORT}</p><br/></body></html>",
        f"{REPORT}\n\nThis e-mail is confidential and intended only for the addressee.\nDelete it.",
    ],
)
def test_only_the_report_is_left_and_nothing_moves(around: str) -> None:
    left = cleaned(around)
    assert left.strip() == REPORT
    assert len(left) == len(around)
    assert left.find(REPORT) == around.find(REPORT)


def test_codes_host_names_and_stack_traces_stay_and_are_found() -> None:
    text = f"{REPORT} {' '.join(CODES)}\n{TRACE}\nList<String> of <host> failed"
    assert cleaned(text) == text
    index = TantivyIndex()
    index.add(["right", "wrong"], [cleaned(text), "Another report."], [["a"], ["a"]])
    for code in CODES:
        assert [hit.id for hit in index.search([code], 5, allowed=["a"])[0]] == ["right"]


def test_a_code_in_the_history_stays() -> None:
    left = cleaned(f"{REPORT}\nOn Monday the desk wrote:\n> did you see 0x80070005\n> or another one?")
    assert "0x80070005" in left
    assert "another" not in left


def test_a_mail_that_is_only_forwarded_keeps_what_was_forwarded() -> None:
    assert REPORT in cleaned(f"FYI\nOn Monday Jane wrote:\n{REPORT}")


def test_a_report_about_such_words_is_no_disclaimer_and_nothing_becomes_empty() -> None:
    about = "Footer 'this message is confidential' doubled\nEvery mail has it twice, and customers complain."
    assert cleaned(about) == about
    assert cleaned("From: jane\nTo: desk") == "From: jane\nTo: desk"


def test_what_models_and_indexes_read_is_cleaned_and_spans_still_map_back() -> None:
    description = f"<p>{REPORT}</p>\n-- \nJane Doe, Payroll"
    text = model_text("Export", description)
    assert text.split() == ["Export", *REPORT.split()]
    start = text.index("payroll")
    found = locate("Export", description, start, start + 7)
    assert (found.text, description[found.start : found.end]) == ("payroll", "payroll")


def test_cleaning_twice_changes_nothing_more() -> None:
    once = cleaned(f"<p>{REPORT}</p>\n-- \nJane")
    assert cleaned(once) == once
