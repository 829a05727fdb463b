"""Out-of-sample probabilities for every row, for those who judge the rows and want no model."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from smarttriage.ports.models import Probabilities


class CrossFitter(Protocol):
    """Fits on part of the rows and predicts the rest, until every row was predicted once. Same input and seed, same output."""

    def probabilities(
        self, texts: Sequence[str], truth: NDArray[np.int_], n_labels: int, *, groups: Sequence[str], seed: int
    ) -> Probabilities:
        """Return (len(texts), n_labels) probabilities, each row by a model that saw no row of its group; rows sum to 1.

        Args:
            texts: Model texts.
            truth: The label of each row as a column, 0 to n_labels - 1.
            n_labels: Number of columns.
            groups: Rows of one group are held out together.
            seed: Fixes folds and fits.

        Raises:
            InvalidInput: Fewer than two labels, too few groups, or no words to learn from.
        """
        ...
