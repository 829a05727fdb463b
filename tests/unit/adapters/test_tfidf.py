"""The per-text TF-IDF equals scikit-learn's, which fitted it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from smarttriage.adapters.classifiers.analysis import CHAR_SIZES, WORD_PATTERN, WORD_SIZES, Analyser, TfidfBlock
from smarttriage.adapters.classifiers.features import TextFeatures
from smarttriage.adapters.classifiers.reading import cut
from smarttriage.testing.tickets import tickets

TEXTS = [*tickets()[0], "A.B-c_d e 12:34 x", "ÄÖÜ straße İstanbul", "tab\there\nand there", "ab", "a", ""]
VECTORIZERS = {
    Analyser.WORD: TfidfVectorizer(token_pattern=WORD_PATTERN, ngram_range=WORD_SIZES, sublinear_tf=True).fit(TEXTS),
    Analyser.CHAR_WB: TfidfVectorizer(analyzer="char_wb", ngram_range=CHAR_SIZES, sublinear_tf=True).fit(TEXTS),
}


def block(analyser: Analyser) -> TfidfBlock:
    vectorizer = VECTORIZERS[analyser]
    return TfidfBlock(analyser, vectorizer.vocabulary_, vectorizer.idf_.astype(np.float32))


def dense(analyser: Analyser, text: str) -> np.ndarray:
    columns, values = block(analyser).transform(text.lower())
    row = np.zeros(len(VECTORIZERS[analyser].idf_))
    row[columns] = values
    return row


@pytest.mark.parametrize("analyser", list(Analyser))
@pytest.mark.parametrize("text", [*TEXTS[::9], *TEXTS[-6:], "printer printer printer jams again and again"])
def test_one_text_equals_scikit_learn(analyser: Analyser, text: str) -> None:
    expected = VECTORIZERS[analyser].transform([text]).toarray()[0]
    np.testing.assert_allclose(dense(analyser, text), expected, atol=1e-5)


@pytest.mark.parametrize("analyser", list(Analyser))
@given(text=st.text(alphabet="abPr .,-\n\tİß1é_vpn", max_size=60))
def test_any_text_equals_scikit_learn(analyser: Analyser, text: str) -> None:
    expected = VECTORIZERS[analyser].transform([text]).toarray()[0]
    np.testing.assert_allclose(dense(analyser, text), expected, atol=1e-5)


@given(text=st.text(alphabet="abPr .,-\n\tİß1é_vpn", max_size=60))
def test_pieces_of_a_text_add_up_to_its_features(text: str) -> None:
    features = TextFeatures(block(Analyser.WORD), block(Analyser.CHAR_WB), 0)
    reading, row = cut(features, text), features.row(text, np.zeros(0, dtype=np.float32))
    for pieces, columns, values in (
        (reading.word, row.word_columns, row.word_values),
        (reading.char, row.char_columns, row.char_values),
    ):
        np.testing.assert_array_equal(pieces.columns, columns)
        np.testing.assert_allclose(pieces.values, values, atol=1e-6)
        np.testing.assert_allclose(np.bincount(pieces.terms, weights=pieces.shares, minlength=len(columns)), 1, atol=1e-5)


def test_terms_stand_in_the_words_they_are_of() -> None:
    text = "the vpn, drops"
    features = TextFeatures(block(Analyser.WORD), block(Analyser.CHAR_WB), 0)
    reading = cut(features, text)
    vpn_drops = features.word.vocabulary["vpn drops"]
    weights = (reading.word.columns == vpn_drops).astype(np.float32)
    at = reading.word.by_chunk(np.stack([weights, 2 * weights], axis=1), 3)
    assert at[0, 0] == 0 < at[1, 0] == at[2, 0]
    np.testing.assert_array_equal(at[:, 1], 2 * at[:, 0])
    assert [text[start:end] for start, end in zip(reading.starts, reading.ends, strict=True)] == ["the", "vpn", "drops"]
    assert reading.inside(4, 7) == slice(1, 2)
    assert reading.inside(6, 14) == slice(1, 3)
