"""When reports belong together, and ordered rules that say what a cluster may be: read from kb/major_incidents.toml."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from smarttriage.domain.configuration import Section
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.streams import ProposalKind

_COUNTS = ("min_reports", "min_reporters", "min_services", "min_weeks")
_LEVELS = ("min_surprise", "min_cosine")


class Action(StrEnum):
    """What a rule does once it fits. Stable codes."""

    IGNORE = "ignore"
    PROPOSE = "propose"
    PROMOTE = "promote"


@dataclass(frozen=True, slots=True)
class Linking:
    """When a report belongs to others.

    Attributes:
        cosine: From here on two reports say the same, whatever else is usual; a shared service, CI or site adds to the cosine.
        floor: Below this they never do.
        rarity: In between they do if one is nearer to the other than all but this share of what came before: a text that is near to
            everything (a form, a greeting) needs to be nearer.
        shared_place: What a shared service, CI or site adds.
        gap: How far apart in time two reports of one storm are at most.
        burst: The time over which the reports of a storm are counted.
        history: How far back is looked for what is usual, and for what recurs.
        not_kinds: Messages of these kinds are of no storm: many orders on one morning are no outage.
    """

    cosine: float
    floor: float
    rarity: float
    shared_place: float
    gap: timedelta
    burst: timedelta
    history: timedelta
    not_kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a cluster when rules are asked; figures that mean nothing for its kind are 0.

    Attributes:
        n_reports: Reports in the burst; of a recurring problem, its incidents, a storm counted once.
        n_reporters: Different people; a report without one counts as one.
        n_services: Different services named.
        n_weeks: Different weeks with such an incident.
        surprise: -log10 of the probability of so many by chance.
        usual: How many would be usual in that time.
        cosine: The nearest one's.
        priorities: Those that are known.
        categories: Those that are known.
        kinds: Those that are known.
    """

    n_reports: int = 0
    n_reporters: int = 0
    n_services: int = 0
    n_weeks: int = 0
    surprise: float = 0.0
    usual: float = 0.0
    cosine: float = 0.0
    priorities: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()

    @property
    def figures(self) -> dict[str, float]:
        """Return the figures that are shown as evidence."""
        names = ("n_reports", "n_reporters", "n_services", "n_weeks", "surprise", "usual", "cosine")
        return {name: round(float(getattr(self, name)), 4) for name in names if getattr(self, name)}


@dataclass(frozen=True, slots=True)
class StreamRule:
    """One rule: what a cluster is proposed to be, or is, from which figures on.

    Attributes:
        id: Its name; written down with what it decides.
        kind: What the cluster may be.
        action: Propose (a person decides), promote, or ignore: then no later rule is asked.
        least: Figure of `Facts` -> least value.
        within: Duplicates only: how far apart the two reports are at most.
        priorities: One member has one of these; empty asks for none.
        categories: All members whose category is known are of these; empty asks for none.
        not_kinds: No member is of these kinds of message.
    """

    id: str
    kind: ProposalKind
    action: Action
    least: Mapping[str, float]
    within: timedelta | None = None
    priorities: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    not_kinds: frozenset[str] = frozenset()

    def fits(self, facts: Facts) -> bool:
        """Return whether the facts fulfil every condition."""
        return (
            all(getattr(facts, name) >= value for name, value in self.least.items())
            and (not self.priorities or not self.priorities.isdisjoint(facts.priorities))
            and (not self.categories or (bool(facts.categories) and facts.categories <= self.categories))
            and self.not_kinds.isdisjoint(facts.kinds)
        )


@dataclass(frozen=True, slots=True)
class StreamPolicy:
    """Linking and rules. Another one may be given at any time: clusters that exist stay as they are."""

    linking: Linking
    rules: tuple[StreamRule, ...]

    @classmethod
    def from_mapping(
        cls, values: Mapping[str, Any], policy: PriorityPolicy, file: str = "major_incidents.toml"
    ) -> "StreamPolicy":
        """Return the checked policy of a parsed file. Raises ConfigurationError naming file, key and way out."""
        top = Section(values, file)
        top.only(["version", "linking", "rules"])
        top.text("version")
        seen: set[str] = set()
        return cls(_linking(top.table("linking")), tuple(_rule(one, policy, seen) for one in top.tables("rules")))

    def decide(self, kinds: Collection[ProposalKind], facts: Facts) -> StreamRule | None:
        """Return the first rule for one of the kinds that fits, None where none does or where it says to ignore."""
        for rule in self.rules:
            if rule.kind in kinds and rule.fits(facts):
                return None if rule.action is Action.IGNORE else rule
        return None

    def of_kind(self, kind: ProposalKind) -> tuple[StreamRule, ...]:
        """Return the rules of a kind, in order."""
        return tuple(rule for rule in self.rules if rule.kind is kind)


def _linking(section: Section) -> Linking:
    section.only(["cosine", "floor", "rarity", "shared_place", "gap", "burst", "history", "not_kinds"])
    spans = {name: timedelta(minutes=section.minutes(name)) for name in ("gap", "burst", "history")}
    if spans["history"] <= spans["burst"]:
        section.fail("history", "is not longer than burst; what is usual is read from the time before the burst")
    levels = {name: _level(section, name, 1.0) for name in ("cosine", "floor", "rarity", "shared_place")}
    if levels["floor"] > levels["cosine"]:
        section.fail("floor", f"is above cosine, {levels['cosine']:g}; write at most that")
    return Linking(
        levels["cosine"],
        levels["floor"],
        levels["rarity"],
        levels["shared_place"],
        spans["gap"],
        spans["burst"],
        spans["history"],
        frozenset(section.texts("not_kinds")),
    )


def _rule(section: Section, policy: PriorityPolicy, seen: set[str]) -> StreamRule:
    section.only(["id", "kind", "action", "within", "priorities", "categories", "not_kinds", *_COUNTS, *_LEVELS])
    name, kind, action = section.text("id"), section.text("kind"), section.text("action")
    if name in seen:
        section.fail("id", f'"{name}" is used twice; give each rule its own')
    seen.add(name)
    if kind not in list(ProposalKind):
        section.fail("kind", f'is "{kind}"; write one of {", ".join(ProposalKind)}')
    if action not in list(Action):
        section.fail("action", f'is "{action}"; write one of {", ".join(Action)}')
    pairwise = kind in (ProposalKind.DUPLICATE, ProposalKind.RECURRING)
    if pairwise and "min_cosine" not in section.values:
        section.fail("min_cosine", f"is missing; a rule for {kind} compares texts and needs it")
    if (kind == ProposalKind.DUPLICATE) != ("within" in section.values):
        section.fail("within", "belongs to rules for duplicates, and to each of them")
    priorities = frozenset(section.texts("priorities"))
    if unknown := sorted(priorities - policy.targets.keys()):
        section.fail("priorities", f"names {', '.join(unknown)}; write some of {', '.join(policy.targets)}")
    return StreamRule(
        name,
        ProposalKind(kind),
        Action(action),
        _least(section),
        timedelta(minutes=section.minutes("within")) if "within" in section.values else None,
        priorities,
        frozenset(section.texts("categories")),
        frozenset(section.texts("not_kinds")),
    )


def _least(section: Section) -> dict[str, float]:
    """Return figure -> least value of what the rule asks for."""
    asked = {f"n_{name[4:]}": _count(section, name) for name in _COUNTS if name in section.values}
    return asked | {name[4:]: _level(section, name, 1_000.0) for name in _LEVELS if name in section.values}


def _count(section: Section, name: str) -> float:
    value = section.values.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        section.fail(name, f"is {value!r}; write a whole number from 1 on")
    return float(value)


def _level(section: Section, name: str, most: float) -> float:
    value = section.values.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        section.fail(name, f"is {value!r}; write a number from 0 to {most:g}")
    return float(value)
