import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarttriage.domain.fusion import best_of_each, convex, reciprocal_rank

DENSE = [("a", 0.9), ("b", 0.5), ("c", 0.4)]
LEXICAL = [("b", 8.0), ("d", 6.0), ("c", 4.0)]
HITS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0.01, 1.0)).map(
    lambda scores: sorted(scores.items(), key=lambda item: (-item[1], item[0]))
)


def test_reciprocal_rank_adds_one_over_sixty_plus_rank() -> None:
    fused = {each.id: each.score for each in reciprocal_rank(DENSE, LEXICAL)}
    assert fused["b"] == pytest.approx(1 / 62 + 1 / 61)
    assert fused["a"] == pytest.approx(1 / 61)
    assert [each.id for each in reciprocal_rank(DENSE, LEXICAL)] == ["b", "c", "a", "d"]


def test_convex_keeps_the_cosine_and_scales_bm25_from_its_least_to_its_best() -> None:
    fused = {each.id: each for each in convex(DENSE, LEXICAL, dense_weight=0.75, dense_least=0.3, lexical_least=4.0)}
    assert fused["a"].score == pytest.approx(0.75 * 0.9)
    assert fused["b"].score == pytest.approx(0.75 * 0.5 + 0.25 * 1.0)
    assert fused["d"].score == pytest.approx(0.75 * 0.3 + 0.25 * 0.5)
    assert fused["c"].score == pytest.approx(0.75 * 0.4)
    assert (fused["a"].dense, fused["a"].lexical) == (0.9, None)
    assert (fused["d"].dense, fused["d"].lexical) == (None, 6.0)


def test_a_single_word_hit_counts_fully_whatever_its_bm25() -> None:
    (only,) = convex([], [("a", 0.2)], dense_weight=0.5)
    assert only.score == pytest.approx(0.5)
    (cut,) = convex([], [("a", 0.2)], dense_weight=0.5, lexical_least=0.2)
    assert cut.score == pytest.approx(0.5)


def test_a_negative_cosine_counts_as_none() -> None:
    assert convex([("a", -0.4)], [], dense_weight=1.0)[0].score == 0.0


def test_nothing_found_is_nothing_fused() -> None:
    assert convex([], [], dense_weight=0.5) == reciprocal_rank([], []) == []


@given(dense=HITS, lexical=HITS, weight=st.floats(0, 1))
def test_fused_scores_lie_between_0_and_1_and_ties_go_by_id(dense: list, lexical: list, weight: float) -> None:
    for fused in (convex(dense, lexical, dense_weight=weight), reciprocal_rank(dense, lexical)):
        assert {each.id for each in fused} == {*dict(dense), *dict(lexical)}
        assert all(0 <= each.score <= 1 + 1e-9 for each in fused)
        assert fused == sorted(fused, key=lambda each: (-each.score, each.id))


@given(dense=HITS, lexical=HITS)
def test_the_ends_of_the_weight_are_the_two_sides(dense: list, lexical: list) -> None:
    shared = {record for record, _ in dense} & {record for record, _ in lexical}
    both_dense = [each for each in dense if each[0] in shared]
    both_lexical = [each for each in lexical if each[0] in shared]
    assert [each.id for each in convex(both_dense, both_lexical, dense_weight=1.0)] == [record for record, _ in both_dense]
    by_words = [each.score for each in convex(both_dense, both_lexical, dense_weight=0.0)]
    assert by_words == pytest.approx([score / both_lexical[0][1] for _, score in both_lexical])


def test_a_record_is_as_good_as_its_best_part() -> None:
    owner = {"x#0": "x", "x#1": "x", "y#0": "y"}
    records, parts = best_of_each([("x#1", 0.9), ("y#0", 0.8), ("x#0", 0.9)], owner)
    assert records == [("x", 0.9), ("y", 0.8)]
    assert parts == {"x": "x#1", "y": "y#0"}


def test_a_handicap_is_taken_from_the_score_and_no_score_falls_below_nothing() -> None:
    found = convex(
        [("long", 0.82), ("short", 0.8), ("far", 0.1)], [], dense_weight=1.0, handicaps={"long": 0.05, "far": 0.3, "x": 1.0}
    )
    assert [(each.id, pytest.approx(each.score)) for each in found] == [("short", 0.8), ("long", 0.77), ("far", 0.0)]
