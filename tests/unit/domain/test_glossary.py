"""The glossary: words of other languages in English."""

import tomllib
from pathlib import Path

import pytest

from smarttriage.domain.errors import ConfigurationError
from smarttriage.domain.glossary import Glossary, parse_glossary

SHIPPED = Path(__file__).parents[3] / "kb" / "glossary.toml"


@pytest.fixture(scope="module")
def glossary() -> Glossary:
    return parse_glossary(tomllib.loads(SHIPPED.read_text(encoding="utf-8")))


def test_german_and_dutch_compounds_are_taken_apart(glossary: Glossary) -> None:
    german, dutch = glossary.gloss("Druckerwarteschlange", "de"), glossary.gloss("Printerwachtrij", "nl")
    assert german
    assert german.pairs == (("Druckerwarteschlange", "printer queue"),)
    assert dutch
    assert dutch.pairs == (("Printerwachtrij", "printer queue"),)


def test_a_phrase_goes_before_its_words(glossary: Glossary) -> None:
    found = glossary.gloss("Der Monitor funktioniert nicht mehr", "de")
    assert found
    assert ("funktioniert nicht mehr", "not working") in found.pairs


def test_codes_and_host_names_stand_as_they_were(glossary: Glossary) -> None:
    codes = "0x80070005 ORA-12154 KB5034441 srv-db01.corp DRUCKER-02"
    found = glossary.gloss(f"Fehler {codes}", "de")
    assert found
    assert all(code in found.text for code in codes.split())


def test_french_and_spanish_phrases_are_read_across_apostrophes_and_accents(glossary: Glossary) -> None:
    french, spanish = glossary.gloss("L'imprimante: file d’attente bloquée", "fr"), glossary.gloss("Contrasena caducada", "es")
    assert french
    assert [english for _, english in french.pairs] == ["printer", "queue", "blocked"]
    assert spanish
    assert spanish.text == "password expired"


@pytest.mark.parametrize("language", ["en", "it", None])
def test_other_languages_are_left_alone(glossary: Glossary, language: str | None) -> None:
    assert glossary.gloss("the printer in the hotel is kaputt", language) is None


def test_a_text_without_a_known_word_has_no_gloss(glossary: Glossary) -> None:
    assert glossary.gloss("Xyzzy", "de") is None


def test_a_wrong_line_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"de\.printer"):
        parse_glossary({"de": {"printer": 3}})
