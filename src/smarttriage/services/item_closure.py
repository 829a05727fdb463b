"""What stands around an item of the CMDB, worked out once: suggestions about a hub ask for it again and again."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from smarttriage.domain.cmdb import Consequence, Graph, Item, Reach, consequence

# How far up and down "the same trouble" is looked for: the machine below a service, the storage below the machine.
NEAR = 2


@dataclass(frozen=True, slots=True)
class ItemClosure:
    """An item's surroundings, as far as somebody may see them.

    Attributes:
        services: What it carries, the most critical first.
        consequence: What its failure means.
        needs: Ids of what it cannot run without, at most `NEAR` steps away.
        needed_by: Ids of what cannot run without it, at most `NEAR` steps away.
        changed: Ids of itself and of `needs`, nearest first, as far as anything was changed on them.
    """

    services: tuple[Item, ...]
    consequence: Consequence
    needs: frozenset[str]
    needed_by: frozenset[str]
    changed: tuple[str, ...]

    @classmethod
    def of(cls, item: Item, graph: Graph, *, visible: Callable[[Item], bool], changed: Collection[str]) -> "ItemClosure":
        """Return the surroundings of an item; `changed` are the ids of all items of which changes are known."""
        above, below = graph.dependents(item.id, visible), graph.dependencies(item.id, visible)
        needs = _near(below)
        return cls(
            services=above.services,
            consequence=consequence(item, above),
            needs=frozenset(needs),
            needed_by=frozenset(_near(above)),
            changed=tuple(id_ for id_ in (item.id, *needs) if id_ in changed),
        )

    @property
    def size(self) -> int:
        """How many items it names."""
        return len(self.needs) + len(self.needed_by)


def _near(reach: Reach) -> list[str]:
    return [each.item.id for each in reach.items if each.distance <= NEAR]
