"""An administrator's rules above the model: when something is said or known, a field gets a value or a least level."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from smarttriage.domain.cue_types import Cue
from smarttriage.domain.cues import Lexicon


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a platform knows of an incident beside its text; only rules read it."""

    reporter: str | None = None
    affected_users: tuple[str, ...] = ()
    affected_services: tuple[str, ...] = ()
    configuration_items: tuple[str, ...] = ()
    source_system: str | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must hold for a rule, all of it; what is empty asks for nothing.

    Attributes:
        any_words: Whether one of its word patterns must stand in the text.
        n_all_words: How many word patterns must all stand there.
        cues: Evidence cue types of which one must be found.
        all_cues: Evidence cue types that must all be found.
        unless_words: Whether it has word patterns of which none may stand there.
        unless_cues: Evidence cue types of which none may be found.
        services: Names of services or configuration items, one of them affected or named in the text; None: any or none.
        people: Reporters or affected users, one of them; None: anybody.
        source_systems: Where the record came from, one of them; None: anywhere.
        values: Target -> labels, one of them predicted or given.
    """

    any_words: bool = False
    n_all_words: int = 0
    cues: frozenset[str] = frozenset()
    all_cues: frozenset[str] = frozenset()
    unless_words: bool = False
    unless_cues: frozenset[str] = frozenset()
    services: tuple[str, ...] | None = None
    people: tuple[str, ...] | None = None
    source_systems: tuple[str, ...] | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: Its name, shown with whatever it decides.
        reason: Why it is there, as a sentence.
        when: What must hold.
        sets: Target (or "priority") -> the value it gets.
        at_least: "impact", "urgency" or "priority" -> the least that it may be.
    """

    id: str
    reason: str
    when: Conditions
    sets: Mapping[str, str]
    at_least: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why a rule holds: the places of the text, and what is known beside it, in words."""

    spans: tuple[Cue, ...] = ()
    known: tuple[str, ...] = ()


class RuleBook:
    """Rules in their order. Immutable; safe to use from many threads."""

    def __init__(self, rules: Sequence[Rule] = (), *, cues: Lexicon | None = None, words: Lexicon | None = None) -> None:
        self.rules = tuple(rules)
        self._cues = cues
        self._words = words
        self._reads_cues = any(rule.when.cues | rule.when.all_cues | rule.when.unless_cues for rule in rules)
        self._names = {rule.id: _pattern(rule.when.services) for rule in rules if rule.when.services}

    def read(self, text: str, *, cues: bool = False) -> "Found":
        """Return what the rules look for in the text, found once for all of them; evidence cues also where none asks, if wanted."""
        evidence = self._cues.find(text) if self._cues and (cues or self._reads_cues) else ()
        return Found(text, _by_type(evidence), _by_type(self._words.find(text)) if self._words else {})

    def grounds(self, rule: Rule, found: "Found", known: Circumstances, values: Mapping[str, str | None]) -> Grounds | None:
        """Return why the rule holds, None where it does not; `values` are the labels that stand so far."""
        when = rule.when
        if any(values.get(target) not in labels for target, labels in when.values.items()):
            return None
        if any(cue in found.cues for cue in when.unless_cues) or unless(rule.id) in found.words:
            return None
        spans: list[Cue] = []
        for asked, places in self._asked(rule, found):
            if asked and not places:
                return None
            spans += places
        said: list[str] = []
        for asked_names, given, what in (
            (when.people, (known.reporter, *known.affected_users), "person"),
            (when.source_systems, (known.source_system,), "source system"),
        ):
            if asked_names is not None:
                hits = _known(asked_names, given)
                if not hits:
                    return None
                said += [f"{what} {hit}" for hit in hits]
        if when.services is not None:
            hits = _known(when.services, (*known.affected_services, *known.configuration_items))
            named = self._names[rule.id].finditer(found.text) if rule.id in self._names else ()
            places = [Cue(match.start(), match.end(), "service") for match in named]
            if not hits and not places:
                return None
            said += [f"service {hit}" for hit in hits]
            spans += places
        return Grounds(tuple(spans), tuple(said))

    @staticmethod
    def _asked(rule: Rule, found: "Found") -> Iterable[tuple[bool, list[Cue]]]:
        when = rule.when
        yield bool(when.cues), [cue for name in sorted(when.cues) for cue in found.cues.get(name, ())]
        for name in sorted(when.all_cues):
            yield True, found.cues.get(name, [])
        yield when.any_words, found.words.get(any_of(rule.id), [])
        for number in range(when.n_all_words):
            yield True, found.words.get(all_of(rule.id, number), [])


@dataclass(frozen=True, slots=True)
class Found:
    """The cues and the words of the rules in one text, by type."""

    text: str
    cues: Mapping[str, list[Cue]]
    words: Mapping[str, list[Cue]]


def any_of(rule_id: str) -> str:
    """Return the type under which the words of `any_words` are found."""
    return f"{rule_id}:any"


def all_of(rule_id: str, number: int) -> str:
    """Return the type under which one of `all_words` is found."""
    return f"{rule_id}:all:{number}"


def unless(rule_id: str) -> str:
    """Return the type under which the words of `unless_words` are found."""
    return f"{rule_id}:unless"


def _by_type(cues: Iterable[Cue]) -> dict[str, list[Cue]]:
    found: dict[str, list[Cue]] = {}
    for cue in cues:
        found.setdefault(cue.cue, []).append(cue)
    return found


def _known(wanted: Sequence[str], given: Iterable[str | None]) -> list[str]:
    names = {name.casefold() for name in wanted}
    return [name for name in given if name is not None and name.casefold() in names]


def _pattern(names: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
