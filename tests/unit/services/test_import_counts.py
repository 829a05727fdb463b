"""Counts of an imported incident's earlier life."""

import pytest

from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.history import IncidentCounts
from smarttriage.services.import_counts import counts_of


def test_what_a_file_does_not_count_is_unknown_and_not_zero() -> None:
    assert counts_of({"n_reopened": "2.0", "n_reassigned": ""}) == IncidentCounts(2, None)


def test_what_is_no_count_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match='n_reassigned is "often"'):
        counts_of({"n_reassigned": "often"})
