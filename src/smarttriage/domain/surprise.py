"""How far a burst is from chance."""

import math

_NEGLIGIBLE = 1e-12


def surprise(n: int, expected: float) -> float:
    """Return -log10 of the probability that a Poisson variable of that mean reaches n; 0 where n is nothing unusual.

    3 means one in a thousand. The tail is summed from its largest term on, in logarithms, so that it does not vanish
    for large n (Knuth, The Art of Computer Programming, vol. 2, 3.4.1).
    """
    if n <= max(expected, 0.0) or n <= 0:
        return 0.0
    if expected <= 0.0:
        return math.inf
    log_first = n * math.log(expected) - expected - math.lgamma(n + 1)
    total, term, k = 1.0, 1.0, n
    while term > _NEGLIGIBLE:
        k += 1
        term *= expected / k
        total += term
    return max(0.0, -(log_first + math.log(total)) / math.log(10))
