"""Greetings and closings are blanked where letters have them; reports, codes and numbers stay."""

import time

import pytest

from smarttriage.domain.cleaning import cleaned
from smarttriage.domain.courtesy import courtesy_only
from smarttriage.domain.salutations import without_salutations
from smarttriage.domain.text import locate, model_text

REPORT = "The payroll export fails with 0x80070005 on srv-db01, call +49 89 123456."


@pytest.mark.parametrize(
    "around",
    [
        f"Hi team,\n{REPORT}\nKind regards,\nJohn Smith / IT Operations / Tel. +49 30 99887766",
        f"Dear Service Desk, {REPORT} Thanks in advance",
        f"To whom it may concern!\n{REPORT}\n\nMany thanks and best regards\nDr Ottilie Farrant\nUniversity of Westmere, Registry",
        f"Guten Tag,\n{REPORT}\nMit freundlichen Grüßen\nAnna Müller\nMusterstraße 12\n80331 München",
        f"Bonjour,\n{REPORT}\nMerci d'avance,\nBien cordialement\nPaul Lefèvre, géomètre",
        f"Beste collega's,\n{REPORT}\nMet vriendelijke groet, Joost van Eerden",
        f"Buenos días:\n{REPORT}\nUn saludo,\nMaría Pérez",
        f"Hello. {REPORT} Cheers, Radim",
        f"{REPORT}\nRegards\n\nhttps://example.com\njohn@example.com",
    ],
)
def test_only_the_report_is_left_and_nothing_moves(around: str) -> None:
    left = without_salutations(around)
    assert left.strip() == REPORT
    assert len(left) == len(around)
    assert left.find(REPORT) == around.find(REPORT)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for the new laptop, but the dock does not charge it.",
        "Regards\nAnna\nThe error is the same after a restart of srv-db01",
        "Thanks!\nThe phone is the old one, ext. 4711.",
        "Hello for Business asks for the PIN again and again",
        "Mail footer broken\nThe footer 'Kind regards' appears twice in every mail.",
        "Good Morning dashboard is empty since Monday",
        "Call dropped\nCustomer says cheers and then the line 0800 555 0199 is cut off.",
        "Merci de réinitialiser le compte u-3391.",
        "Danke, aber der Fehler 1603 kommt bei der Installation weiterhin.",
        "Bedankt voor de nieuwe muis, maar de linkerknop hapert.",
        "Gracias por cambiar el ratón, ahora falla el teclado.",
        "Regards\nHost ORA-12154",
    ],
)
def test_content_beside_such_words_stays(text: str) -> None:
    assert without_salutations(text) == text


@pytest.mark.parametrize(
    "text", ["Thanks, Anna", "Hello,\nall solved.\nThank you!\nBob", "Bonjour,\nmerci beaucoup.\nCordialement,\nLéa", "Hi"]
)
def test_a_text_of_courtesy_keeps_its_words(text: str) -> None:
    assert without_salutations(text) == text
    assert courtesy_only("Hi, thanks") == courtesy_only(cleaned("Hi, thanks"))


def test_a_greeting_is_looked_for_behind_the_title_and_no_further() -> None:
    assert without_salutations("No mail\nHi all,\nno mail since nine").split() == ["No", "mail", "no", "mail", "since", "nine"]
    later = "No mail\nsince nine\nHi all, it says"
    assert without_salutations(later) == later


def test_small_letters_without_punctuation_end_in_a_short_signature_only() -> None:
    assert without_salutations("please grant access to module kind regards senior engineer").split()[-1] == "module"
    longer = "please see kind regards text of the new installer"
    assert without_salutations(longer) == longer


def test_what_models_read_has_no_salutation_and_spans_still_map_back() -> None:
    description = f"Hi team,\n{REPORT}\nKind regards, Jo"
    text = model_text("Export", description)
    assert text.split() == ["Export", *REPORT.split()]
    start = text.index("payroll")
    assert locate("Export", description, start, start + 7).text == "payroll"


@pytest.mark.parametrize(
    "part",
    ["x", "thanks ", "thanks\n", "kind ", "kind regards ", "hi ", "A ", " ", "\n", "thank you for your ", "@a", "0 ", ".", "danke im voraus ", "Ab "],
)  # fmt: skip
@pytest.mark.parametrize("head", ["", "Hi ", "dear", "Kind regards\n"])
def test_time_does_not_grow_with_what_somebody_made_up(head: str, part: str) -> None:
    text = (head + part * 4_000)[:4_000]
    started = time.process_time()
    for _ in range(20):
        without_salutations(text)
    # About 0.1 ms each on a small machine; a pattern that goes back and forth would take seconds.
    assert time.process_time() - started < 20 * 0.002
