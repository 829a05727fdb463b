"""What every `LexicalIndex` promises, as a suite: subclass it and say how an empty index is made.

class TestMyIndex(LexicalIndexContract):
    def make(self) -> LexicalIndex:
        return MyIndex()
"""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from smarttriage.domain.errors import IndexMismatch, InvalidInput
from smarttriage.ports import Hit, LexicalIndex

HERE = frozenset({"here"})
THERE = frozenset({"there"})
TEXTS = {
    "printer": "Printer on floor 3 is offline after the update, error 0x80070005",
    "vpn": "VPN drops every ten minutes, ORA-01555 in the log of host-name-01.example.com",
    "mail": "Outlook cannot send mail: the mailbox is full (KB5034441)",
    "café": "Die Bestellung im Café-System schlägt fehl, naïve Lösung",
    "pod": "KubePodCrashLooping fires for payment_service on C:\\Windows\\Temp\\trace.log",
}


def ids(hits: list[Hit]) -> list[str]:
    """Return the ids in their order."""
    return [hit.id for hit in hits]


class LexicalIndexContract:
    """Order, words, visibility, change, snapshots and saved states of a lexical index."""

    def make(self) -> LexicalIndex:
        """Return an empty index."""
        raise NotImplementedError

    def filled(self) -> LexicalIndex:
        """Return an index of `TEXTS`, all of them here."""
        index = self.make()
        index.add(list(TEXTS), list(TEXTS.values()), [HERE] * len(TEXTS))
        return index

    def test_a_compacted_index_scores_as_if_what_was_removed_had_never_been_there(self) -> None:
        """Until then what was removed may weigh on the scores of what is left."""
        index, never = self.filled(), self.filled()
        extra = [f"printer number {n} is offline" for n in range(20)]
        index.add([f"extra-{n}" for n in range(20)], extra, [HERE] * 20)
        index.add(["vpn"], ["changed meanwhile"], [HERE])
        index.remove([f"extra-{n}" for n in range(20)])
        index.add(["vpn"], [TEXTS["vpn"]], [HERE])
        index.compact()
        for query in TEXTS.values():
            ours, theirs = (each.search([query], 9, allowed=HERE)[0] for each in (index, never))
            assert [(hit.id, round(hit.score, 4)) for hit in ours] == [(hit.id, round(hit.score, 4)) for hit in theirs]
        assert len(index) == len(TEXTS)

    def test_an_empty_index_gives_one_empty_list_a_query(self) -> None:
        """Nothing to find is not an error."""
        assert len(self.make()) == 0
        assert self.make().search(["printer", ""], 3, allowed=HERE) == [[], []]
        assert self.filled().search([], 3, allowed=HERE) == []

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("PRINTERS", "printer"),
            ("0x80070005", "printer"),
            ("80070005", "printer"),
            ("0X80070005!", "printer"),
            ("ora-01555", "vpn"),
            ("01555", "vpn"),
            ("host-name-01.example.com", "vpn"),
            ("example", "vpn"),
            ("kb5034441", "mail"),
            ("5034441", "mail"),
            ("sending mails", "mail"),
            ("cafe", "café"),
            ("schlagt", "café"),
            ("NAIVE", "café"),
            ("crash looping pod", "pod"),
            ("kubepodcrashlooping", "pod"),
            ("payment", "pod"),
            ("trace.log", "pod"),
        ],
    )
    def test_words_codes_and_their_parts_find_the_text(self, query: str, expected: str) -> None:
        """Case, accents, endings, identifiers and their parts."""
        assert ids(self.filled().search([query], 1, allowed=HERE)[0]) == [expected]

    def test_an_exact_identifier_beats_its_parts(self) -> None:
        """The whole name is a term of its own."""
        index = self.make()
        names = ["app-01.prod.example.com", "app.01.prod.example.com", "01.app.example.com.prod"]
        index.add(names, [f"host {name} is down" for name in names], [HERE] * 3)
        assert ids(index.search([names[2]], 3, allowed=HERE)[0])[0] == names[2]

    @pytest.mark.parametrize("query", ["", "   ", "zebra", "?!…", "\ud800", "\x00"])
    def test_a_query_without_a_known_word_gives_no_hit(self, query: str) -> None:
        """Nothing is better than anything."""
        assert self.filled().search([query], 5, allowed=HERE) == [[]]

    @pytest.mark.parametrize(
        "query",
        ['printer AND "', "text:printer", "printer^9 ~(", "+printer -floor", "printer OR *", "[printer TO", "label:here printer"],
    )
    def test_no_query_is_syntax(self, query: str) -> None:
        """Operators, quotes and fields are words or nothing."""
        assert ids(self.filled().search([query], 5, allowed=HERE)[0])[0] == "printer"

    def test_rare_words_and_more_of_them_rank_higher(self) -> None:
        """The order of BM25."""
        index = self.make()
        index.add(["one", "two", "rare"], ["mail server", "mail server down", "mail kerberos"], [HERE] * 3)
        assert ids(index.search(["mail server down"], 5, allowed=HERE)[0]) == ["two", "one", "rare"]
        assert ids(index.search(["mail kerberos"], 5, allowed=HERE)[0])[0] == "rare"
        scores = [hit.score for hit in index.search(["mail server down"], 5, allowed=HERE)[0]]
        assert scores == sorted(scores, reverse=True)
        assert scores[-1] > 0

    def test_ties_are_ordered_by_id_even_at_the_cut(self) -> None:
        """Of 40 equal texts the first ids come back, whatever order they were added in."""
        index = self.make()
        names = [f"r{number:02}" for number in range(40)]
        index.add(names[::-1], ["printer offline"] * 40, [HERE] * 40)
        assert ids(index.search(["printer"], 5, allowed=HERE)[0]) == names[:5]

    def test_only_texts_that_share_a_label_are_found(self) -> None:
        """Hidden texts are never returned, and the visible ones still fill k."""
        index = self.make()
        index.add(["a", "b", "c"], ["printer printer printer", "printer jam", "printer"], [THERE, HERE, HERE | THERE])
        assert sorted(ids(index.search(["printer"], 2, allowed=HERE)[0])) == ["b", "c"]
        assert sorted(ids(index.search(["printer"], 9, allowed=THERE)[0])) == ["a", "c"]
        assert len(index.search(["printer"], 9, allowed={"here", "there", "elsewhere"})[0]) == 3

    @pytest.mark.parametrize("allowed", [(), ("elsewhere",), ("",), ("Here",), ("her",)])
    def test_no_permission_means_no_hit(self, allowed: Collection[str]) -> None:
        """Deny is the default; labels are compared whole."""
        assert self.filled().search(["printer"], 3, allowed=allowed) == [[]]

    def test_labels_are_opaque(self) -> None:
        """Separators, spaces and capitals inside a label are part of it."""
        index = self.make()
        index.add(["a", "b"], ["printer", "printer"], [{"Acme GmbH\x1fit ops"}, {"Acme GmbH\x1fhr"}])
        assert ids(index.search(["printer"], 5, allowed={"Acme GmbH\x1fit ops"})[0]) == ["a"]
        assert index.search(["printer"], 5, allowed={"Acme", "ops", "GmbH"}) == [[]]

    def test_a_text_without_labels_is_never_found(self) -> None:
        """Nobody shares a label with it."""
        index = self.make()
        index.add(["a", "b"], ["printer", "printer"], [[], HERE])
        assert len(index) == 2
        assert ids(index.search(["printer"], 3, allowed=["here", ""])[0]) == ["b"]

    @pytest.mark.parametrize("k", [0, -1])
    def test_k_of_nothing_gives_nothing(self, k: int) -> None:
        """No result asked for, none given."""
        assert self.filled().search(["printer"], k, allowed=HERE) == [[]]

    def test_adding_an_id_again_replaces_text_and_labels(self) -> None:
        """Also within one call: the last text counts."""
        index = self.filled()
        index.add(["vpn", "vpn"], ["scanner", "beamer"], [HERE, THERE])
        assert len(index) == len(TEXTS)
        assert index.search(["vpn drops scanner beamer"], 5, allowed=HERE) == [[]]
        assert ids(index.search(["beamer"], 5, allowed=THERE)[0]) == ["vpn"]

    def test_removed_texts_are_gone_and_counted(self) -> None:
        """Unknown ids are ignored."""
        index = self.filled()
        assert index.remove(["vpn", "nobody"]) == 1
        assert index.remove(["vpn"]) == 0
        assert len(index) == len(index.snapshot()) == len(TEXTS) - 1
        assert index.search(["vpn"], 5, allowed=HERE) == [[]]

    def test_texts_and_labels_of_different_number_are_refused(self) -> None:
        """And change nothing."""
        index = self.filled()
        with pytest.raises(InvalidInput, match="1 ids, 2 texts"):
            index.add(["x"], ["a", "b"], [HERE])
        assert len(index) == len(TEXTS)

    def test_a_snapshot_does_not_see_later_changes(self) -> None:
        """Add, replace and remove leave it as it was; a later snapshot sees them."""
        index = self.filled()
        before = index.snapshot()
        index.add(["printer", "new"], ["scanner", "printer"], [HERE, HERE])
        index.remove(["vpn"])
        assert len(before) == len(TEXTS)
        assert set(ids(before.search(["printer vpn"], 5, allowed=HERE)[0])) == {"printer", "vpn"}
        assert before.search(["scanner"], 5, allowed=HERE) == [[]]
        assert ids(index.snapshot().search(["printer vpn"], 5, allowed=HERE)[0]) == ["new"]

    def test_a_very_long_query_is_answered_by_its_rare_words(self) -> None:
        """A thousand common words do not hide the one that names the problem."""
        index = self.make()
        words = [f"common{number}" for number in range(300)]
        index.add([*map(str, range(10)), "rare"], [*[" ".join(words)] * 10, "kerberos ticket"], [HERE] * 11)
        assert "rare" in ids(index.search([" ".join([*words * 4, "kerberos"])], 20, allowed=HERE)[0])

    def test_a_saved_index_comes_back_with_its_seq(self, tmp_path: Path) -> None:
        """Texts and labels are the same; what the loading index held before is gone."""
        index = self.filled()
        index.add(["secret"], ["printer"], [THERE])
        index.remove(["vpn"])
        index.save(tmp_path / "saved", seq=42)
        other = self.make()
        other.add(["z"], ["zebra"], [HERE])
        assert other.load(tmp_path / "saved") == 42
        assert len(other) == len(index)
        assert other.search(["zebra vpn"], 5, allowed=HERE) == [[]]
        assert ids(other.search(["printer"], 5, allowed=HERE)[0]) == ["printer"]
        assert ids(other.search(["printer"], 5, allowed=THERE)[0]) == ["secret"]
        other.add(["z"], ["zebra"], [HERE])
        assert ids(other.search(["zebra"], 5, allowed=HERE)[0]) == ["z"]

    def test_every_damaged_or_missing_file_is_refused(self, tmp_path: Path) -> None:
        """And the loading index keeps what it has."""
        self.filled().save(tmp_path, seq=1)
        for path in sorted(tmp_path.iterdir()):
            content = path.read_bytes()
            for damaged in (content[:-2] + b"\xff\xff", content[: len(content) // 2], b"", None):
                path.unlink() if damaged is None else path.write_bytes(damaged)
                other = self.filled()
                with pytest.raises(IndexMismatch, match=str(tmp_path)):
                    other.load(tmp_path)
                assert len(other) == len(TEXTS)
            path.write_bytes(content)
        assert self.make().load(tmp_path) == 1

    def test_readers_never_see_half_of_a_change(self) -> None:
        """While a writer replaces ten texts at once, a snapshot holds ten of one generation."""
        index = self.make()
        names = [f"r{number}" for number in range(10)]
        index.add(names, ["printer marka"] * 10, [HERE] * 10)
        markers = [f"mark{letter}" for letter in "abcdfghjklmnopqrtuvwxz"]
        done: list[bool] = []

        def read(_: int) -> int:
            n_reads = 0
            while not done:
                snapshot = index.snapshot()
                assert len(snapshot) == 10
                (hits,) = snapshot.search(["printer"], 20, allowed=HERE)
                assert len(hits) == 10
                n_found = [len(found) for found in snapshot.search(markers, 20, allowed=HERE)]
                assert sorted(n_found)[-2:] == [0, 10]
                n_reads += 1
            return n_reads

        with ThreadPoolExecutor(2) as pool:
            readers = [pool.submit(read, number) for number in range(2)]
            try:
                for marker in markers:
                    index.add(names, [f"printer {marker}"] * 10, [HERE] * 10)
            finally:
                done.append(True)
            assert all(reader.result() > 0 for reader in readers)
