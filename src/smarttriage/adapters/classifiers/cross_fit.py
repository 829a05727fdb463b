"""One fast linear model fitted once per fold, so that every row gets probabilities from a model that did not see it."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

from smarttriage.adapters.classifiers.analysis import WORD_PATTERN, WORD_SIZES
from smarttriage.adapters.classifiers.calibration import fit_calibration
from smarttriage.adapters.classifiers.feature_fitting import MANY_ROWS, MAX_WORD_TERMS
from smarttriage.adapters.classifiers.folds import assign_folds
from smarttriage.adapters.classifiers.recipes import Learner, Recipe, fit_linear
from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import Probabilities

# Characters cost seven times the time of words and gained nothing in finding wrong labels of it_ticket_category.
WORDS = Recipe(Learner.SVM, c=0.3, balance=0.0, char=False, embedding=0.0)


class LinearCrossFitter:
    """TF-IDF of words and a linear SVM, calibrated on its own held-out scores."""

    def probabilities(
        self, texts: Sequence[str], truth: NDArray[np.int_], n_labels: int, *, groups: Sequence[str], seed: int
    ) -> Probabilities:
        """Return (len(texts), n_labels) probabilities, each row by a model that saw no row of its group; rows sum to 1.

        Raises:
            InvalidInput: Fewer than two labels, too few groups, or no words to learn from.
        """
        folds = assign_folds(groups, [str(column) for column in truth.tolist()], seed=seed)
        if any(len(np.unique(truth[folds != fold])) < 2 for fold in np.unique(folds)):
            raise InvalidInput(f"{len(set(groups))} groups of like texts in {n_labels} classes are too few to hold some out.")
        rows = _features(texts)
        scores = np.zeros((len(texts), n_labels))
        with threadpool_limits(1):  # sums in another order would be another model
            for fold in np.unique(folds):
                seen = folds != fold
                weights, biases = fit_linear(rows[seen], truth[seen], n_labels, WORDS, seed=seed)
                scores[~seen] = rows[~seen] @ weights + biases
            nothing = np.zeros_like(scores)
            return fit_calibration(scores, nothing, truth, with_bias=False).probabilities(scores, nothing)


def _features(texts: Sequence[str]) -> sp.csr_matrix:
    vectorizer = TfidfVectorizer(
        token_pattern=WORD_PATTERN,
        ngram_range=WORD_SIZES,
        sublinear_tf=True,
        min_df=2 if len(texts) > MANY_ROWS else 1,
        max_features=MAX_WORD_TERMS,
        dtype=np.float32,
    )
    try:
        return vectorizer.fit_transform(texts).tocsr()
    except ValueError as error:
        raise InvalidInput(f"The texts hold no words to learn from ({error}); check the text column.", field="text") from error
