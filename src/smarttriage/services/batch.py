"""Many texts in, their predicted fields out: in portions, so that what was stopped goes on behind the last one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from smarttriage.domain.suggestion import FieldPrediction
from smarttriage.domain.text import model_text
from smarttriage.ports import Vectors
from smarttriage.services.backtest_answers import FinishedSteps
from smarttriage.services.live import Models
from smarttriage.services.matching import IncidentText
from smarttriage.services.predicting import anew, nothing
from smarttriage.services.ruling import ruled
from smarttriage.services.training import Progress

# What a stop costs at most: about 8 s of encoding on two cores.
PORTION = 1_024
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A text of a file: where it stands, what was written, and the columns that go into the answer as they are."""

    line: int
    text: IncidentText
    kept: Mapping[str, str | None]


def batch_row(line: int, texts: Sequence[str], kept: Mapping[str, str | None]) -> BatchRow:
    """Return the row; of several texts the first is the title."""
    title, rest = (texts[0], texts[1:]) if len(texts) > 1 else ("", texts)
    return BatchRow(line, IncidentText(title, "\n".join(text for text in rest if text)), kept)


def predict_texts(
    models: Models, texts: Sequence[IncidentText], *, encode: Callable[[Sequence[str]], Vectors]
) -> list[dict[str, FieldPrediction]]:
    """Return for each text its predicted fields by target, as the service answers where no past incident votes.

    A text that the gate refuses by its words alone is not encoded.
    """
    refused = [models.gate.refusal(text.title, text.description) for text in texts]
    read = [model_text(text.title, text.description) for text in texts]
    places = [place for place, reason in enumerate(refused) if reason is None]
    vectors = dict(zip(places, encode([read[place] for place in places]), strict=True)) if places else {}
    found = []
    for place, (text, reason) in enumerate(zip(texts, refused, strict=True)):
        if reason is not None:
            fields, _ = ruled(models, text, nothing(models, reason, text.known))
        else:
            vector = vectors[place]
            # One at a time: what explains the fields is then computed once with them.
            again = anew(models, vector, models.classifier.predict_proba([read[place]], vector[None]), dict)
            fields, _ = ruled(models, text, again(text), again)
        found.append(fields)
    return found


def answer(row: BatchRow, fields: Mapping[str, FieldPrediction], targets: Iterable[str]) -> dict[str, Any]:
    """Return the answer to a row as plain values: its line, what was kept of it and what was said of each target."""
    return {"line": row.line, "kept": dict(row.kept), "fields": {target: _plain(fields[target]) for target in targets}}


def _plain(field: FieldPrediction) -> dict[str, Any]:
    return {
        "value": field.value,
        "confidence": round(field.confidence, 4),
        "mode": field.mode.value,
        "reason": field.reason.value if field.reason else None,
        "best": field.alternatives[0].value if field.alternatives else field.value,
        "words": [evidence.text for evidence in field.evidence],
    }


def answered(
    rows: Iterable[BatchRow],
    *,
    models: Models,
    encode: Callable[[Sequence[str]], Vectors],
    finished: FinishedSteps,
    total: int,
    progress: Progress,
    portion: int = PORTION,
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Yield the answers portion by portion; portions that are `finished` are not computed again."""
    done, targets = 0, list(models.classifier.cards)
    progress("predict", 0, total)
    for number, several in enumerate(portions(rows, portion)):
        name = f"{number:06}"
        kept = finished.get(name)
        if kept is None:
            fields = predict_texts(models, [row.text for row in several], encode=encode)
            kept = {"answers": [answer(row, one, targets) for row, one in zip(several, fields, strict=True)]}
            finished.put(name, kept)
        done += len(several)
        progress("predict", done, total)
        yield kept["answers"]


def portions(items: Iterable[Item], n: int) -> Iterator[list[Item]]:
    """Yield the items n at a time, the last ones fewer."""
    rest = iter(items)
    while several := list(islice(rest, n)):
        yield several
