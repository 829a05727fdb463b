"""What every `Classifier` promises, as a suite: subclass it and give it `classifier`, `texts` and `vectors` fixtures."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from smarttriage.ports import Classifier, Probabilities, Vectors


class ClassifierContract:
    """Shape, sums, determinism and explanations of a classifier."""

    def test_rows_are_probabilities_in_the_order_of_the_labels(
        self, classifier: Classifier, texts: Sequence[str], vectors: Vectors
    ) -> None:
        """Each target has (n, n_labels) values from 0 to 1 whose rows sum to 1, less where a label above has none below."""
        found = classifier.predict_proba(texts, vectors)
        assert set(found) == set(classifier.cards)
        for target, probabilities in found.items():
            assert probabilities.shape == (len(texts), len(classifier.cards[target].labels))
            assert (probabilities >= 0).all()
            np.testing.assert_allclose(probabilities.sum(axis=1), _share_with_labels_below(classifier, target, found), atol=1e-9)

    def test_no_label_is_more_likely_than_the_one_above_it(
        self, classifier: Classifier, texts: Sequence[str], vectors: Vectors
    ) -> None:
        """P(child) <= P(parent) for each label of a target that stands below another one."""
        found = classifier.predict_proba(texts, vectors)
        for target, card in classifier.cards.items():
            if card.parent is not None:
                above = classifier.cards[card.parent].labels
                owners = [above.index(card.parents[label]) for label in card.labels]
                assert (found[target] <= found[card.parent][:, owners] + 1e-12).all()

    def test_a_row_does_not_depend_on_its_neighbours(
        self, classifier: Classifier, texts: Sequence[str], vectors: Vectors
    ) -> None:
        """One row or many, the same numbers bit for bit."""
        together = classifier.predict_proba(texts, vectors)
        for place, text in enumerate(texts):
            for target, alone in classifier.predict_proba([text], vectors[place : place + 1]).items():
                np.testing.assert_array_equal(alone[0], together[target][place])

    def test_no_text_gives_no_row(self, classifier: Classifier, vectors: Vectors) -> None:
        """An empty list is not an error."""
        for target, probabilities in classifier.predict_proba([], vectors[:0]).items():
            assert probabilities.shape == (0, len(classifier.cards[target].labels))

    def test_threads_get_the_same_rows(self, classifier: Classifier, texts: Sequence[str], vectors: Vectors) -> None:
        """Many threads on one classifier see what one thread sees."""
        expected = classifier.predict_proba(texts, vectors)
        with ThreadPoolExecutor(4) as pool:
            for found in pool.map(lambda _: classifier.predict_proba(texts, vectors), range(8)):
                for target, probabilities in found.items():
                    np.testing.assert_array_equal(probabilities, expected[target])

    def test_odd_texts_get_an_answer(self, classifier: Classifier, vectors: Vectors) -> None:
        """Empty, unknown, very long and broken texts are texts."""
        odd = ["", " \n", "\ud800 \x00", "zzzz qqqq", "İstanbul ẞ", "printer " * 2_000]
        for probabilities in classifier.predict_proba(odd, np.repeat(vectors[:1], len(odd), axis=0)).values():
            assert np.isfinite(probabilities).all()

    def test_every_label_has_a_threshold(self, classifier: Classifier) -> None:
        """No label is filled in by accident."""
        for card in classifier.cards.values():
            assert set(card.thresholds) == set(card.labels)
            assert all(threshold > 0 for threshold in card.thresholds.values())

    def test_explanations_are_spans_of_the_text_heaviest_first(
        self, classifier: Classifier, texts: Sequence[str], vectors: Vectors
    ) -> None:
        """At most n spans, inside the text, in the order of their weight."""
        for target, card in classifier.cards.items():
            for text in (*texts, ""):
                spans = classifier.explain(text, target, card.labels[0], n=3)
                assert len(spans) <= 3
                assert all(0 <= span.start < span.end <= len(text) for span in spans)
                assert [span.weight for span in spans] == sorted((span.weight for span in spans), reverse=True)


def _share_with_labels_below(classifier: Classifier, target: str, found: Mapping[str, Probabilities]) -> Probabilities:
    """Return for each row what the labels above that have labels below them have together; 1 for a target of its own."""
    card = classifier.cards[target]
    if card.parent is None:
        return np.ones(len(found[target]))
    owners = {classifier.cards[card.parent].labels.index(label) for label in card.parents.values()}
    shares: Probabilities = found[card.parent][:, sorted(owners)].sum(axis=1)
    return shares
