"""What a store promises of API keys, idempotency keys and facts."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from smarttriage.domain.access import Scope
from smarttriage.domain.errors import Conflict
from smarttriage.ports import Store, StoredAnswer
from smarttriage.testing.factories import NOON, an_api_key

N_RIVALS = 8


class KeysContract:
    """Keys are replaced whole, claims are won once."""

    def test_an_api_key_comes_back_and_can_be_replaced(self, store: Store) -> None:
        """Revoked ones too, and no other key is touched."""
        key, other = (
            an_api_key(label="schlüssel"),
            an_api_key(id="key-2", tenant="other", audiences=frozenset(), scopes=frozenset()),
        )
        revoked = replace(key, revoked_at=NOON, trusted=True, scopes=frozenset(Scope), audiences=frozenset({"hr"}))
        with store.begin(write=True) as records:
            records.put_api_key(key)
            records.put_api_key(other)
            assert records.api_key("key-1") == key
            records.put_api_key(revoked)
        with store.begin() as records:
            assert records.api_key("key-1") == revoked
            assert records.api_keys("default") == [revoked]
            assert records.api_keys("other") == [other]
            assert records.api_key("unknown") is None

    def test_a_claimed_key_gives_back_its_answer(self, store: Store) -> None:
        """First nothing, then "under way", then the answer, bytes and all; in another tenant the key is free."""
        answer = StoredAnswer("f" * 64, 201, b'{"id": "\xc3\xa9\x00"}', {"ETag": '"1"', "Location": "/v1/incidents/ü"})
        with store.begin(write=True) as records:
            assert records.claim("default", "k", "f" * 64, at=NOON) is None
        with store.begin(write=True) as records:
            assert records.claim("default", "k", "e" * 64, at=NOON) == StoredAnswer("f" * 64, None, b"", {})
            records.answer("default", "k", answer)
        with store.begin(write=True) as records:
            assert records.claim("default", "k", "f" * 64, at=NOON) == answer
            assert records.claim("other", "k", "f" * 64, at=NOON) is None

    def test_answers_are_forgotten_after_a_week(self, store: Store) -> None:
        """Then the key is free again; a younger one is not touched."""
        with store.begin(write=True) as records:
            records.claim("default", "old", "f" * 64, at=NOON)
            records.claim("default", "young", "f" * 64, at=NOON + timedelta(days=1))
        with store.begin(write=True) as records:
            assert records.claim("default", "new", "f" * 64, at=NOON + timedelta(days=7, seconds=1)) is None
            assert records.stored_answer("default", "old") is None
            assert records.stored_answer("default", "young") is not None

    def test_a_claim_that_rolls_back_was_never_made(self, store: Store) -> None:
        """The next try does the work."""

        def claim_and_fail() -> None:
            with store.begin(write=True) as records:
                records.claim("default", "k", "f", at=NOON)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            claim_and_fail()
        with store.begin(write=True) as records:
            assert records.claim("default", "k", "f", at=NOON) is None

    def test_an_answer_without_claim_is_refused(self, store: Store) -> None:
        """It would be forgotten silently."""
        with store.begin(write=True) as records, pytest.raises(Conflict, match="not claimed"):
            records.answer("default", "k", StoredAnswer("f", 200, b"", {}))

    def test_of_many_rivals_exactly_one_wins_a_claim(self, store: Store) -> None:
        """All others get what the winner stored in the same transaction."""
        barrier = Barrier(N_RIVALS)

        def rival(number: int) -> StoredAnswer | None:
            barrier.wait()
            with store.begin(write=True) as records:
                found = records.claim("default", "k", "f", at=NOON)
                if found is None:
                    records.answer("default", "k", StoredAnswer("f", 201, str(number).encode(), {}))
                return found

        with ThreadPoolExecutor(N_RIVALS) as pool:
            found = list(pool.map(rival, range(N_RIVALS)))
        assert found.count(None) == 1
        winner = StoredAnswer("f", 201, str(found.index(None)).encode(), {})
        assert [each for each in found if each is not None] == [winner] * (N_RIVALS - 1)

    def test_a_fact_is_replaced(self, store: Store) -> None:
        """And an unknown one is None."""
        with store.begin(write=True) as records:
            records.put_fact("seed_version", "1")
            records.put_fact("other", "ü")
            records.put_fact("seed_version", "2")
        with store.begin() as records:
            assert [records.fact(name) for name in ("seed_version", "other", "none")] == ["2", "ü", None]
