"""The features fitted on texts, by scikit-learn: vocabulary and idf of both blocks, and the texts' own features."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer

from smarttriage.adapters.classifiers.analysis import CHAR_SIZES, WORD_PATTERN, WORD_SIZES, Analyser, TfidfBlock
from smarttriage.adapters.classifiers.features import ExtraFeatures, TextFeatures
from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import Vectors

# Beyond these the score on clusters held out of it_ticket_category's train part no longer rose.
MAX_WORD_TERMS = 40_000
MAX_CHAR_TERMS = 30_000
# From this many rows a term seen once is noise (it_ticket_category); below, it may be the name of a product.
MANY_ROWS = 3_000
# Up to here no character term may go either: a few descriptions share hardly any.
FEW_TEXTS = 200


@dataclass(frozen=True, slots=True)
class Matrix:
    """The features of n texts for fitting."""

    word: sp.csr_matrix
    char: sp.csr_matrix
    embedding: Vectors
    extra: Vectors

    def for_target(self, extra: ExtraFeatures | None, target: str) -> "Matrix":
        """Return the matrix with 0 in the extra columns that the target may not read (all, without `extra`): so are weights."""
        if extra is None:
            return replace(self, extra=np.zeros_like(self.extra))
        return replace(self, extra=self.extra * np.array(extra.used(target), dtype=np.float32))


def fit_features(texts: Sequence[str], vectors: Vectors, extra: ExtraFeatures | None) -> tuple[TextFeatures, Matrix]:
    """Return the blocks fitted on the texts (vocabulary and idf: no label is seen) and the texts' own features."""
    word = TfidfVectorizer(
        token_pattern=WORD_PATTERN,
        ngram_range=WORD_SIZES,
        sublinear_tf=True,
        min_df=2 if len(texts) > MANY_ROWS else 1,
        max_features=MAX_WORD_TERMS,
        dtype=np.float32,
    )
    char = TfidfVectorizer(
        analyzer=Analyser.CHAR_WB,
        ngram_range=CHAR_SIZES,
        sublinear_tf=True,
        min_df=2 if len(texts) > FEW_TEXTS else 1,
        max_features=MAX_CHAR_TERMS,
        dtype=np.float32,
    )
    try:
        word_rows, char_rows = word.fit_transform(texts), char.fit_transform(texts)
    except ValueError as error:
        raise InvalidInput(f"The texts hold no words to learn from ({error}); check the text column.", field="text") from error
    fitted = TextFeatures(_block(Analyser.WORD, word), _block(Analyser.CHAR_WB, char), vectors.shape[1], extra)
    numbers = (
        np.array([extra.values(text) for text in texts], dtype=np.float32) if extra else np.zeros((len(texts), 0), np.float32)
    )
    return fitted, Matrix(word_rows.tocsr(), char_rows.tocsr(), np.asarray(vectors, dtype=np.float32), numbers)


def _block(analyser: Analyser, vectorizer: TfidfVectorizer) -> TfidfBlock:
    vocabulary = {term: int(column) for term, column in vectorizer.vocabulary_.items()}
    return TfidfBlock(analyser, vocabulary, vectorizer.idf_.astype(np.float32))
