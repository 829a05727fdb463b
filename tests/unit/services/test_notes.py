"""The shipped judge of resolution notes: better than the rules it stands on, and it asks about what is missing."""

import json
from pathlib import Path

import pytest

from smarttriage.domain import resolution_note
from smarttriage.domain.errors import ConfigurationError
from smarttriage.domain.near_text import near_identical, word_set
from smarttriage.domain.note_features import FEATURES, NoteModel, features
from smarttriage.domain.note_question import QUESTIONS, Missing, missing
from smarttriage.services.notes import assess, note_model

ROOT = Path(__file__).parents[3]
NOTES = [json.loads(line) for line in (ROOT / "benchmarks/data/resolution_notes.jsonl").read_text(encoding="utf-8").splitlines()]
FIT, HELD_OUT = ([row for row in NOTES if row["part"] == part] for part in ("fit", "held_out"))


def test_the_labelled_set_holds_300_notes_half_of_them_held_out_and_half_of_each_empty() -> None:
    assert len(NOTES) == len({row["text"] for row in NOTES}) == 300
    for part in (FIT, HELD_OUT):
        assert len(part) == 150
        assert sum(row["actionable"] for row in part) == 75
        assert {row["language"] for row in part} == {"en", "de", "fr", "nl", "es"}


def test_no_note_has_a_near_duplicate_in_the_other_part() -> None:
    held = [word_set(row["text"]) for row in HELD_OUT]
    assert not any(near_identical(word_set(row["text"]), other, 0.6) for row in FIT for other in held)


def test_the_shipped_model_makes_fewer_mistakes_on_held_out_notes_than_the_rules() -> None:
    wrong = [
        sum(judge(row["text"]).actionable != row["actionable"] for row in HELD_OUT) for judge in (assess, resolution_note.assess)
    ]
    assert wrong[0] <= 12 < wrong[1]


def test_the_shipped_weights_are_those_that_the_script_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "training")
    import train_notes

    model, _, _ = train_notes.fitted()
    assert NoteModel.from_mapping(model, "fitted") == note_model()


def test_a_verdict_can_be_explained_by_what_was_found() -> None:
    reasons = dict(note_model().reasons("Rebooted the user's PC, closing."))
    assert min(reasons, key=lambda name: reasons[name]) == "restart"
    assert set(reasons) <= set(FEATURES)
    assert dict(note_model().reasons("DNS suffix set to corp.example in GPO NET-01"))["codes"] > 0


@pytest.mark.parametrize("note", ["", "...", "  \n"])
def test_an_empty_note_is_never_worth_an_article(note: str) -> None:
    assert not assess(note).actionable


def test_a_long_note_is_judged_by_its_beginning() -> None:
    assert features("a " * 100_000) == features("a " * 2_000)


@pytest.mark.parametrize(
    ("note", "left_out"),
    [
        ("fixed", Missing.CHANGE),
        ("rebooted", Missing.CAUSE_OF_RESTART),
        ("Nach Neustart ok", Missing.CAUSE_OF_RESTART),
        ("Vendor fixed it.", Missing.WORK_OF_OTHERS),
        ("Could not reproduce, not seen again", Missing.CAUSE_UNKNOWN),
        ("Settings adjusted.", Missing.OBJECT),
    ],
)
def test_the_question_asks_for_what_the_note_leaves_out(note: str, left_out: Missing) -> None:
    assert missing(note) is left_out
    assert assess(note).question == QUESTIONS["en"][left_out]
    assert assess(note, language="de").question == QUESTIONS["de"][left_out]
    assert assess(note, language="ja").question == QUESTIONS["en"][left_out]


def test_every_language_has_every_question() -> None:
    assert all(set(questions) == set(Missing) for questions in QUESTIONS.values())
    assert all(text.count("?") <= 2 for questions in QUESTIONS.values() for text in questions.values())


def test_weights_of_other_features_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="train_notes"):
        NoteModel.from_mapping({"weights": {"length": 1.0}, "bias": 0.0}, "notes.json")
