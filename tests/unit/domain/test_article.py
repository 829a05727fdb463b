"""Passages hold every word of an article once, in order and short enough to be read whole."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarttriage.domain.article import (
    MAX_PASSAGE_CHARS,
    TRANSITIONS,
    ArticleStatus,
    is_title,
    passage_text,
    passages,
    searched_texts,
)

BODIES = st.lists(
    st.one_of(
        st.sampled_from(["## Cause", "# Title", "\n\n", "\n", ". ", " ", "###### deep", "#no heading", "\t"]),
        st.text(alphabet=st.characters(codec="utf-8"), max_size=30),
        st.integers(1, 120).map(lambda n: "x" * n),
    ),
    max_size=30,
).map("".join)


@given(body=BODIES, max_chars=st.integers(1, 80))
def test_pieces_are_in_order_disjoint_short_and_hold_all_text(body: str, max_chars: int) -> None:
    pieces = passages("KB1", body, max_chars)
    assert len({piece.id for piece in pieces}) == len(pieces)
    assert all(piece.id.startswith("KB1#") and piece.article_id == "KB1" for piece in pieces)
    assert all(body[piece.start : piece.end] == piece.text and len(piece.text) <= max_chars for piece in pieces)
    assert all(first.end <= second.start for first, second in pairwise(pieces))
    covered = {position for piece in pieces for position in range(piece.start, piece.end)}
    assert all(position in covered or character.isspace() for position, character in enumerate(body))
    assert all(piece.text == piece.text.strip() for piece in pieces)
    if body.strip():
        assert all(piece.text for piece in pieces)


def test_body_without_text_gives_one_empty_passage_so_that_the_title_is_found() -> None:
    assert [(piece.id, piece.text) for piece in passages("KB1", " \n\n ")] == [("KB1#0", "")]
    assert passage_text("Printer offline", "") == "Printer offline"


def test_passage_is_read_below_its_title() -> None:
    assert passage_text("Printer offline", "Restart it.") == "Printer offline\nRestart it."


def test_each_section_starts_a_passage() -> None:
    body = "intro\n## Symptoms\n- slow\n\n## Cause\nold cable"
    assert [piece.text for piece in passages("KB1", body)] == ["intro", "## Symptoms\n- slow", "## Cause\nold cable"]


def test_paragraphs_of_a_section_are_joined_while_they_fit() -> None:
    body = "## Cause\n" + "\n\n".join("word " * 30 for _ in range(8))
    pieces = passages("KB1", body)
    assert len(pieces) == 2
    assert all(300 < len(piece.text) <= MAX_PASSAGE_CHARS for piece in pieces)


def test_long_section_is_cut_at_a_sentence_rather_than_inside_a_word() -> None:
    sentences = "The switch lost its uplink. " * 60
    assert all(piece.text.endswith(".") for piece in passages("KB1", sentences))


def test_published_is_reached_through_review_only_and_every_status_has_a_way_on() -> None:
    assert [status for status, ways in TRANSITIONS.items() if ArticleStatus.PUBLISHED in ways] == [ArticleStatus.IN_REVIEW]
    assert set(TRANSITIONS) == set(ArticleStatus)
    assert all(TRANSITIONS.values())


def test_an_article_is_searched_by_its_passages_and_by_its_title_alone() -> None:
    found = searched_texts("KB1", "Printer offline", passages("KB1", "intro\n## Cause\nold cable"))
    assert [(each.id, each.text, each.is_title) for each in found] == [
        ("KB1#0", "Printer offline\nintro", False),
        ("KB1#1", "Printer offline\n## Cause\nold cable", False),
        ("KB1#title", "Printer offline", True),
    ]
    assert [is_title(each.id) for each in found] == [False, False, True]


@pytest.mark.parametrize(("title", "body"), [("Printer offline", " "), ("", "Restart it.")])
def test_a_title_that_is_a_passage_already_or_is_none_is_not_searched_twice(title: str, body: str) -> None:
    assert [each.id for each in searched_texts("KB1", title, passages("KB1", body))] == ["KB1#0"]
