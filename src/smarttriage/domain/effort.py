"""What a filled-in field saves: an assumption about minutes, and the sum that follows from it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """Minutes of an agent's time. An assumption of whoever runs a backtest, not a measurement: every report prints it.

    Attributes:
        per_right: Minutes not spent where a field is filled in right.
        per_wrong: Minutes spent to notice and undo a field that is filled in wrong.
    """

    per_right: float
    per_wrong: float

    def minutes_saved(self, n_filled: float, n_right: float) -> float:
        """Return the minutes saved by `n_filled` filled-in fields, `n_right` of them right; negative where they cost more."""
        return n_right * self.per_right - (n_filled - n_right) * self.per_wrong

    @property
    def break_even(self) -> float:
        """The precision at which filling in neither saves nor costs."""
        return self.per_wrong / (self.per_right + self.per_wrong) if self.per_right + self.per_wrong else 0.0

    def __str__(self) -> str:
        return f"{self.per_right:g} min saved per field filled in right, {self.per_wrong:g} min lost per field filled in wrong"
