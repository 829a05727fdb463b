"""Which places of a text carried a label, by what the label loses without them; and what other evidence would change."""

from collections.abc import Mapping, Sequence

import numpy as np

from smarttriage.adapters.classifiers.features import Place, TextFeatures
from smarttriage.adapters.classifiers.heads import Scores, TargetModel, softmax
from smarttriage.adapters.classifiers.prepared import Prepared
from smarttriage.ports import TextSpan, Vectors
from smarttriage.ports.evidence import Reconsidered


class Carried:
    """What each place of one text adds to the score of one label against its rivals.

    A place is weighed by occlusion in the linear part: what the label's log-odds lose without its words' terms and its cues.
    The embedding's and the networks' share has no place in the text and is not shown. `at` are the target's labels among
    those of all targets, `column` is the label's place among them.
    """

    def __init__(self, features: TextFeatures, prepared: Prepared, model: TargetModel, at: slice, column: int) -> None:
        chunks = prepared.chunks[:, at]
        scores = model.linear.bias + np.add.reduce(chunks)
        self._contrast = _against_rivals(np.asarray(scores, dtype=np.float64) * model.calibration.linear, column)
        self._prepared = prepared
        self._weights = model.linear.dense[features.dim :]
        self._chunks = chunks @ self._contrast

    def places(self, target: str, label: str) -> list[TextSpan]:
        """Return the places that may be shown for the label, each with its weight: its words' and that of the extra columns."""
        places = [place for place in self._prepared.places if (target, label) in place.speaks_for]
        extra = (self._weights @ self._contrast).tolist() if places else []
        return [self._weighed(place, extra) for place in places]

    def _weighed(self, place: Place, extra: Sequence[float]) -> TextSpan:
        span = place.span
        cues = sum([value * extra[column] for column, value in place.losses.items()])
        words = np.add.reduce(self._chunks[self._prepared.reading.inside(span.start, span.end)])
        return TextSpan(span.start, span.end, float(cues + words), span.cue)

    def words(self, n: int) -> list[TextSpan]:
        """Return at most n spans of words, heaviest first; words that stand together become one span."""
        order = np.argsort(-self._chunks, kind="stable")[:n].tolist()
        top = sorted(place for place in order if self._chunks[place] > 0)
        spans = [self._run(run) for run in _runs(top)]
        return heaviest([span for span in spans if span.end > span.start], n)

    def _run(self, run: Sequence[int]) -> TextSpan:
        reading = self._prepared.reading
        return TextSpan(reading.starts[run[0]], reading.ends[run[-1]], float(self._chunks[run[0] : run[-1] + 1].sum()))


def heaviest(spans: Sequence[TextSpan], n: int) -> list[TextSpan]:
    """Return the at most n spans that weigh more than 0, heaviest first; of two kinds of evidence in the same words the first."""
    apart: dict[tuple[int, int], TextSpan] = {}
    for span in spans:
        if span.weight > 0:
            apart.setdefault((span.start, span.end), span)
    return sorted(apart.values(), key=lambda span: (-span.weight, span.start))[: max(n, 0)]


def reconsidered(
    present: Mapping[str, tuple[TargetModel, Scores]],
    columns: Mapping[str, slice],
    prepared: Prepared,
    *,
    inputs: Vectors | None,
) -> list[Reconsidered]:
    """Return what the models say after each change that the extra features allow for, smallest change first.

    `present` are the ordered targets with the linear scores of their labels now, `columns` those labels among the shifts, `inputs`
    what the networks read.
    """
    if not prepared.altered:
        return []
    found = {
        name: model.probabilities(scores + prepared.shifts[:, columns[name]], inputs) for name, (model, scores) in present.items()
    }
    answers = [
        Reconsidered(alternative.change, size, alternative.spans, {name: rows[place] for name, rows in found.items()})
        for place, (alternative, size) in enumerate(zip(prepared.altered, prepared.sizes, strict=True))
    ]
    return sorted(answers, key=lambda answer: answer.size)


def _against_rivals(scores: Scores, column: int) -> Vectors:
    """Return the gradient of the label's log-odds: 1 for the label, minus each rival's share of the other labels' mass."""
    rivals = scores.copy()
    rivals[column] = -np.inf
    contrast = -softmax(rivals) if len(scores) > 1 else np.zeros(1)
    contrast[column] = 1.0
    return np.asarray(contrast, dtype=np.float32)


def _runs(places: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs
