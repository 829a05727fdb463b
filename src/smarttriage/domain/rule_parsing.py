"""Reading `kb/rules.toml`, which administrators edit: every error names the file, the key and the way out."""

import re
from collections.abc import Iterator, Mapping

from smarttriage.domain.configuration import Section
from smarttriage.domain.cue_patterns import Parser, PatternError, Row
from smarttriage.domain.cue_types import CUE_TYPES, CueType
from smarttriage.domain.cues import Lexicon
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.rules import Conditions, Rule, RuleBook, all_of, any_of, unless
from smarttriage.domain.taxonomy import Taxonomy

_WHEN_WORDS = ("any_words", "all_words", "unless_words")
_WHEN_CUES = ("cues", "all_cues", "unless_cues")
_WHEN_KNOWN = ("services", "people", "source_systems")
_TARGETS = ("kind", "category", "sub_category", "impact", "urgency")
_FLOORS = ("impact", "urgency", "priority")
_LIST = re.compile(r"\{(\w+)\}")


def parse_rules(
    values: Mapping[str, object], *, lexicon: Lexicon, taxonomy: Taxonomy, policy: PriorityPolicy, file: str = "rules.toml"
) -> RuleBook:
    """Return the checked rules of a parsed file. Raises ConfigurationError naming file, key and way out."""
    top = Section(values, file)
    top.only(["version", "lists", "rules"])
    top.text("version")
    reader = _Reader(_lists(top), _labels(taxonomy, policy))
    rules = tuple(reader.rule(section) for section in top.tables("rules"))
    names = [rule.id for rule in rules]
    for name in names:
        if names.count(name) > 1:
            top.fail("rules", f'the id "{name}" stands there {names.count(name)} times; give each its own id')
    types = {name: CueType(name, "words of a rule") for name in reader.patterns}
    words = Lexicon(types=types, patterns=reader.patterns, numbers={}, negation=frozenset(), window=0)
    return RuleBook(rules, cues=lexicon, words=words if reader.patterns else None)


def _lists(top: Section) -> dict[str, tuple[str, ...]]:
    if "lists" not in top.values:
        return {}
    section = top.table("lists")
    return {name: section.texts(name) for name in section.values}


def _labels(taxonomy: Taxonomy, policy: PriorityPolicy) -> dict[str, tuple[str, ...]]:
    """Return target -> its labels, the least first where they have an order."""
    return {
        **{target: taxonomy.names(target) or () for target in ("kind", "category", "sub_category")},
        "impact": policy.matrix.impacts,
        "urgency": policy.matrix.urgencies,
        "priority": tuple(sorted(policy.targets, reverse=True)),
    }


class _Reader:
    def __init__(self, lists: Mapping[str, tuple[str, ...]], labels: Mapping[str, tuple[str, ...]]) -> None:
        self._lists = lists
        self._labels = labels
        self._parser = Parser(lists={}, numbers={})
        self.patterns: dict[str, tuple[Row, ...]] = {}

    def rule(self, section: Section) -> Rule:
        section.only(["id", "reason", "when", "then"])
        name = section.text("id")
        when = self._conditions(section.table("when"), name)
        then = section.table("then")
        then.only([*_TARGETS, "priority", *(f"{target}_at_least" for target in _FLOORS)])
        sets = {target: self._label(then, target, target) for target in (*_TARGETS, "priority") if target in then.values}
        floors = {
            target: self._label(then, f"{target}_at_least", target) for target in _FLOORS if f"{target}_at_least" in then.values
        }
        if not sets and not floors:
            section.fail("then", 'decides nothing; write for example urgency_at_least = "high"')
        for target in sets.keys() & floors.keys():
            then.fail(f"{target}_at_least", f"stands beside {target}; keep one of them")
        return Rule(name, section.text("reason"), when, sets, floors)

    def _conditions(self, section: Section, rule_id: str) -> Conditions:
        section.only([*_WHEN_WORDS, *_WHEN_CUES, *_WHEN_KNOWN, *_TARGETS])
        if not any(name in section.values for name in (*_WHEN_WORDS[:2], *_WHEN_CUES[:2], *_WHEN_KNOWN, *_TARGETS)):
            section.fail("any_words", "is missing, and so is every other condition; say when the rule holds")
        everything = list(self._rows(section, "all_words"))
        self._keep(any_of(rule_id), self._rows(section, "any_words"))
        self._keep(unless(rule_id), self._rows(section, "unless_words"))
        for number, row in enumerate(everything):
            self._keep(all_of(rule_id, number), [row])
        known = {name: self._names(section, name) for name in _WHEN_KNOWN if name in section.values}
        return Conditions(
            any_words="any_words" in section.values,
            n_all_words=len(everything),
            cues=self._cues(section, "cues"),
            all_cues=self._cues(section, "all_cues"),
            unless_words="unless_words" in section.values,
            unless_cues=self._cues(section, "unless_cues"),
            services=known.get("services"),
            people=known.get("people"),
            source_systems=known.get("source_systems"),
            values={target: self._values(section, target) for target in _TARGETS if target in section.values},
        )

    def _keep(self, name: str, rows: "Iterator[Row] | list[Row]") -> None:
        if kept := tuple(rows):
            self.patterns[name] = kept

    def _rows(self, section: Section, key: str) -> Iterator[Row]:
        for pattern in self._names(section, key):
            try:
                yield self._parser.parse(pattern)
            except PatternError as error:
                section.fail(key, str(error))

    def _names(self, section: Section, key: str) -> tuple[str, ...]:
        """Return the entries of a list, with those of [lists] in the place of "{name}"."""
        names: list[str] = []
        for entry in section.texts(key):
            if (match := _LIST.fullmatch(entry)) is None:
                names.append(entry)
            elif match[1] in self._lists:
                names += self._lists[match[1]]
            else:
                section.fail(key, f'names the list "{match[1]}"; add {match[1]} = [...] under [lists]')
        return tuple(names)

    def _cues(self, section: Section, key: str) -> frozenset[str]:
        for name in (names := section.texts(key)):
            if name not in CUE_TYPES:
                section.fail(key, f'names "{name}", which is no cue type; use one of {", ".join(CUE_TYPES)}')
        return frozenset(names)

    def _values(self, section: Section, target: str) -> tuple[str, ...]:
        for name in (names := section.texts(target)):
            self._check(section, target, target, name)
        return names

    def _label(self, section: Section, key: str, target: str) -> str:
        name = section.text(key)
        self._check(section, key, target, name)
        return name

    def _check(self, section: Section, key: str, target: str, name: str) -> None:
        if name not in self._labels[target]:
            section.fail(key, f'is "{name}"; use one of {", ".join(self._labels[target])}')
