"""Two classifiers on the same rows: bounds on the difference of their accuracies."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_STEPS = 60  # halvings of (-1, 1): far below the rounding of a printed figure


@dataclass(frozen=True, slots=True)
class Discordance:
    """How often exactly one of two answers was right.

    Attributes:
        n: Rows compared.
        gained: Rows that the candidate has right and the current model wrong.
        lost: Rows that the candidate has wrong and the current model right.
    """

    n: int
    gained: int
    lost: int

    @classmethod
    def of(cls, current: NDArray[np.bool_], candidate: NDArray[np.bool_]) -> "Discordance":
        """Return the counts of two equally long records of what was right."""
        return cls(len(current), int((candidate & ~current).sum()), int((current & ~candidate).sum()))

    @property
    def difference(self) -> float:
        """Accuracy of the candidate less that of the current model."""
        return (self.gained - self.lost) / self.n

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Return the lower and the upper one-sided bound on the difference, each at `confidence`.

        The score interval for paired proportions (Tango, 1998, Statistics in Medicine 17, 891-908), which keeps its level
        where few rows differ, also where none does.
        """
        z = NormalDist().inv_cdf(confidence)
        return self._solve(z), self._solve(-z)

    def p_lost(self) -> float:
        """Return the chance of at least this many losses among the rows that differ, were both models equally good.

        The exact one-sided McNemar test (McNemar, 1947, Psychometrika 12, 153-157; binomial with 1/2).
        """
        differing = self.gained + self.lost
        return float(sum(math.comb(differing, k) for k in range(self.gained + 1)) / 2**differing)

    def rows_needed(self, margin: float, *, confidence: float, power: float) -> int:
        """Return how many rows show non-inferiority of an equally good candidate with the chance `power`.

        (z_confidence + z_power)^2 * share of differing rows / margin^2, the usual sample size for paired proportions
        (Lachin, 1992, Statistics in Medicine 11, 1239-1251), and never fewer than a candidate needs that answers all alike.
        """
        z, beyond = NormalDist().inv_cdf(confidence), NormalDist().inv_cdf(power)
        alike = z**2 * (1 - margin) / margin
        return math.ceil(max(alike, (z + beyond) ** 2 * (self.gained + self.lost) / self.n / margin**2))

    def _score(self, difference: float) -> float:
        """Return Tango's statistic for the hypothesis that the true difference is `difference`."""
        n, gained, lost = self.n, self.gained, self.lost
        b = -gained - lost + (2 * n - gained + lost) * difference
        c = -lost * difference * (1 - difference)
        restricted = (math.sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
        variance = n * (2 * restricted + difference * (1 - difference))
        gap = gained - lost - n * difference
        if variance <= 0:
            return 0.0 if gap == 0 else math.copysign(math.inf, gap)
        return gap / math.sqrt(variance)

    def _solve(self, z: float) -> float:
        """Return the difference whose statistic is z; the statistic falls as the difference grows."""
        low, high = -1.0, 1.0
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if self._score(middle) > z else (low, middle)
        return (low + high) / 2
