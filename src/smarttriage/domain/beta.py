"""The Beta distribution, as far as a credible interval of a share needs it."""

import math
from functools import lru_cache

_HALVINGS = 30  # of 0..1: a billionth
# Terms grow with the square root of the counts; a hundred thousand need some hundreds.
_MOST_TERMS, _ENOUGH, _TINY = 10_000, 1e-12, 1e-300


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the probability of a share of at most `x`: the regularised incomplete beta function, DLMF 8.17.22."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly
        return 1.0 - beta_cdf(1.0 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    return front * _fraction(x, a, b)


@lru_cache(maxsize=4_096)
def beta_quantile(probability: float, a: float, b: float) -> float:
    """Return the share below which `probability` of the distribution lies."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_cdf(middle, a, b) < probability else (low, middle)
    return low


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction, by Lentz's method (W. J. Lentz, Applied Optics 15 (1976), 668-671)."""
    value, up, down = _TINY, _TINY, 0.0
    for term in range(_MOST_TERMS):
        m = term // 2
        if term == 0:
            part = 1.0
        elif term % 2 == 0:
            part = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            part = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        down = 1.0 / ((1.0 + part * down) or _TINY)
        up = (1.0 + part / up) or _TINY
        value *= up * down
        if abs(up * down - 1.0) < _ENOUGH:
            break
    return value
