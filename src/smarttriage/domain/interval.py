"""The exact interval of a share."""

import math

_HALVINGS = 60  # of 0..1: beyond double precision


def clopper_pearson(right: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the two-sided exact interval of a share of which `right` of `n` were seen; 0..1 where n is 0.

    C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26 (1934), 404-413.
    """
    tail = (1 - confidence) / 2
    return _lower(right, n, tail), 1 - _lower(n - right, n, tail)


def _lower(right: int, n: int, tail: float) -> float:
    """Return the share at which `right` or more of n are seen with probability `tail`."""
    if right == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_least(right, n, middle) < tail else (low, middle)
    return low


def _at_least(right: int, n: int, share: float) -> float:
    """Return the probability of `right` or more of n; only the shorter side of the sum is added up."""
    if right < n - right:
        return 1 - _between(0, right - 1, n, share)
    return _between(right, n, n, share)


def _between(first: int, last: int, n: int, share: float) -> float:
    yes, no, ways = math.log(share), math.log1p(-share), math.lgamma(n + 1)
    return math.fsum(
        math.exp(ways - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * yes + (n - k) * no) for k in range(first, last + 1)
    )
