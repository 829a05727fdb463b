"""Topics: the same rows give the same topics, samples show the whole, and the vital few are those up to the 80 % line."""

import numpy as np
import pytest

from smarttriage.domain.gaps import digest_of, pareto
from smarttriage.services.topics import sample, topics


def unit(*rows: tuple[float, float]) -> np.ndarray:
    made = np.array(rows, dtype=np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_rows_near_a_middle_join_it_and_others_begin_a_topic() -> None:
    rows = unit((1, 0), (0, 1), (1, 0.2), (0.1, 1))
    assert topics(rows, least=0.8) == [[0, 2], [1, 3]]
    assert topics(rows[:0]) == []


def test_a_sample_begins_with_the_typical_one_and_goes_on_with_the_most_different() -> None:
    rows = unit((1, 0.1), (1, 0), (1, -0.1), (1, 0.9))
    assert sample(rows, [0, 1, 2, 3], 2) == [0, 3]
    assert sorted(sample(rows, [0, 1, 2, 3], 9)) == [0, 1, 2, 3]


def test_the_vital_few_reach_the_line_and_no_more() -> None:
    rows = pareto([60, 25, 10, 5])
    assert [vital for _, _, vital in rows] == [True, True, False, False]
    assert rows[-1][1] == pytest.approx(1.0)
    assert pareto([]) == []
    assert pareto([0.0]) == [(0.0, 0.0, True)]


def test_a_set_of_records_has_one_name_in_any_order() -> None:
    assert digest_of(["a", "b"]) == digest_of(["b", "a"]) != digest_of(["ab"])
