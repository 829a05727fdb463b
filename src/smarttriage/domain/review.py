"""When a confirmation is worth something: it is somebody else's, and not one of hundreds an hour."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from smarttriage.domain.access import Principal
from smarttriage.domain.errors import Conflict, PermissionDenied

# Reading what is accepted takes time; the cap is on what one key accepts within this.
WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """How an installation reviews.

    Attributes:
        four_eyes: Whether nobody may publish or accept what they wrote, trusted or not. Without it a trusted key may, so that one
            person can run an installation; one that is not trusted never may.
        accepted_an_hour: How many drafts and lessons one key may accept within an hour; None: any number.
        confirmations: How many trusted people must say that a lesson is right where none of them is a reviewer.
    """

    four_eyes: bool = False
    accepted_an_hour: int | None = None
    confirmations: int = 2

    def check_author(self, principal: Principal, authors: Collection[str], what: str) -> None:
        """Raise PermissionDenied if the key would confirm what it wrote itself; `authors` are keys."""
        if principal.key_id in authors and (self.four_eyes or not principal.is_trusted):
            raise PermissionDenied(f"{what} was written by key {principal.key_id} itself; let another reviewer decide")

    def check_pace(self, principal: Principal, n_before: int, n: int = 1) -> None:
        """Raise Conflict if `n` more than the `n_before` of the last hour are more than one key can have read."""
        limit = self.accepted_an_hour
        if limit is not None and n_before + n > limit:
            raise Conflict(
                f"key {principal.key_id} has accepted {n_before} within the last hour, at most {limit} are taken; go on later, "
                "let another reviewer help, or raise SMARTTRIAGE_ACCEPTED_AN_HOUR"
            )
