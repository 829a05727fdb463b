"""The per-text TF-IDF equals scikit-learn's, which fitted it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from smarttriage.adapters.classifiers.analysis import CHAR_SIZES, WORD_PATTERN, WORD_SIZES, Analyser, TfidfBlock, word_terms
from smarttriage.testing.tickets import tickets

TEXTS = [*tickets()[0], "A.B-c_d e 12:34 x", "ÄÖÜ straße İstanbul", "tab\there\nand there", "ab", "a", ""]
VECTORIZERS = {
    Analyser.WORD: TfidfVectorizer(token_pattern=WORD_PATTERN, ngram_range=WORD_SIZES, sublinear_tf=True).fit(TEXTS),
    Analyser.CHAR_WB: TfidfVectorizer(analyzer="char_wb", ngram_range=CHAR_SIZES, sublinear_tf=True).fit(TEXTS),
}


def dense(analyser: Analyser, text: str) -> np.ndarray:
    vectorizer = VECTORIZERS[analyser]
    block = TfidfBlock(analyser, vectorizer.vocabulary_, vectorizer.idf_.astype(np.float32))
    columns, values = block.transform(text.lower())
    row = np.zeros(len(vectorizer.idf_))
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


def test_word_terms_are_scikit_learns_and_stand_where_they_say() -> None:
    text = "the vpn drops, a lot"
    terms = list(word_terms(text))
    assert sorted(term.text for term in terms) == sorted(VECTORIZERS[Analyser.WORD].build_analyzer()(text))
    assert [text[term.start : term.end] for term in terms] == [
        "the",
        "vpn",
        "drops",
        "lot",
        "the vpn",
        "vpn drops",
        "drops, a lot",
    ]
