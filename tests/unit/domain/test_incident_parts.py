"""Long reports are cut into what is searched; short ones stay one."""

from smarttriage.domain.incident_parts import MAX_WHOLE_CHARS, IncidentOfPart, further_passages, part_id

OWNER = IncidentOfPart()


def test_a_text_that_the_encoder_reads_whole_has_no_passages() -> None:
    assert further_passages("", "x " * (MAX_WHOLE_CHARS // 2)) == ()
    assert further_passages("Export", "") == ()


def test_what_stands_behind_the_first_passage_is_read_below_the_title() -> None:
    text = "Export\n" + "The payroll export fails. " * 40 + "\n\nLast line of the log: ORA-12154 on srv-db01."
    (passage,) = further_passages("Export", text)
    assert passage.startswith("Export\n")
    assert passage.endswith("ORA-12154 on srv-db01.")


def test_however_long_a_text_is_its_passages_are_bounded() -> None:
    text = "The payroll export fails. " * 400
    assert len(further_passages("", text)) == 1
    assert len(further_passages("", text, n_parts=4)) == 3


def test_a_part_says_whose_it_is_and_an_incident_is_its_own() -> None:
    assert OWNER.get(part_id("inc#1", 1), "?") == "inc#1"
    assert OWNER.get("inc#1", "inc#1") == "inc#1"
