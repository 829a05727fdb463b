import pytest

from smarttriage.domain.near_text import near_identical, word_set


@pytest.mark.parametrize(
    ("left", "right", "alike"),
    [
        ("Printer 12 on floor 3 jams", "printer 7 on FLOOR 41 jams", True),
        ("one two three four five", "one two three four six", False),
        ("one two three four five", "one two three four", True),
        ("", "", False),
        ("!!", "", False),
    ],
)
def test_texts_are_near_when_four_of_five_words_are_shared(left: str, right: str, alike: bool) -> None:
    assert near_identical(word_set(left), word_set(right)) is alike
    assert near_identical(word_set(right), word_set(left)) is alike
