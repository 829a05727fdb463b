"""The exact interval of a share."""

from smarttriage.domain.beta import beta_cdf

_HALVINGS = 60  # of 0..1: beyond double precision


def clopper_pearson(right: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the two-sided exact interval of a share of which `right` of `n` were seen; 0..1 where n is 0.

    C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26 (1934), 404-413.
    """
    tail = (1 - confidence) / 2
    return _lower(right, n, tail), 1 - _lower(n - right, n, tail)


def _lower(right: int, n: int, tail: float) -> float:
    """Return the share at which `right` or more of n are seen with probability `tail`.

    That probability is a beta function (DLMF 8.17.5), which is not summed up term by term: reports have shares of a hundred thousand.
    """
    if right == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_cdf(middle, right, n - right + 1) < tail else (low, middle)
    return low
