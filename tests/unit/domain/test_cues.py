"""Cues stand where they say, read five languages, and cost time in proportion to the text."""

import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarttriage.adapters.classifiers.evidence import EvidenceCues
from smarttriage.adapters.classifiers.explain import heaviest
from smarttriage.domain import cue_features
from smarttriage.domain.configuration import Section
from smarttriage.domain.cue_families import family_of
from smarttriage.domain.cue_lexicon import parse_lexicon
from smarttriage.domain.cue_types import CUE_TYPES, Cue
from smarttriage.domain.cues import Lexicon
from smarttriage.domain.errors import ConfigurationError
from smarttriage.domain.evidence_changes import parse_changes
from smarttriage.ports import TextSpan

FILE = Path(__file__).parents[3] / "kb/cues.toml"
LEXICON = parse_lexicon(tomllib.loads(FILE.read_text("utf-8")))


def found(text: str) -> dict[str, list[str]]:
    cues: dict[str, list[str]] = {}
    for cue in LEXICON.find(text):
        cues.setdefault(cue.cue, []).append(text[cue.start : cue.end])
    return cues


def people(text: str) -> int:
    return max((cue.value or 0 for cue in LEXICON.find(text) if cue.cue == "number_of_people"), default=0)


@pytest.mark.parametrize(
    ("text", "cue", "words"),
    [
        ("Printer jams\nthe six of us in payroll wait", "number_of_people", "six of us"),
        ("There is NOTHING\nelse left", "no_workaround", "NOTHING\nelse"),
        ("C'est bloqué à l’accueil", "team", "à l’accueil"),
        ("Der ganze Standort ist ohne Netz", "whole_site", "ganze Standort"),
        ("niemand anders heeft last", "only_me", "niemand anders"),
        ("nadie puede entrar", "stopped", "nadie puede"),
        ("needed by 14:30 today", "deadline_today", "needed by 14:30 today"),
        ("volume /data 95 % full", "serious_soon", "95 % full"),
        ("Mevrouw Jansen belt", "one_named_person", "Mevrouw"),
        ("Sunil, Marva and Bo cannot print", "named_people", "Sunil, Marva and Bo"),
        ("Nobody in accounts payable can book", "team", "Nobody in accounts payable"),
        ("The entire night crew is offline", "number_of_people", "entire night crew"),
        ("Our whole sales team loses the VPN", "team", "whole sales team"),
        ("Niemand in der Buchhaltung kann drucken", "stopped", "Niemand in der Buchhaltung kann"),
        ("Alle im Lager sind offline", "whole_site", "Alle im Lager"),
        ("Personne à la comptabilité ne reçoit de mails", "number_of_people", "Personne à la comptabilité"),
    ],
)
def test_cue_stands_at_its_own_words(text: str, cue: str, words: str) -> None:
    assert words in found(text).get(cue, [])


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("the whole company is down, nobody can work, no workaround", {"whole_organisation", "stopped", "no_workaround"}),
        ("toute l'entreprise, personne ne peut travailler, aucune solution", {"whole_organisation", "stopped", "no_workaround"}),
        ("das ganze Unternehmen steht, kein Ausweichplatz", {"whole_organisation", "stopped", "no_workaround"}),
        ("het hele bedrijf ligt plat, geen alternatief", {"whole_organisation", "stopped", "no_workaround"}),
        ("toda la empresa está parada, sin alternativa", {"whole_organisation", "stopped", "no_workaround"}),
        ("it drops now and then and is slow", {"intermittent", "slow"}),
        ("ça coupe de temps en temps, très lent", {"intermittent", "slow"}),
        ("bricht ab und zu ab, sehr langsam", {"intermittent", "slow"}),
        ("valt af en toe uit, erg traag", {"intermittent", "slow"}),
        ("se corta a veces, muy lento", {"intermittent", "slow"}),
        ("I use the other printer instead", {"workaround_cheap"}),
        ("je passe par la messagerie web, ça marche bien", {"workaround_cheap"}),
        ("ich nehme solange den anderen Drucker", {"workaround_cheap"}),
        ("ik gebruik zolang de andere printer", {"workaround_cheap"}),
        ("mientras tanto uso la otra impresora", {"workaround_cheap"}),
    ],
)
def test_evidence_is_read_in_five_languages(text: str, cues: set[str]) -> None:
    assert cues <= found(text).keys()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("thirty people", 30),
        ("a dozen colleagues", 12),
        ("sixty-one employees", 61),
        ("two hundred staff", 200),
        ("1,800 employees", 1800),
        ("2.300 Mitarbeiter", 2300),
        ("wir sind zu dritt", 3),
        ("nous sommes six", 6),
        ("met z'n vieren", 4),
        ("somos cinco", 5),
        ("alle 220 Beschäftigten", 220),
        ("a une trentaine de personnes", 30),
        ("twelve printers", 0),
        ("error 1800", 0),
    ],
)
def test_number_of_people_is_read_in_digits_and_words(text: str, number: int) -> None:
    assert people(text) == number


def test_negation_takes_a_stop_back() -> None:
    assert "stopped" in found("the line is down")
    assert "stopped" not in found("work has not stopped")
    assert "slow" not in found("it is not slow")
    assert "slow" in found("it is not. slow since noon")


def test_tone_is_found_but_is_no_feature() -> None:
    assert "tone_loud" in found("URGENT, this is a catastrophe")
    assert not [name for name in cue_features.columns() if "tone" in name]
    assert LEXICON.types["tone_loud"].speaks_for == ()


def test_pattern_does_not_cross_the_end_of_a_sentence() -> None:
    assert "stopped" in found("nobody at the desk can print")
    assert "stopped" not in found("I told nobody. You can print")
    assert "stopped" not in found("nobody\nYou can print")


@given(st.text(max_size=400))
def test_every_cue_lies_inside_the_text_and_repeats(text: str) -> None:
    cues = LEXICON.find(text)
    assert all(0 <= cue.start < cue.end <= len(text) for cue in cues)
    assert cues == LEXICON.find(text)
    values = cue_features.values(text, cues)
    assert len(values) == len(cue_features.columns())
    assert all(0 <= value <= 2 for value in values)


@pytest.mark.parametrize(
    "part",
    [
        "nobody can ",
        "a" * 50,
        "no no no ",
        "1,",
        "all the ",
        "9 ",
        "A, ",
        "!!!\n",
        "x y z ",
        "by before until ",
        "ﷺ",
        "two hundred ",
    ],
)
def test_hostile_text_costs_time_in_proportion(part: str) -> None:
    def seconds(size: int, turn: int = 0) -> float:
        text = (part * (size // len(part) + 1))[:size] + f" {turn}"  # another text each time: recent answers are remembered
        started = time.process_time()
        LEXICON.find(text)
        return time.process_time() - started

    # Other texts each time, because one that was just read is not read again; the lesser of two, because a pause counts too.
    small, large = (min(seconds(size), seconds(size + 1)) for size in (8_000, 80_000))
    assert large < 40 * max(small, 0.01)


def test_megabyte_of_one_pattern_ends() -> None:
    started = time.process_time()
    LEXICON.find("nobody at all in the whole company " * 30_000)
    assert time.process_time() - started < 20


def test_columns_are_distinct_and_name_every_counted_cue() -> None:
    columns = cue_features.columns()
    assert len(set(columns)) == len(columns)
    assert {name.split(".")[0] for name in columns} >= set(cue_features.COUNTED)
    assert set(LEXICON.types) == set(CUE_TYPES)


def minimal(**changes: Any) -> dict[str, Any]:
    cue = {"about": "stopped", "speaks_for": ["urgency:high"], "en": ["{who} cannot work"], **changes.pop("cue", {})}
    return {
        "lists": {"who": ["nobody", "no one"]},
        "numbers": {"en": {"two": 2}},
        "negation": {"words": ["not"], "window": 2},
        "cues": {"stopped": cue},
        **changes,
    }


def test_minimal_lexicon_loads() -> None:
    lexicon: Lexicon = parse_lexicon(minimal())
    assert [cue.cue for cue in lexicon.find("no one cannot work")] == ["stopped"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cue": {"en": ["{where} down"]}}, r"my\.toml: cues\.stopped\.en: \{where\} names no list; use one of who"),
        ({"cue": {"en": ["~2 work"]}}, r"cues\.stopped\.en: .* begins with a gap"),
        ({"cue": {"en": ["(open"]}}, r"cues\.stopped\.en: a bracket is not closed"),
        ({"cue": {"en": ["closed)"]}}, r"cues\.stopped\.en: .* closes nothing"),
        ({"cue": {"en": ["<m> people"]}}, r"cues\.stopped\.en: .* cannot read"),
        ({"cue": {"en": []}}, r"cues\.stopped: has no pattern"),
        ({"cue": {"speaks_for": ["urgency"]}}, r"cues\.stopped\.speaks_for: holds \"urgency\"; write target and level"),
        ({"cue": {"value": "size"}}, r"cues\.stopped\.value: is \"size\"; write \"number\""),
        ({"cue": {"pattern": ["x"]}}, r"cues\.stopped\.pattern: unknown key; use one of"),
        ({"cues": {"stoped": {}}}, r"cues\.stoped: unknown key; use one of"),
        ({"numbers": {"en": {"two": "2"}}}, r"numbers\.en\.two: is '2'; write a whole number"),
        ({"negation": {"words": [], "window": 20}}, r"negation\.window: is 20; write a whole number from 0 to 9"),
        ({"lists": {"who": ["&"]}}, r"lists\.who: .* holds no word"),
    ],
)
def test_error_of_the_loader_names_file_key_and_way_out(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_lexicon(minimal(**changes), file="my.toml")


@pytest.mark.parametrize(
    ("text", "families"),
    [
        (
            "Nobody on the second floor can work, 12 people, no workaround, needed by noon today; ransomware.",
            "who how_many stopped workaround deadline attack",
        ),
        (
            "Toute l'équipe, douze personnes, ne peut plus travailler, aucune solution, à rendre aujourd'hui avant 14:30, rançongiciel.",
            "who how_many stopped workaround deadline attack",
        ),
        (
            "Die ganze Abteilung, zwölf Mitarbeiter, steht still, kein Ausweichplatz, muss heute bis 14:30 raus, Trojaner.",
            "who how_many stopped workaround deadline attack",
        ),
        (
            "De hele afdeling, twaalf medewerkers, ligt plat, geen alternatief, moet vandaag voor 14:30 klaar, losgeld gevraagd.",
            "who how_many stopped workaround deadline attack",
        ),
        (
            "Todo el departamento, doce empleados, está parado, sin alternativa, hay que entregarlo hoy antes de las 14:30, ransomware.",
            "who how_many stopped workaround deadline attack",
        ),
    ],
)
def test_six_families_of_evidence_are_found_in_five_languages(text: str, families: str) -> None:
    assert set(families.split()) <= {str(family_of(cue.cue)) for cue in LEXICON.find(text)}


def test_every_cue_but_tone_belongs_to_a_family() -> None:
    assert [name for name in CUE_TYPES if family_of(name) is None] == ["tone_loud", "tone_calm"]
    assert family_of(None) is None


def test_a_change_takes_cues_away_and_adds_one() -> None:
    text = "Mail\nthe whole site, all 40 people, cannot work"
    cues = LEXICON.find(text)
    (change,) = (change for change in LEXICON.changes if change.id == "only_this_team")
    kept, dropped = change.apply(cues)
    assert {"whole_site", "number_of_people"} <= {cue.cue for cue in dropped}
    assert "team" in {cue.cue for cue in kept}
    assert change.changes({cue.cue for cue in cues})
    assert not change.changes({cue.cue for cue in LEXICON.find("only our team")})


PARTS = st.lists(st.sampled_from(["the whole site", "12 people", "is down", "no other way", "only me", "by noon today", "\n"]))


def differing(text: str, before: Sequence[Cue], after: Sequence[Cue]) -> dict[int, float]:
    old, new = cue_features.values(text, before), cue_features.values(text, after)
    return {place: pytest.approx(b - a) for place, (a, b) in enumerate(zip(old, new, strict=True)) if a != b}


@given(PARTS)
def test_losses_without_some_words_are_those_of_the_numbers_without_their_cues(parts: list[str]) -> None:
    text = " ".join(parts)
    cues = LEXICON.find(text)
    numbers = cue_features.CueNumbers(text, cues)
    for cue in cues:
        others = [other for other in cues if other.end <= cue.start or other.start >= cue.end]
        assert numbers.losses(cue.start, cue.end) == differing(text, others, cues)


@given(PARTS)
def test_alternatives_gain_what_the_numbers_of_the_changed_cues_gain(parts: list[str]) -> None:
    text = " ".join(parts)
    cues = LEXICON.find(text)
    for altered in EvidenceCues(LEXICON).alternatives(text):
        assert altered.differences == differing(text, cues, altered.change.apply(cues)[0])


def test_words_that_are_evidence_of_two_kinds_are_taken_away_and_shown_once() -> None:
    text = "The whole sales team is offline"
    both = [cue.cue for cue in LEXICON.find(text) if text[cue.start : cue.end] == "whole sales team"]
    assert both == ["number_of_people", "team"]
    (one_person,) = [
        each for each in EvidenceCues(LEXICON).alternatives(text) if each.change.says == "only one person is affected"
    ]
    assert [text[span.start : span.end] for span in one_person.spans] == ["whole sales team"]
    spans = [TextSpan(4, 20, 1.5, name) for name in both] + [TextSpan(0, 3, 2.0)]
    assert [(span.start, span.cue) for span in heaviest(spans, 5)] == [(0, None), (4, "number_of_people")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "x", "family": "mood", "says": "y", "adds": "team"}, r'changes\[0\].family: is "mood"; write one of who'),
        ({"id": "x", "family": "who", "says": "y", "adds": "crowd"}, 'adds: names "crowd", which is no cue type'),
        ({"id": "x", "family": "who", "says": "y"}, "adds: is missing, and so is drops"),
        ({"id": "x", "family": "who", "says": "y", "adds": "team", "number": 0}, "number: is 0; write a whole number"),
    ],
)
def test_wrong_change_is_named_with_the_way_out(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_changes(Section({"changes": [change]}, "cues.toml"))
