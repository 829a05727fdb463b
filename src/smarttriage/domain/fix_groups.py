"""Identities that survive a new grouping: a group keeps its id where most of its members stay together."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from smarttriage.domain.observation import GroupEvent, GroupEventKind


@dataclass(frozen=True, slots=True)
class Regrouped:
    """A new grouping under old names.

    Attributes:
        members: Group id -> its members, of groups that have some.
        merged: Group id that has no members any more -> the one that took most of them; None where they are gone.
        events: What happened, in a fixed order.
    """

    members: Mapping[str, frozenset[str]]
    merged: Mapping[str, str | None]
    events: tuple[GroupEvent, ...]


def regrouped(
    old: Mapping[str, Collection[str]],
    new: Sequence[Collection[str]],
    *,
    at: datetime,
    new_id: Callable[[frozenset[str]], str],
) -> Regrouped:
    """Return the new groups, each under the id of the old one that it shares most members with, the largest overlap first.

    `old` names the groups in order of age: of equal overlaps the older one keeps its name.
    """
    groups = [frozenset(members) for members in new]
    before = {id_: frozenset(members) for id_, members in old.items()}
    overlaps = sorted(
        (-len(members & group), age, place, id_)
        for age, (id_, members) in enumerate(before.items())
        for place, group in enumerate(groups)
        if members & group
    )
    named: dict[int, str] = {}
    for _, _, place, id_ in overlaps:
        if place not in named and id_ not in named.values():
            named[place] = id_
    members = {named.get(place) or new_id(group): group for place, group in enumerate(groups)}
    heirs = {id_: _heir(own, members) for id_, own in before.items() if id_ not in members}
    return Regrouped(members, heirs, tuple(_events(before, members, heirs, at)))


def _heir(own: frozenset[str], members: Mapping[str, frozenset[str]]) -> str | None:
    shares = sorted((-len(own & group), id_) for id_, group in members.items() if own & group)
    return shares[0][1] if shares else None


def _events(
    before: Mapping[str, frozenset[str]],
    members: Mapping[str, frozenset[str]],
    heirs: Mapping[str, str | None],
    at: datetime,
) -> list[GroupEvent]:
    home = {member: id_ for id_, own in before.items() for member in own}
    events = []
    for id_, group in sorted(members.items()):
        origins = sorted({home[member] for member in group if member in home})
        if id_ not in before:
            events += [GroupEvent(id_, GroupEventKind.FORMED, at)]
            events += [GroupEvent(id_, GroupEventKind.SPLIT, at, other_id=origin) for origin in origins]
        arrived = sorted(member for member in group if home.get(member) != id_)
        events += [GroupEvent(id_, GroupEventKind.JOINED, at, member, home.get(member)) for member in arrived]
        gone = sorted(before.get(id_, frozenset()) - group)
        events += [GroupEvent(id_, GroupEventKind.LEFT, at, member) for member in gone]
    events += [GroupEvent(id_, GroupEventKind.MERGED, at, other_id=heir) for id_, heir in sorted(heirs.items())]
    return events
