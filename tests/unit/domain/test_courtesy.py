"""Texts without work in them."""

import pytest

from smarttriage.domain.courtesy import courtesy_only, says_nothing


@pytest.mark.parametrize(
    "text", ["Thanks!", "Hello team, thank you very much.\nKind regards", "Danke, viele Grüße", "Merci beaucoup"]
)
def test_courtesy_alone_is_recognised(text: str) -> None:
    assert courtesy_only(text)


def test_an_address_and_a_phone_s_footer_add_nothing() -> None:
    assert courtesy_only("Thanks\nSent from my iPhone")
    assert courtesy_only("Please see https://example.org/a?b=c")


@pytest.mark.parametrize("text", ["Thanks, the printer jams", "mobile phone", "Hilfe", "", "-- ..."])
def test_work_or_nothing_at_all_is_no_courtesy(text: str) -> None:
    assert not courtesy_only(text)


def test_a_text_without_letter_or_digit_says_nothing() -> None:
    assert says_nothing(" \n-- … !")
    assert not says_nothing("7")
