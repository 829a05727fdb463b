"""The precision contract of a label: from which confidence on it is filled in, and what that guarantees."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# The threshold of a label that is only ever recommended: no probability reaches it.
NEVER = 1.01
# The contract is about the next rows that are filled in, a third as many as it was measured on: a share counted over fewer
# rows wavers more than the truth behind it, and this is how an administrator checks it (a month against the quarter before).
WINDOW = 1 / 3
# How finely the number of rows that a label lacks is searched; people are told "about".
_STEP = 1.02


@dataclass(frozen=True, slots=True)
class Cut:
    """One place to cut: what filling in a label from this confidence on came to on held-out rows.

    Attributes:
        threshold: Least confidence.
        n_rows: Held-out rows at or above it.
        n: The same, near-duplicates counted once.
        n_errors: How many of the n were wrong; a group of near-duplicates counts with its share of wrong rows.
        bound: The precision that is guaranteed from here on (`smarttriage.adapters.classifiers.contracts` says how).
    """

    threshold: float
    n_rows: int
    n: int
    n_errors: float
    bound: float


@dataclass(frozen=True, slots=True)
class ClassContract:
    """What is promised for one label.

    Attributes:
        threshold: Least confidence at which it is filled in; `NEVER`: recommend only.
        n: Held-out rows at or above it, near-duplicates counted once.
        n_errors: How many of them were wrong.
        precision_bound: The guaranteed precision; None where it is never filled in.
        coverage: Share of all held-out rows that are filled in with this label.
        met: Whether the target precision is guaranteed.
        n_predicted: Held-out rows that the model gave this label, near-duplicates counted once.
    """

    threshold: float
    n: int
    n_errors: float
    precision_bound: float | None
    coverage: float
    met: bool
    n_predicted: int


@dataclass(frozen=True, slots=True)
class PrecisionCurve:
    """What contracts are drawn up from: for each label of a target the cuts that were tested, most confident first.

    Attributes:
        confidence: How sure the bounds are.
        n_rows: Held-out rows of the target.
        n_tested: Labels among which the doubt is shared out.
        n_predicted: Label -> held-out rows that the model gave it, near-duplicates counted once.
        cuts: Label -> its cuts in the order of testing; none where the label has too few rows.
        together: Whether the guarantee is for all labels taken together: then every label has the same cuts and bounds, and of
            each only its own share of the counts.
    """

    confidence: float
    n_rows: int
    n_tested: int
    n_predicted: Mapping[str, int]
    cuts: Mapping[str, Sequence[Cut]] = field(default_factory=dict)
    together: bool = False

    def contracts(self, precision: float) -> dict[str, ClassContract]:
        """Return the contract of every label at a target precision."""
        return {label: self._contract(label, precision) for label in self.n_predicted}

    def coverage(self, precision: float) -> float:
        """Return the share of held-out rows that are filled in at a target precision."""
        found = (last_that_holds(cuts, precision) for cuts in self.cuts.values())
        return sum(cut.n_rows for cut in found if cut) / self.n_rows if self.n_rows else 0.0

    def rows_needed(self, precision: float) -> int:
        """Return about how many rows of a label, all of them right, would meet the target."""
        if self.confidence >= 1 or not 0 < precision < 1:
            return 0
        doubt = (1 - self.confidence) / 2 / max(1, self.n_tested)
        n = math.ceil(math.log(doubt) / math.log(precision))
        while _chance_of_a_broken_promise(n, precision) > doubt:
            n = math.ceil(n * _STEP)
        return n

    def _contract(self, label: str, precision: float) -> ClassContract:
        cut = last_that_holds(self.cuts.get(label, ()), precision)
        n_predicted = self.n_predicted[label]
        if cut is None:
            return ClassContract(NEVER, 0, 0.0, None, 0.0, False, n_predicted)
        return ClassContract(cut.threshold, cut.n, cut.n_errors, cut.bound, cut.n_rows / self.n_rows, True, n_predicted)


def _chance_of_a_broken_promise(n: int, precision: float) -> float:
    """Return the largest chance, over error rates, that n rows are all right and then too many of the next ones are wrong."""
    m = max(1, round(n * WINDOW))
    allowed = math.floor((1 - precision) * m + 1e-9)
    rates = [place / (20 * n) for place in range(1, 200) if place < 20 * n]
    return max((1 - rate) ** n * (1 - _at_most(allowed, m, rate)) for rate in rates)


def _at_most(k: int, m: int, rate: float) -> float:
    """Return the binomial probability of at most k in m."""
    return sum(math.comb(m, i) * rate**i * (1 - rate) ** (m - i) for i in range(min(k, m) + 1))


def last_that_holds(cuts: Sequence[Cut], precision: float) -> Cut | None:
    """Return the last cut before the first that does not guarantee the precision; None if the first does not.

    Fixed-sequence testing: cuts are tried in an order that no label had a say in, each at full strength, until one fails;
    then no correction for their number is needed (Angelopoulos et al., 2021, "Learn then Test", arXiv:2110.01052, sec. 2.3;
    Bauer, 1991, "Multiple testing in clinical trials", Statistics in Medicine 10).
    """
    found = None
    for cut in cuts:
        # Bounds were rounded down when they were stored; a target of .9 must not miss one of .9.
        if cut.bound < precision - 1e-9:
            break
        found = cut
    return found
