"""The groups of fixes as one pass of the loop changes them: read where they are near, regrouped, and handed over to be stored."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

import numpy as np

from smarttriage.domain.fix_groups import regrouped
from smarttriage.domain.observation import FixGroup, GroupEvent, GroupEventKind, Observation
from smarttriage.ports import Vectors
from smarttriage.services.grouping import Centres, grouped

# How many groups a newcomer is compared with, and how much farther than the level they may lie: average linkage never joins what is
# farther from the mean of all.
NEAREST = 5
SLACK = 0.1
# A group of so many stays whole: a newcomer joins it or not, and a regrouping costs milliseconds.
SETTLED = 40

# Tenant and audiences: observations of others are never in one group, or a draft would tell what its reader may not see.
Circle = tuple[str, frozenset[str]]


@dataclass(slots=True)
class Neighbourhood:
    """What a pass has read and changed.

    Attributes:
        at: When the pass runs.
        level: Mean cosine from which two groups are one.
        centres: Circle -> the mean directions of all of its groups.
        read: Gives the members of groups that are stored.
        embed: Gives the vectors of observations.
        find: Gives groups that are stored.
        members: Group id -> observation id -> observation, of the groups that were read or made.
        groups: The same groups.
        vectors: Observation id -> vector, of their members.
        events: What happened.
        changed: Groups whose members are others now.
    """

    at: datetime
    level: float
    centres: dict[Circle, Centres]
    read: Callable[[Iterable[str]], Iterable[Observation]]
    embed: Callable[[list[Observation]], Vectors]
    find: Callable[[Iterable[str]], Mapping[str, FixGroup]]
    members: dict[str, dict[str, Observation]] = field(default_factory=dict)
    groups: dict[str, FixGroup] = field(default_factory=dict)
    vectors: dict[str, Vectors] = field(default_factory=dict)
    events: list[GroupEvent] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)

    def load(self, group_ids: Iterable[str]) -> None:
        """Read the groups that were not read yet."""
        missing = [id_ for id_ in group_ids if id_ not in self.groups]
        if not missing:
            return
        self.groups.update(self.find(missing))
        stored: dict[str, dict[str, Observation]] = defaultdict(dict)
        for each in self.read(missing):
            stored[str(each.group_id)][each.id] = each
        self.members.update({id_: stored[id_] for id_ in missing})
        self.encode([each for own in stored.values() for each in own.values()])

    def encode(self, observations: list[Observation]) -> None:
        """Take up the vectors of the observations."""
        unknown = [each for each in observations if each.id not in self.vectors]
        if unknown:
            self.vectors.update(zip((each.id for each in unknown), self.embed(unknown), strict=True))

    def leave(self, observation: Observation) -> None:
        """Take an observation out of its group, if it is in one."""
        group_id = observation.group_id
        if group_id is None:
            return
        self.load([group_id])
        if self.members[group_id].pop(observation.id, None) is not None:
            self.events.append(GroupEvent(group_id, GroupEventKind.LEFT, self.at, observation.id))
            self._touch(group_id)
        # It may come back told in other words.
        self.vectors.pop(observation.id, None)

    def renew(self, observation: Observation) -> None:
        """Replace an observation in its group: what it was told by is the same, what else is known of it is not."""
        group_id = str(observation.group_id)
        self.load([group_id])
        self.members[group_id][observation.id] = observation
        self.changed.add(group_id)

    def arrive(self, observation: Observation) -> None:
        """Group an observation with what is near it; its neighbours may split and merge over it."""
        circle = (observation.tenant, observation.audiences)
        self.encode([observation])
        centres = self.centres.setdefault(circle, Centres())
        near = centres.near(self.vectors[observation.id], at_least=self.level - SLACK, k=NEAREST)
        self.load(near)
        own = {id_: self.members[id_] for id_ in sorted(near, key=lambda id_: (self.groups[id_].created_at, id_))}
        all_members = {observation.id: observation} | {each.id: each for group in own.values() for each in group.values()}
        settled = [list(group) for group in own.values() if len(group) > SETTLED]
        parts = grouped({id_: self.vectors[id_] for id_ in all_members}, settled, level=self.level)
        result = regrouped(own, parts, at=self.at, new_id=lambda ids: self._new_id(circle, ids))
        self.events += result.events
        for id_, ids in result.members.items():
            if id_ not in self.groups:
                self.groups[id_] = self.find([id_]).get(id_) or FixGroup(id_, *circle, created_at=self.at, updated_at=self.at)
            if set(ids) != set(own.get(id_, ())):
                self.members[id_] = {member: replace(all_members[member], group_id=id_) for member in sorted(ids)}
                self.groups[id_] = replace(self.groups[id_], merged_into=None)
                self._touch(id_)
        for id_, heir in result.merged.items():
            self.members[id_] = {}
            self.groups[id_] = replace(self.groups[id_], merged_into=heir)
            self._touch(id_)

    def _new_id(self, circle: Circle, ids: frozenset[str]) -> str:
        """Return an id for a new group; that of its founders may be borne by a group that they founded before and left."""
        id_ = _group_id(circle, ids)
        self.load([id_])
        while self.members.get(id_):
            id_ = _group_id(circle, ids | {id_})
            self.load([id_])
        return id_

    def _touch(self, group_id: str) -> None:
        group = self.groups[group_id]
        self.groups[group_id] = replace(group, updated_at=self.at)
        self.changed.add(group_id)
        centres = self.centres.setdefault((group.tenant, group.audiences), Centres())
        own = self.members[group_id]
        if own:
            centres.put(group_id, np.sum([self.vectors[id_] for id_ in own], axis=0))
        else:
            centres.remove(group_id)


def _group_id(circle: Circle, ids: frozenset[str]) -> str:
    """Return the id of a new group: the same members in the same pass, repeated after a kill, get the same one."""
    told = "\x1f".join((circle[0], *sorted(circle[1]), *sorted(ids)))
    return "fix_" + sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:24]
