"""Every lexical index passes the one contract; tantivy's scores are those of the reference BM25."""

from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarttriage.adapters.indexes.exact import ExactIndex
from smarttriage.adapters.lexical import texts as saved_texts
from smarttriage.adapters.lexical.analysis import terms
from smarttriage.adapters.lexical.exact import ExactLexicalIndex
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.domain.errors import IndexMismatch
from smarttriage.ports import LexicalIndex
from smarttriage.testing.lexical_index_contract import HERE, LexicalIndexContract

WORDS = ["printer", "vpn", "mail", "server", "error", "login", "disk", "slow"]
TEXT = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
LABELS = st.frozensets(st.sampled_from(["red", "green"]))


class TestExactLexicalIndex(LexicalIndexContract):
    def make(self) -> LexicalIndex:
        return ExactLexicalIndex()


class TestTantivyIndex(LexicalIndexContract):
    def make(self) -> LexicalIndex:
        return TantivyIndex()


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(TEXT, LABELS), max_size=15), query=TEXT, k=st.integers(1, 20), allowed=LABELS)
def test_tantivy_scores_like_the_reference(rows: list, query: str, k: int, allowed: Collection[str]) -> None:
    found = []
    for index in (ExactLexicalIndex(), TantivyIndex()):
        index.add([f"{row:02}" for row in range(len(rows))], [text for text, _ in rows], [labels for _, labels in rows])
        found.append(index.search([query], k, allowed=allowed)[0])
    reference, fast = found
    assert [hit.score for hit in fast] == pytest.approx([hit.score for hit in reference], rel=1e-4)
    near = {round(hit.score, 4) for hit in reference}
    if len(near) == len(reference):
        assert [hit.id for hit in fast] == [hit.id for hit in reference]


def test_an_index_of_another_analyser_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TantivyIndex().save(tmp_path, seq=1)
    monkeypatch.setattr(saved_texts, "ANALYSER", "another")
    with pytest.raises(IndexMismatch, match="analyser"):
        TantivyIndex().load(tmp_path)


def test_a_vector_index_is_not_a_lexical_one(tmp_path: Path) -> None:
    ExactIndex(encoder_id="e", dim=2).save(tmp_path, seq=1)
    with pytest.raises(IndexMismatch, match="kind 'vectors-2', not 'texts'"):
        TantivyIndex().load(tmp_path)


def test_many_small_changes_leave_one_text_an_id() -> None:
    index = TantivyIndex()
    for step in range(25):
        index.add([f"r{step % 7}"], [f"printer step{chr(97 + step)}"], [HERE])
    assert len(index) == len(index.snapshot()) == 7
    hits = index.search(["printer"], 50, allowed=HERE)[0]
    assert sorted(hit.id for hit in hits) == [f"r{number}" for number in range(7)]
    assert index.search(["stepd"], 5, allowed=HERE) == [[]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0x80070005", ["0x80070005", "80070005"]),
        ("ORA-01555", ["ora", "01555", "ora-01555"]),
        ("Printers printing", ["printer", "print"]),
        ("user's can't", ["user", "cant"]),
        ("Straße Ärger", ["strass", "arger"]),
        ("a" * 65, []),
        ("x" * 40 + "." + "z" * 40, ["x" * 40, "z" * 40]),
    ],
)
def test_terms_of(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_text_behind_the_cut_is_not_read() -> None:
    assert "kerberos" not in terms("mail " * 5_000 + "kerberos")
