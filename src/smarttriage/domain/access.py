"""Who may see what. Deny is the default: no audience on a record, or none on a caller, means no access."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from smarttriage.domain.errors import PermissionDenied

# The audience that records and keys get where nobody says otherwise.
EVERYONE = "everyone"
DEFAULT_TENANT = "default"


class Scope(StrEnum):
    """What a key may do."""

    SUGGEST = "suggest"
    WRITE = "write"
    REVIEW = "review"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking.

    Attributes:
        key_id: Public id of the API key; written down with everything it causes.
        tenant: The only tenant whose records it reaches.
        audiences: Groups it belongs to inside the tenant.
        scopes: What it may do; `admin` includes the others.
        trusted: Whether it may speak for the people that it names, and what it teaches counts at once.
    """

    key_id: str
    tenant: str
    audiences: frozenset[str]
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    trusted: bool = False

    @property
    def is_trusted(self) -> bool:
        """Whether what it teaches counts without somebody else's word; an administrator could say so of itself anyway."""
        return self.trusted or Scope.ADMIN in self.scopes

    def require(self, scope: Scope) -> None:
        """Raise PermissionDenied unless the key has the scope."""
        if scope not in self.scopes and Scope.ADMIN not in self.scopes:
            has = ", ".join(sorted(self.scopes)) or "none"
            raise PermissionDenied(f'this needs the scope "{scope}"; key {self.key_id} has {has}; use a key that has it')

    def sees(self, tenant: str, audiences: Collection[str]) -> bool:
        """Return whether a record of that tenant and those audiences is visible."""
        return tenant == self.tenant and not self.audiences.isdisjoint(audiences)

    @property
    def labels(self) -> frozenset[str]:
        """The index labels that this principal may find."""
        return index_labels(self.tenant, self.audiences)


def index_labels(tenant: str, audiences: Collection[str]) -> frozenset[str]:
    """Return one label for each audience; an index lets a record through if caller and record share a label."""
    # The length in front keeps two pairs apart whose names contain the separator.
    return frozenset(f"{len(tenant)}:{tenant}\x1f{audience}" for audience in audiences)


def own_label(tenant: str, key_id: str) -> str:
    """Return the index label of what only that key may find; no audience has one like it."""
    return f"{len(tenant)}:{tenant}\x1e{key_id}"
