"""Whether a resolution note is worth an article, by the shipped model over the rules, and what to ask if it is not."""

import json
from functools import lru_cache
from importlib.resources import files

from smarttriage.domain.note_features import NoteModel
from smarttriage.domain.note_question import question
from smarttriage.domain.resolution_note import NoteQuality

MODEL_FILE = "resolution_notes.json"


def assess(note: str, *, language: str | None = None) -> NoteQuality:
    """Return whether a colleague could do it again from the note, and one question in that language where not."""
    actionable = note_model().actionable(note)
    return NoteQuality(actionable, None if actionable else question(note, language))


@lru_cache(maxsize=1)
def note_model() -> NoteModel:
    """Return the shipped model: training/train_notes.py writes it, benchmarks/notes.py measures it."""
    raw = (files("smarttriage.services") / "assets" / MODEL_FILE).read_text("utf-8")
    return NoteModel.from_mapping(json.loads(raw), MODEL_FILE)
