"""Which incidents no article answers, judged by what they find and by what the incidents like them find."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smarttriage.ports import Vectors

# One incident may come near a neighbouring article by chance; of those that are like it hardly all do. So each is judged by its own
# best article, which counts as much as four, and by those of the ten that are most like it.
N_LIKE = 10
OWN_WEIGHT = 4.0
LEAST_LIKE = 0.3
SCORE, MARGIN = 0, 1
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LackModel:
    """A logistic model of the chance that the article which answers an incident does not exist.

    Fitted to incidents whose article was left out topic by topic, in three knowledge bases; the level is that at which 7 % of those whose
    article was there are called lacking, in the mean of the three. benchmarks/gaps.py fits anew on the same topics, prints that beside
    these figures, and reports on other topics and other incidents.

    Attributes:
        intercept: Its log odds at score and margin 0.
        of_score: Weight of the best article's fused score, averaged over the incident and those like it.
        of_margin: Weight of how far that stands above the tenth, averaged alike.
        level: Chance from which an incident lacks its article.
    """

    intercept: float = 21.43
    of_score: float = -29.79
    of_margin: float = -6.73
    level: float = 0.585

    def __call__(self, found: Numbers, vectors: Vectors) -> NDArray[np.bool_]:
        """Return (n,) whether an incident lacks an article.

        Args:
            found: (n, 2), the score of the best article and how far it stands above the tenth.
            vectors: (n, dim) of the incidents, rows of norm 1.
        """
        if not len(found):
            return np.zeros(0, dtype=np.bool_)
        averaged = like_averaged(found, vectors)
        odds = self.intercept + self.of_score * averaged[:, SCORE] + self.of_margin * averaged[:, MARGIN]
        return np.asarray(odds >= np.log(self.level / (1 - self.level)), dtype=np.bool_)


def like_averaged(found: Numbers, vectors: Vectors) -> Numbers:
    """Return (n, m) each row averaged with those of the `N_LIKE` incidents most like it, weighed by their cosine."""
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1.0)
    k = min(N_LIKE, len(found) - 1)
    if k < 1:
        return found
    like = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
    weights = np.take_along_axis(cosines, like, axis=1).astype(np.float64)
    weights[weights < LEAST_LIKE] = 0.0
    total = OWN_WEIGHT * found + np.einsum("ij,ijm->im", weights, found[like])
    return np.asarray(total / (OWN_WEIGHT + weights.sum(axis=1, keepdims=True)))
