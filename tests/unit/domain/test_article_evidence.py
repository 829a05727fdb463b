"""Evidence of articles: each person once, newer words more, nothing moved before it is sure."""

from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarttriage.domain.access import Scope
from smarttriage.domain.article_evidence import EXPIRED_WEIGHT, NOTHING, evidence_of, is_expired, judged
from smarttriage.domain.beta import beta_cdf, beta_quantile
from smarttriage.domain.interval import clopper_pearson
from smarttriage.domain.outcome import ArticleOutcome, OutcomeKind, person_of
from smarttriage.testing.factories import NOON, a_principal, an_outcome

WORKED, FAILED = OutcomeKind.WORKED, OutcomeKind.DID_NOT_WORK


def said(*kinds: OutcomeKind, by: str | None = None) -> list[ArticleOutcome]:
    numbers = count()
    return [
        an_outcome(id=f"o{n}", kind=kind, person=by or f"p{n}", created_at=NOON + timedelta(hours=n))
        for kind, n in zip(kinds, numbers, strict=False)
    ]


@given(st.integers(0, 40), st.integers(1, 40))
def test_quantiles_are_those_of_the_exact_interval_which_is_made_of_them(right: int, wrong: int) -> None:
    low, high = clopper_pearson(right, right + wrong)
    assert beta_quantile(0.975, right + 1, wrong) == pytest.approx(high, abs=1e-6)
    if right:
        assert beta_quantile(0.025, right, wrong + 1) == pytest.approx(low, abs=1e-6)


@pytest.mark.parametrize(
    ("x", "a", "b", "share"), [(0.5, 0.5, 0.5, 0.5), (0.2, 1, 1, 0.2), (0.25, 0.5, 0.5, 1 / 3), (0, 2, 2, 0), (1, 2, 2, 1)]
)
def test_known_values_of_the_distribution(x: float, a: float, b: float, share: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(share, abs=1e-9)


def test_nothing_moves_before_three_people_failed_and_two_more_send_it_to_review_or_nearly() -> None:
    weights = [evidence_of(said(*[FAILED] * n)).weight for n in range(6)]
    assert weights[:3] == [1.0, 1.0, 1.0]
    assert weights[3] < 0.5
    assert weights[3:] == sorted(weights[3:], reverse=True)
    first = next(n for n in range(20) if evidence_of(said(*[FAILED] * n)).needs_review)
    assert 4 <= first <= 8


def test_one_persons_failures_count_once() -> None:
    angry = evidence_of(said(*[FAILED] * 30, by="person:jo"))
    assert (angry.failed, angry.weight, angry.needs_review) == (1, 1.0, False)


def test_a_persons_last_word_counts() -> None:
    turned = evidence_of(said(WORKED, FAILED, by="person:jo"))
    assert (turned.worked, turned.failed) == (0, 1)
    assert evidence_of(said(FAILED, WORKED, by="person:jo")).worked == 1


def test_an_article_that_stopped_working_is_noticed_although_it_worked_for_years() -> None:
    n = next(n for n in range(200) if judged([True] * 200 + [False] * n).weight < 1)
    assert n < 15
    unfading = next(n for n in range(400) if judged([True] * 200 + [False] * n, fading=1.0).weight < 1)
    assert unfading > 200


def test_success_confirms_and_being_shown_or_failing_does_not() -> None:
    found = evidence_of([*said(WORKED), an_outcome(id="x", kind=FAILED, person="q", created_at=NOON + timedelta(days=9))])
    assert found.confirmed_at == NOON
    assert evidence_of([an_outcome(kind=OutcomeKind.NOT_TRIED)]) == NOTHING


def test_a_reopened_incident_counts_as_a_failure_and_a_contradiction_once_per_incident() -> None:
    reopened = an_outcome(id="r", kind=OutcomeKind.REOPENED, person="p")
    other = [an_outcome(id=f"c{n}", kind=OutcomeKind.CONTRADICTED, incident_id="i") for n in range(2)]
    found = evidence_of([reopened, *other])
    assert (found.failed, found.n_contradicted, found.said) == (1, 1, "worked for 0 of 1 who tried")


@given(st.lists(st.booleans(), max_size=40))
def test_the_interval_holds_the_expected_share(works: list[bool]) -> None:
    found = judged(works)
    assert 0 <= found.low < found.usefulness < found.high <= 1
    assert found.weight <= 1


def test_an_article_may_be_trusted_on_its_last_day_and_not_after() -> None:
    assert not is_expired(date(2026, 3, 2), date(2026, 3, 2))
    assert is_expired(date(2026, 3, 1), date(2026, 3, 2))
    assert not is_expired(None, date(2026, 3, 2))
    assert 0.9 < EXPIRED_WEIGHT < 1


def test_all_that_a_key_says_without_a_name_is_one_persons() -> None:
    trusted, other = a_principal(key_id="k"), a_principal(key_id="k", scopes=frozenset({Scope.WRITE}))
    assert person_of(None, trusted) == person_of("", trusted) != person_of("k", trusted)
    assert person_of("ann", other) == person_of("bob", other) == person_of(None, other)
