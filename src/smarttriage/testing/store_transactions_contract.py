"""What a store promises of transactions and of the change log."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import pytest

from smarttriage.domain.errors import StoreError
from smarttriage.ports import Change, Store
from smarttriage.testing.factories import NOON, a_principal, an_article, an_incident

N_WRITERS, N_WRITES = 6, 15


class TransactionsContract:
    """All or nothing, own writes seen, order kept, nothing lost."""

    def test_a_transaction_sees_its_own_writes_and_others_see_them_after_the_commit(self, store: Store) -> None:
        """A reader that is open keeps its state and is not blocked by the writer."""
        with store.begin() as reader, store.begin(write=True) as writer:
            assert reader.last_seq() == 0
            writer.add_incidents([an_incident()], key_id=None)
            assert writer.incident("incident-1", a_principal()) == an_incident()
            assert writer.last_seq() == 1
            assert reader.incident("incident-1", a_principal()) is None
        with store.begin() as later:
            assert later.incident("incident-1", a_principal()) == an_incident()

    def test_an_open_reader_keeps_its_state_over_a_commit(self, store: Store) -> None:
        """What it read stays true until it ends."""
        with ExitStack() as stack:
            reader = stack.enter_context(store.begin())
            assert reader.last_seq() == 0
            with store.begin(write=True) as writer:
                writer.add_incidents([an_incident()], key_id=None)
            assert reader.last_seq() == 0

    @pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
    def test_any_exception_rolls_everything_back(self, store: Store, failure: type[BaseException]) -> None:
        """The store is usable at once and holds nothing of it."""

        def write_and_fail() -> None:
            with store.begin(write=True) as records:
                records.add_incidents([an_incident()], key_id=None)
                records.add_articles([an_article()], key_id=None)
                records.put_fact("name", "value")
                raise failure

        with pytest.raises(failure):
            write_and_fail()
        with store.begin(write=True) as records:
            assert records.incident("incident-1", a_principal()) is None
            assert records.article("article-1", a_principal()) is None
            assert records.fact("name") is None
            assert records.last_seq() == 0
            records.add_incidents([an_incident()], key_id=None)

    def test_a_transaction_that_only_reads_refuses_to_write(self, store: Store) -> None:
        """Instead of losing the write."""
        with store.begin() as records, pytest.raises(StoreError, match=r"begin\(write=True\)"):
            records.put_fact("name", "value")

    def test_a_second_write_transaction_in_one_thread_is_refused(self, store: Store) -> None:
        """It would wait for itself."""
        with store.begin(write=True), pytest.raises(StoreError, match="open already"), store.begin(write=True):
            pass

    def test_the_change_log_holds_each_write_in_order(self, store: Store) -> None:
        """With who, whose, what and when."""
        with store.begin(write=True) as records:
            records.add_incidents([an_incident(id="b"), an_incident(id="a", tenant="t")], key_id="key-1")
            records.add_articles([an_article()], key_id=None)
        with store.begin(write=True) as records:
            records.update_incident(an_incident(id="b", version=2), key_id="key-2")
            records.update_article(an_article(version=2), key_id="key-2")
            records.add_incidents([], key_id="key-3")
        expected = [
            ("incident", "b", "default", NOON, "key-1"),
            ("incident", "a", "t", NOON, "key-1"),
            ("article", "article-1", "default", NOON, None),
            ("incident", "b", "default", NOON, "key-2"),
            ("article", "article-1", "default", NOON, "key-2"),
        ]
        with store.begin() as records:
            changes = records.changes(0, limit=100)
            assert changes == [Change(seq, *line) for seq, line in enumerate(expected, 1)]
            assert records.changes(2, limit=2) == changes[2:4]
            assert records.changes(5, limit=2) == []
            assert records.last_seq() == 5

    def test_many_writers_lose_nothing(self, store: Store) -> None:
        """Each counts one incident up and adds its own; every step is there in the end."""
        with store.begin(write=True) as records:
            records.add_incidents([an_incident(id="counter")], key_id=None)

        def writer(number: int) -> None:
            for step in range(N_WRITES):
                with store.begin(write=True) as records:
                    counter = records.incident("counter", a_principal())
                    assert counter is not None
                    records.update_incident(replace(counter, version=counter.version + 1), key_id=str(number))
                    records.add_incidents([an_incident(id=f"{number}-{step}")], key_id=str(number))

        with ThreadPoolExecutor(N_WRITERS) as pool:
            list(pool.map(writer, range(N_WRITERS)))
        with store.begin() as records:
            counter = records.incident("counter", a_principal())
            assert counter is not None
            assert counter.version == 1 + N_WRITERS * N_WRITES
            assert [line.seq for line in records.changes(0, limit=1_000)] == list(range(1, 2 + 2 * N_WRITERS * N_WRITES))
            assert sum(1 for _ in records.indexable_incidents()) == 1 + N_WRITERS * N_WRITES
