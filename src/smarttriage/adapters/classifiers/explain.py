"""Which words of a text carried a label, read off the linear part."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate

from smarttriage.adapters.classifiers.analysis import TfidfBlock, word_terms
from smarttriage.adapters.classifiers.features import TextFeatures
from smarttriage.adapters.classifiers.heads import LinearHead
from smarttriage.ports import TextSpan, Vectors

# str.split, which the character terms follow, also splits at the separators \x1c to \x1f; \S+ agrees with it.
_CHUNK = re.compile(r"\S+")
_EDGES = re.compile(r"^\W+|\W+$")


def explain(features: TextFeatures, head: LinearHead, column: int, text: str, n: int) -> list[TextSpan]:
    """Return at most n spans, heaviest first.

    A word's weight is what its word, word-pair and character terms add to the label's score beyond what they add to the
    mean label's; words that stand together become one span. The embedding's and the networks' share has no place in the
    text and is not shown.
    """
    lowered = text.lower()
    chunks = [(match.start(), match.end()) for match in _CHUNK.finditer(lowered)]
    if not chunks or n < 1:
        return []
    starts = [start for start, _ in chunks]
    weights = _char_weights(features.char, head.char, column, lowered)
    per_term = _per_occurrence(features.word, head.word, column, lowered)
    for term in word_terms(lowered):
        if share := per_term.get(features.word.vocabulary.get(term.text, -1)):
            # Half to the first and half to the last word: a pair is shared, a word gets both halves.
            weights[bisect_right(starts, term.start) - 1] += share / 2
            weights[bisect_right(starts, term.end - 1) - 1] += share / 2
    top = sorted((place for place in weights if weights[place] > 0), key=lambda place: (-weights[place], place))[:n]
    back = _offsets(text, lowered)
    spans = [_span(lowered, back, chunks, run, weights) for run in _runs(sorted(top))]
    return sorted((span for span in spans if span.end > span.start), key=lambda span: (-span.weight, span.start))


def _char_weights(block: TfidfBlock, part: Vectors, column: int, lowered: str) -> dict[int, float]:
    """Return for each chunk of the text what its character terms add; equal chunks are added up once."""
    per_term = _per_occurrence(block, part, column, lowered)
    words = lowered.split()
    known = {word: sum(map(per_term.__getitem__, block.char_columns(word))) for word in set(words)}
    return defaultdict(float, {place: known[word] for place, word in enumerate(words)})


def _per_occurrence(block: TfidfBlock, part: Vectors, column: int, lowered: str) -> dict[int, float]:
    """Return for each column that the text fills what one occurrence of its term adds."""
    columns, values, counts = block.counted(lowered)
    rows = part[columns]
    gains = values * (rows[:, column] - rows.mean(axis=1)) / counts
    return dict(zip(columns.tolist(), gains.tolist(), strict=True))


def _runs(places: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _span(
    lowered: str, back: Sequence[int], chunks: Sequence[tuple[int, int]], run: Sequence[int], weights: dict[int, float]
) -> TextSpan:
    start, end = chunks[run[0]][0], chunks[run[-1]][1]
    words = lowered[start:end]
    trimmed = _EDGES.sub("", words)
    start += words.find(trimmed)
    return TextSpan(back[start], back[start + len(trimmed)], sum(weights[place] for place in run))


def _offsets(text: str, lowered: str) -> Sequence[int]:
    """Return for each offset of the lower-cased text the one of the text; they differ where "İ" becomes two characters."""
    if len(text) == len(lowered):
        return range(len(text) + 1)
    ends = list(accumulate(len(character.lower()) for character in text))
    back = [0] * (len(lowered) + 1)
    place = 0
    for offset in range(len(lowered) + 1):
        while place < len(ends) and ends[place] <= offset:
            place += 1
        back[offset] = place
    return back


def extra_spans(
    features: TextFeatures, head: LinearHead, text: str, *, target: str, labels: Sequence[str], label: str
) -> list[TextSpan]:
    """Return the places of the extra features that are shown for the label and spoke for it, heaviest first."""
    if features.extra is None:
        return []
    column = labels.index(label)
    values, rows = features.extra.values(text), head.dense[features.dim :]
    weights: dict[tuple[int, int, str], float] = defaultdict(float)
    for place, span in features.extra.spans(text, target, label):
        gain = float(values[place] * (rows[place, column] - rows[place].mean()))
        weights[span.start, span.end, span.cue or features.extra.columns[place]] += gain
    spans = [TextSpan(start, end, weight, cue) for (start, end, cue), weight in weights.items() if weight > 0]
    return sorted(spans, key=lambda span: (-span.weight, span.start))
