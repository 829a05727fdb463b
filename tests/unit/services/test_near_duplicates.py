"""Clusters of near-duplicates: equal to comparing every pair."""

import random
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from smarttriage.domain.near_text import near_identical, word_set
from smarttriage.services.near_duplicates import cluster_texts, linked

WORDS = ["vpn", "drops", "since", "monday", "printer", "jams", "wifi", "weak", "mail", "bounces", "on", "floor", "three", "again"]


def by_all_pairs(texts: list[str], least: float) -> list[int]:
    sets = [word_set(text) for text in texts]
    parent = list(range(len(texts)))
    for left, right in combinations(range(len(texts)), 2):
        if near_identical(sets[left], sets[right], least):
            old, new = sorted((parent[left], parent[right]), reverse=True)
            parent = [new if value == old else value for value in parent]
    numbers: dict[int, int] = {}
    return [numbers.setdefault(value, len(numbers)) for value in parent]


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join), max_size=25), st.sampled_from([0.5, 0.6, 0.8, 1.0]))
def test_clusters_are_those_of_comparing_every_pair(texts: list[str], least: float) -> None:
    assert cluster_texts(texts, least=least) == by_all_pairs(texts, least)


def test_numbers_and_case_do_not_matter_and_equal_keys_link_without_comparison() -> None:
    assert cluster_texts(["Ticket 12 open", "ticket 99 OPEN", "vpn drops", "wifi weak"], keys=["a", "b", "c", "c"]) == [
        0,
        0,
        1,
        1,
    ]


def test_texts_without_words_are_alike_to_none() -> None:
    assert cluster_texts(["", "...", ""]) == [0, 1, 2]


def test_thousands_of_texts_from_one_template_are_one_cluster_in_no_time() -> None:
    chance = random.Random(0)
    hosts = ["".join(chance.choices("abcdefghij", k=8)) for _ in range(3_000)]
    texts = [f"alert cpu load is high on host {host} please check the running processes now" for host in hosts]
    assert set(cluster_texts(texts)) == {0}


def test_rows_are_linked_through_any_column_and_nothing_links_nothing() -> None:
    assert linked([1, 1, None, None, 2], [None, "a", "a", None, None]) == [0, 0, 0, 1, 2]
