from dataclasses import replace

import numpy as np
import pytest

from smarttriage.adapters.indexes.exact import ExactIndex
from smarttriage.adapters.lexical.exact import ExactLexicalIndex
from smarttriage.domain.fusion import Candidate
from smarttriage.services.retrieval import ARTICLES, EVERYTHING, INCIDENTS, FusionSettings, HybridSearch, lexical_text, relevant

ME = frozenset({"me"})
OTHERS = frozenset({"others"})
EAST = np.array([1, 0], dtype=np.float32)


def angle(cosine: float) -> list[float]:
    return [cosine, (1 - cosine**2) ** 0.5]


def search_over(rows: dict[str, tuple[float, str, frozenset[str]]], settings: FusionSettings = EVERYTHING) -> HybridSearch:
    """A search over id -> (cosine to EAST, text, labels); "x#1" is a part of "x"."""
    dense, lexical = ExactIndex(encoder_id="e", dim=2), ExactLexicalIndex()
    vectors = np.array([angle(cosine) for cosine, _, _ in rows.values()], dtype=np.float32).reshape(len(rows), 2)
    labels = [each for _, _, each in rows.values()]
    dense.add(list(rows), vectors, labels)
    lexical.add(list(rows), [text for _, text, _ in rows.values()], labels)
    owners = {part: part.split("#")[0] for part in rows if "#" in part}
    return HybridSearch(dense.snapshot(), lexical.snapshot(), owners, settings)


def test_words_decide_where_meaning_is_alike() -> None:
    search = search_over({"a": (0.80, "mail", ME), "b": (0.79, "error 0x80070005", ME), "c": (0.2, "vpn", ME)})
    first = search.search("0x80070005", EAST, 2, allowed=ME)[0]
    assert first.id == "b"
    assert first.dense == pytest.approx(0.79)
    assert first.lexical is not None
    assert [each.id for each in search.search("nothing known", EAST, 2, allowed=ME)] == ["a", "b"]


def test_everything_brings_what_is_not_relevant_behind_and_marked() -> None:
    rows = {"a": (0.8, "mail", ME), "b": (0.3, "mail", ME)}
    floored = search_over(rows, FusionSettings(floor=0.5, least_chance=0.0))
    assert [each.id for each in floored.search("mail", EAST, 5, allowed=ME)] == ["a"]
    found = floored.search("mail", EAST, 5, allowed=ME, everything=True)
    assert [(each.id, each.relevant) for each in found] == [("a", True), ("b", False)]
    silent = search_over(rows, FusionSettings(floor=0.5, least_chance=1.0))
    assert silent.search("mail", EAST, 5, allowed=ME) == []
    assert [each.relevant for each in silent.search("mail", EAST, 5, allowed=ME, everything=True)] == [False, False]


def test_an_article_comes_once_with_its_best_passage() -> None:
    search = search_over({"x#0": (0.5, "intro", ME), "x#1": (0.9, "steps", ME), "y#0": (0.7, "other", ME)})
    found = search.search("anything", EAST, 5, allowed=ME)
    assert [(each.id, each.part) for each in found] == [("x", "x#1"), ("y", "y#0")]


def test_an_article_found_by_its_title_shows_its_best_passage_and_none_where_no_passage_was_found() -> None:
    rows = {"x#title": (0.9, "", ME), "x#0": (0.2, "intro", ME), "x#1": (0.5, "steps", ME), "y#title": (0.4, "", ME)}
    found = search_over(rows).search("anything", EAST, 5, allowed=ME)
    assert [(each.id, each.dense, each.part) for each in found] == [
        ("x", pytest.approx(0.9), "x#1"),
        ("y", pytest.approx(0.4), "y"),
    ]


def test_of_two_articles_as_near_the_one_of_fewer_passages_stands_first() -> None:
    search = search_over({**{f"long#{number}": (0.8, "mail", ME) for number in range(9)}, "short#0": (0.79, "mail", ME)})
    assert [each.id for each in search.search("mail", EAST, 2, allowed=ME)] == ["long", "short"]
    sized = replace(search, sizes={"long": 9, "short": 1}, settings=replace(EVERYTHING, handicap=0.02))
    first, second = sized.search("mail", EAST, 2, allowed=ME)
    assert [first.id, second.id] == ["short", "long"]
    assert second.score == pytest.approx(0.8 * EVERYTHING.dense_weight + (1 - EVERYTHING.dense_weight) - 0.02 * np.log(9))


def test_k_articles_come_back_however_many_passages_the_first_has() -> None:
    rows = {f"long#{number}": (0.9 - number / 1_000, "mail server", ME) for number in range(60)}
    rows |= {f"short{number}#0": (0.3, "mail", ME) for number in range(5)}
    found = search_over(rows, replace(EVERYTHING, depth=10)).search("mail", EAST, 4, allowed=ME)
    assert [each.id for each in found] == ["long", "short0", "short1", "short2"]


def test_k_visible_records_come_back_among_many_hidden_ones() -> None:
    rows = {f"hidden{number}": (0.99, "mail", OTHERS) for number in range(200)}
    rows |= {f"mine{number}": (0.5, "mail", ME) for number in range(3)}
    search = search_over(rows, replace(EVERYTHING, depth=2))
    assert [each.id for each in search.search("mail", EAST, 3, allowed=ME)] == ["mine0", "mine1", "mine2"]


def test_hidden_records_change_neither_scores_nor_silence() -> None:
    mine = {f"mine{number}": (0.7 - number / 20, "mail", ME) for number in range(12)}
    alone = search_over(mine, ARTICLES).search("nothing known", EAST, 5, allowed=ME)
    beside = search_over(mine | {f"o{number}": (0.7, "mail", OTHERS) for number in range(50)}, ARTICLES)
    assert beside.search("nothing known", EAST, 5, allowed=ME) == alone != []


@pytest.mark.parametrize("allowed", [(), ("nobody",)])
def test_no_permission_means_no_result(allowed: tuple[str, ...]) -> None:
    assert search_over({"a": (0.9, "mail", ME)}).search("mail", EAST, 5, allowed=allowed) == []


def test_an_empty_collection_has_no_result() -> None:
    assert search_over({}).search("mail", EAST, 5, allowed=ME) == []


@pytest.mark.parametrize("k", [0, -1])
def test_no_result_asked_for_none_given(k: int) -> None:
    assert search_over({"a": (0.9, "mail", ME)}).search("mail", EAST, k, allowed=ME) == []


def test_a_record_left_out_is_not_the_measure_of_the_others() -> None:
    rows = {"own": (1.0, "mail queue stuck on relay", ME), "near": (0.8, "mail queue", ME), "far": (0.2, "vpn", ME)}
    text = "mail queue stuck on relay"
    (near, _) = search_over(rows).search(text, EAST, 5, allowed=ME, without={"own"})
    assert near.id == "near"
    assert near.score == pytest.approx(EVERYTHING.dense_weight * 0.8 + (1 - EVERYTHING.dense_weight))


def candidates(*scores: float) -> list[Candidate]:
    return [Candidate(f"c{at:02}", score, None, score) for at, score in enumerate(scores)]


def test_below_the_floor_nothing_is_suggested() -> None:
    settings = replace(ARTICLES, least_chance=0.0)
    assert relevant(candidates(ARTICLES.floor - 0.01), settings) == []
    assert len(relevant(candidates(ARTICLES.floor + 0.01, ARTICLES.floor - 0.01), settings)) == 1


def test_a_best_article_that_does_not_stand_out_is_no_suggestion() -> None:
    alike, apart = [0.7] * 12, [0.7, *[0.5] * 11]
    assert relevant(candidates(*alike), ARTICLES) == []
    assert len(relevant(candidates(*apart), ARTICLES)) == 12


def test_the_chance_grows_with_the_score_and_with_how_far_it_stands_out() -> None:
    near, further, higher = ([0.6, *[0.5] * 11], [0.6, *[0.4] * 11], [0.9, *[0.7] * 11])
    chances = [ARTICLES.chance(candidates(*scores)) for scores in (near, further, higher)]
    assert chances == sorted(set(chances))
    assert ARTICLES.chance([]) == 0.0


def test_only_the_first_result_says_how_likely_it_is_right() -> None:
    rows = {f"r{at}": (0.9 - at / 10, "mail", ME) for at in range(3)}
    found = search_over(rows).search("nothing known", EAST, 3, allowed=ME)
    assert [each.chance is None for each in found] == [False, True, True]
    assert found[0].chance == pytest.approx(EVERYTHING.chance(candidates(*(each.score for each in found))))


def test_a_flood_of_like_incidents_is_shown() -> None:
    assert len(relevant(candidates(*[0.7] * 12), INCIDENTS)) == 12


def test_the_title_is_read_twice_by_the_lexical_side() -> None:
    assert lexical_text("Printer offline", "Printer offline\nsteps") == "Printer offline\nPrinter offline\nsteps"
    assert lexical_text("", "steps") == "steps"
