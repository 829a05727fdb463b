"""Arrivals join, merge and split groups, and each of these is written down under names that stay."""

from collections.abc import Iterable

import numpy as np

from smarttriage.domain.observation import FixGroup, Observation
from smarttriage.ports import Vectors
from smarttriage.services.fix_neighbourhood import Circle, Neighbourhood
from smarttriage.services.grouping import Centres
from smarttriage.testing.factories import NOON


class _Stored:
    """Passes over groups that are stored in between; an observation's title is where its vector points, in degrees."""

    def __init__(self) -> None:
        self.groups: dict[str, FixGroup] = {}
        self.members: dict[str, Observation] = {}
        self.centres: dict[Circle, Centres] = {}

    def arrive(self, *degrees: int, audience: str = "everyone") -> Neighbourhood:
        around = self._pass()
        for each in degrees:
            around.arrive(Observation(f"o{each}", "t", frozenset({audience}), f"i{each}", str(each), "", "", NOON))
        return self._kept(around)

    def leave(self, degrees: int) -> Neighbourhood:
        around = self._pass()
        around.leave(self.members[f"o{degrees}"])
        del self.members[f"o{degrees}"]
        return self._kept(around)

    def parts(self) -> set[frozenset[str]]:
        names = {each.group_id for each in self.members.values()}
        return {frozenset(id_ for id_, each in self.members.items() if each.group_id == name) for name in names}

    def group_of(self, degrees: int) -> str | None:
        return self.members[f"o{degrees}"].group_id

    def _pass(self) -> Neighbourhood:
        return Neighbourhood(at=NOON, level=0.8, centres=self.centres, read=self._read, embed=self._embed, find=self._find)

    def _read(self, group_ids: Iterable[str]) -> list[Observation]:
        wanted = set(group_ids)
        return [each for each in self.members.values() if each.group_id in wanted]

    def _find(self, group_ids: Iterable[str]) -> dict[str, FixGroup]:
        return {id_: self.groups[id_] for id_ in group_ids if id_ in self.groups}

    def _embed(self, observations: list[Observation]) -> Vectors:
        angles = np.radians([float(each.title) for each in observations])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    def _kept(self, around: Neighbourhood) -> Neighbourhood:
        for id_ in around.changed:
            self.groups[id_] = around.groups[id_]
            self.members.update(around.members[id_])
        return around


def _kinds(around: Neighbourhood) -> set[tuple[str, str]]:
    return {(str(event.kind), event.group_id) for event in around.events}


def test_what_is_near_joins_and_what_is_far_begins_a_group() -> None:
    stored = _Stored()
    stored.arrive(0)
    first = stored.group_of(0)
    stored.arrive(10)
    stored.arrive(120)
    assert stored.parts() == {frozenset({"o0", "o10"}), frozenset({"o120"})}
    assert stored.group_of(10) == first


def test_a_newcomer_between_two_groups_merges_them_under_one_of_their_names() -> None:
    stored = _Stored()
    stored.arrive(0, 2)
    stored.arrive(40)
    kept, gone = stored.group_of(0), stored.group_of(40)
    around = stored.arrive(20)
    assert stored.parts() == {frozenset({"o0", "o2", "o20", "o40"})}
    assert stored.group_of(40) == kept
    assert stored.groups[str(gone)].merged_into == kept
    assert ("merged", gone) in _kinds(around)
    assert around.members[str(gone)] == {}


def test_a_group_whose_members_drift_apart_splits_and_the_larger_part_keeps_the_name() -> None:
    stored = _Stored()
    stored.arrive(0)
    stored.arrive(30)
    name = stored.group_of(0)
    stored.arrive(60)
    around = stored.arrive(32)
    assert stored.parts() == {frozenset({"o0"}), frozenset({"o30", "o32", "o60"})}
    assert name in (stored.group_of(0), stored.group_of(30))
    assert {"joined", "left"} <= {kind for kind, _ in _kinds(around)}


def test_observations_of_other_audiences_are_never_in_one_group() -> None:
    stored = _Stored()
    stored.arrive(0)
    stored.arrive(1, audience="hr")
    assert stored.parts() == {frozenset({"o0"}), frozenset({"o1"})}


def test_who_leaves_is_written_down_and_an_empty_group_is_not_found_again() -> None:
    stored = _Stored()
    stored.arrive(0)
    name = stored.group_of(0)
    around = stored.leave(0)
    assert ("left", name) in _kinds(around)
    stored.arrive(1)
    assert stored.group_of(1) != name


def test_the_same_pass_over_again_gives_the_same_names() -> None:
    names = []
    for _ in range(2):
        stored = _Stored()
        stored.arrive(0, 5, 90, 95, 50)
        names.append({id_: each.group_id for id_, each in stored.members.items()})
    assert names[0] == names[1]


def test_one_that_founded_a_group_and_comes_back_elsewhere_founds_another() -> None:
    stored = _Stored()
    stored.arrive(0, 20)
    stored.leave(0)
    around = stored._pass()
    around.arrive(Observation("o0", "t", frozenset({"everyone"}), "i0", "90", "", "", NOON))
    stored._kept(around)
    assert stored.parts() == {frozenset({"o0"}), frozenset({"o20"})}
