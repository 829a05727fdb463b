"""Spans of the model's text lead back to the caller's own characters."""

from hypothesis import given
from hypothesis import strategies as st

from smarttriage.domain.text import MAX_CHARS, locate, model_text, shared_words, telling_words

TEXTS = st.text(max_size=60)


@given(title=TEXTS, description=TEXTS, ends=st.tuples(st.integers(0, 125), st.integers(0, 125)))
def test_span_of_the_model_text_is_the_same_characters_in_the_field(title: str, description: str, ends: tuple[int, int]) -> None:
    text = model_text(title, description)
    start, end = sorted(min(position, len(text)) for position in ends)
    evidence = locate(title, description, start, end)
    field = {"title": title, "description": description}[evidence.field]
    assert field[evidence.start : evidence.end] == evidence.text
    crosses = bool(title) and start <= len(title) < end
    if crosses:
        assert evidence.text in text[start:end]
    else:
        assert evidence.text == text[start:end]


@given(title=st.text(min_size=1, max_size=40), description=st.text(min_size=1, max_size=40))
def test_whole_fields_are_found_whole(title: str, description: str) -> None:
    assert locate(title, description, 0, len(title)).text == title
    begin = len(title) + 1
    assert locate(title, description, begin, begin + len(description)).text == description


def test_span_from_the_separator_on_belongs_to_the_description() -> None:
    evidence = locate("VPN", "down for all", 3, 8)
    assert (evidence.field, evidence.start, evidence.end, evidence.text) == ("description", 0, 4, "down")


def test_span_over_both_fields_keeps_the_part_in_the_title() -> None:
    evidence = locate("VPN down", "for all", 4, 12, cue="stopped", weight=0.5)
    assert (evidence.field, evidence.text, evidence.cue, evidence.weight) == ("title", "down", "stopped", 0.5)


def test_empty_title_adds_nothing() -> None:
    assert model_text("", "printer on fire") == "printer on fire"
    assert locate("", "printer on fire", 0, 7).field == "description"


def test_text_is_cut_at_the_limit() -> None:
    assert MAX_CHARS == 2_000
    text = model_text("t" * 10, "d" * 1_000_000)
    assert len(text) == MAX_CHARS
    assert text == "t" * 10 + "\n" + "d" * (MAX_CHARS - 11)
    assert len(model_text("t" * 5_000, "")) == MAX_CHARS


@given(title=TEXTS, description=TEXTS, limit=st.integers(1, 130))
def test_text_is_never_longer_than_the_limit_and_never_ends_in_space(title: str, description: str, limit: int) -> None:
    text = model_text(title, description, limit)
    assert len(text) <= limit
    assert text == text.rstrip()
    assert f"{title}\n{description}".startswith(text) if title else description.startswith(text)


def test_telling_words_put_identifiers_first_and_leave_out_what_says_nothing() -> None:
    assert telling_words("Since the update the gateway says 809") == ("809", "gateway", "update", "says")


def test_shared_words_are_whole_words_in_any_case() -> None:
    assert shared_words(("KB5034441", "mail", "Outlook"), "OUTLOOK email fails after kb5034441.") == ("KB5034441", "Outlook")


def test_shared_words_stop_at_the_limit() -> None:
    assert shared_words(("one1", "two2", "three3"), "one1 two2 three3", n=2) == ("one1", "two2")
