"""A topic of incidents in another language is named by what they are about, not by that language's small words."""

import tomllib
from pathlib import Path

from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.bootstrap import resources
from smarttriage.domain.glossary import parse_glossary
from smarttriage.services.gaps import _ranked
from smarttriage.testing.factories import an_incident

KB = Path(__file__).parents[3] / "kb"
DUTCH = (
    "De printer doet het niet meer maar mijn collega kan wel afdrukken",
    "Ik kan niet afdrukken, de printer is niet bereikbaar maar het netwerk werkt voor mijn collega wel",
)


def test_a_dutch_topic_has_english_words_and_no_small_ones() -> None:
    glossary = parse_glossary(tomllib.loads((KB / "glossary.toml").read_text(encoding="utf-8")))
    languages = resources.intake().languages
    incidents = [an_incident(id=f"inc_{n}", title="", description=text) for n, text in enumerate(DUTCH)]
    vectors = list(HashingEncoder().encode([DUTCH[0]] * len(DUTCH)))
    (gap,) = _ranked(
        incidents, vectors, failed=frozenset(), overall=None, gloss=lambda text: glossary.gloss(text, languages.detect(text))
    )
    assert "printer" in gap.words
    assert not {"niet", "maar", "mijn", "voor", "wel"}.intersection(gap.words)
