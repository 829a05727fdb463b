"""How far a text is from the training rows: nearest-neighbour similarity and the heads' confidence, on one scale.

A text is strange if it is far from all rows, or if it is both rather far and hard for the heads: another subject altogether shows
in the first (benchmarks/dont_know.py, foreign sets), a new topic of the same subject in the second. The nearest neighbours in the
embedding (Sun et al., 2022, arXiv:2204.06507) say whether the topic was seen, the highest probability (Hendrycks and Gimpel, 2017,
arXiv:1610.02136) whether the heads can place it, and texts of everyday life, known to be none (outlier exposure; Hendrycks et al.,
2019, arXiv:1812.04606), whether it is nearer to those: what is far from all in a language that the encoder knows badly looks near
to everything. A bound is the k-th smallest held-out score with k = floor(share (n + 1)), so that a new row of the same source falls
below it with at most that share (split conformal prediction; Vovk et al., 2005); two bounds share it.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from smarttriage.domain.errors import BundleError
from smarttriage.ports import HeldOut, LabelledTexts, Probabilities, Vectors
from smarttriage.ports.novelty import Familiarity

NOVELTY = "novelty.json"
ARRAYS = "novelty.safetensors"
KIND = "kind"
STRANGE_SHARE = 0.01
DOUBTFUL_SHARE = 0.05
# The part of a share that the bound on mere distance takes. Terse tickets are far from everything and the score knows better: they have no such bound.
FAR_PART = 0.2
N_NEAREST = 5
# 2,000 rows cost 0.2 ms a text and 1.5 MB in the bundle.
MAX_ROWS = 2_000
MAX_MEASURED = 4_000
N_NEAREST_EVERYDAY = 3
# Fewer rows say too little of a language's texts; below, none of them is refused.
MIN_ROWS_OF_LANGUAGE = 50
# A terse text gives the encoder little to go by, so that a real one looks strange sooner; those have a bound of their own.
MAX_WORDS_TERSE = 8
# That bound spares texts up to here; on the dev half of benchmarks/data/dont_know.jsonl one hard ticket changes between 8 and 12 words.
MAX_WORDS_SPARED = 10
# A language is understood from ten rows and one in a hundred on; of few rows, from one in five.
UNDERSTOOD_SHARE = 0.01
MIN_UNDERSTOOD = 10
UNDERSTOOD_SHARE_OF_FEW = 0.2
Detect = Callable[[str], str | None]
Everyday = Callable[[], Vectors]
Scale = tuple[float, float]
_UNCLEAR = ""
_TERSE = "terse"
_NEVER = (-np.inf, -np.inf)


def unclear(_text: str) -> str | None:
    """Return no language: nobody tells which one it is."""
    return None


def no_vectors() -> Vectors:
    """Return no vectors: nobody tells what everyday texts look like."""
    return np.empty((0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class NearestRows:
    """Fitted novelty.

    Attributes:
        rows: (n, dim) vectors of training rows.
        kinds: For each row the column of its kind; -1 for none.
        kind_labels: Column order.
        nearness: Mean and spread of held-out rows' similarity to the nearest rows.
        confidence: Target -> mean and spread of held-out rows' highest probability.
        bounds: Language ("" where it is unclear) -> the scores below which a text is strange, and doubtful; "terse" -> those
            below which a terse one must be as well.
        far: The same for the mere similarity to the nearest rows, which says nothing of terse texts: those have none.
        everyday: (n, dim) vectors of texts of everyday life; none where nobody told them.
        contrast: Mean and spread of how much nearer held-out rows are to the rows than to those.
        understood: Languages of the training texts.
    """

    rows: Vectors
    kinds: NDArray[np.int16]
    kind_labels: tuple[str, ...]
    nearness: Scale
    confidence: Mapping[str, Scale]
    bounds: Mapping[str, Scale]
    far: Mapping[str, Scale]
    understood: frozenset[str]
    everyday: Vectors = field(default_factory=no_vectors)
    contrast: Scale = (0.0, 1.0)
    _rows_of_kind: Mapping[str, NDArray[np.intp]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look up once which rows are of which kind; every text asks."""
        found = {label: np.flatnonzero(self.kinds == place) for place, label in enumerate(self.kind_labels)}
        object.__setattr__(self, "_rows_of_kind", {label: rows for label, rows in found.items() if len(rows)})

    def familiarity(
        self, text: str, language: str | None, vector: Vectors, probabilities: Mapping[str, Probabilities]
    ) -> Familiarity:
        """Return how familiar a text is, by its (dim,) vector and the (n_labels,) probabilities of each target."""
        vector = np.asarray(vector, dtype=np.float32)
        similarity = self.rows @ vector
        tops = [
            _scaled(float(probabilities[name].max()), scale) for name, scale in self.confidence.items() if name in probabilities
        ]
        near = _nearest(similarity)
        score = _scaled(near, self.nearness) + (sum(tops) / len(tops) if tops else 0.0)
        if len(self.everyday):
            score += _scaled(near - _nearest(self.everyday @ vector, N_NEAREST_EVERYDAY), self.contrast)
        classes = (language or _UNCLEAR, *([_TERSE] if is_terse(text, MAX_WORDS_SPARED) else []))
        strange, doubtful = _lowest([self.bounds.get(name, _NEVER) for name in classes])
        far, rather_far = _lowest([self.far.get(name, _NEVER) for name in classes])
        kinds = {label: _nearest(similarity[rows]) for label, rows in self._rows_of_kind.items()}
        return Familiarity(score, score < strange or near < far, score < doubtful or near < rather_far, kinds)

    def to_files(self) -> dict[str, bytes]:
        """Return the files of a bundle, name -> content."""
        content = {
            "kind_labels": list(self.kind_labels),
            "nearness": list(self.nearness),
            "confidence": {name: list(scale) for name, scale in self.confidence.items()},
            "bounds": {name: _finite(pair) for name, pair in self.bounds.items()},
            "far": {name: _finite(pair) for name, pair in self.far.items()},
            "contrast": list(self.contrast),
            "understood": sorted(self.understood),
        }
        arrays = {"rows": self.rows.astype(np.float16), "kinds": self.kinds, "everyday": self.everyday.astype(np.float16)}
        return {NOVELTY: json.dumps(content).encode(), ARRAYS: save_arrays(arrays)}


def read_novelty(files: Mapping[str, bytes]) -> NearestRows | None:
    """Return what `NearestRows.to_files` wrote, or None for a bundle without it. Raises BundleError if it is damaged."""
    if NOVELTY not in files:
        return None
    try:
        content, arrays = json.loads(files[NOVELTY]), load_arrays(files[ARRAYS])
        rows, kinds, everyday = arrays["rows"].astype(np.float32), arrays["kinds"], arrays["everyday"].astype(np.float32)
        if rows.ndim != 2 or kinds.shape != (len(rows),) or everyday.ndim != 2:
            raise ValueError(f"{rows.shape} rows, {kinds.shape} kinds and {everyday.shape} everyday texts")
        return NearestRows(
            rows=rows,
            kinds=kinds,
            kind_labels=tuple(content["kind_labels"]),
            nearness=_pair(content["nearness"]),
            confidence={name: _pair(scale) for name, scale in content["confidence"].items()},
            bounds={name: _pair(pair) for name, pair in content["bounds"].items()},
            far={name: _pair(pair) for name, pair in content["far"].items()},
            understood=frozenset(content["understood"]),
            everyday=everyday,
            contrast=_pair(content["contrast"]),
        )
    except (KeyError, ValueError, TypeError, AttributeError, SafetensorError) as error:
        raise BundleError(f"{NOVELTY} and {ARRAYS} do not fit ({error!r}); restore the bundle or train again.") from error


def fit_novelty(
    examples: LabelledTexts,
    groups: Sequence[str],
    held_out: Mapping[str, HeldOut],
    *,
    detect: Detect,
    seed: int,
    everyday: Everyday = no_vectors,
) -> NearestRows:
    """Return the novelty of the rows; what it calls strange is set on held-out probabilities and without a row's own group.

    Without held-out rows (a model from descriptions or few labels) nothing is strange; the languages are known all the same.
    """
    n_rows = len(examples.texts)
    chosen = np.sort(np.random.default_rng(seed).permutation(n_rows)[:MAX_ROWS])
    # Bounds are set on the rounded vectors that the bundle keeps.
    rows, common = (array.astype(np.float16).astype(np.float32) for array in (examples.vectors[chosen], everyday()))
    held = sorted({row for part in held_out.values() for row in part.rows})
    measured = np.array(held, dtype=np.int_)
    if len(measured) > MAX_MEASURED:
        measured = np.sort(np.random.default_rng(seed).permutation(measured)[:MAX_MEASURED])
    nearest = _held_out_nearness(examples.vectors, rows, measured, chosen, groups)
    nearness, confidence = _scale(nearest), {name: _scale(part.calibrated.max(axis=1)) for name, part in held_out.items()}
    scores = np.array([_scaled(value, nearness) for value in nearest.tolist()]) + _tops(held_out, confidence, measured)
    contrast = (0.0, 1.0)
    if len(common):
        nearer = nearest - [_nearest(common @ examples.vectors[row], N_NEAREST_EVERYDAY) for row in measured.tolist()]
        contrast = _scale(nearer)
        scores += np.array([_scaled(value, contrast) for value in nearer.tolist()])
    detected = [detect(examples.texts[row]) or _UNCLEAR for row in measured.tolist()]
    labels, kinds = _kinds(examples.labels.get(KIND, ()), chosen)
    understood = _understood([detect(examples.texts[row]) or _UNCLEAR for row in chosen.tolist()])
    members = _members([examples.texts[row] for row in measured.tolist()], detected)
    bounds = _bounds(scores, members, part=1 - FAR_PART)
    far = _bounds(nearest, {name: mine for name, mine in members.items() if name != _TERSE}, part=FAR_PART)
    return NearestRows(rows, kinds, labels, nearness, confidence, bounds, far, understood, common, contrast)


def is_terse(text: str, most: int = MAX_WORDS_TERSE) -> bool:
    """Return whether a text has so few words that it is bounded apart."""
    return len(text.split()) <= most


def _members(texts: Sequence[str], detected: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Return for each class of texts that has rows enough which ones are in it: every language, and the terse ones."""
    languages = np.array(detected)
    found = {language: languages == language for language in sorted(set(detected))}
    found[_TERSE] = np.array([is_terse(text) for text in texts], dtype=np.bool_)
    return {name: mine for name, mine in found.items() if mine.sum() >= MIN_ROWS_OF_LANGUAGE}


def _lowest(pairs: Sequence[Scale]) -> Scale:
    """Return the lowest bounds."""
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def _nearest(similarity: Vectors, n: int = N_NEAREST) -> float:
    """Return the mean of the n highest similarities."""
    if len(similarity) > n:
        similarity = np.partition(similarity, -n)[-n:]
    return float(np.add.reduce(similarity) / len(similarity)) if len(similarity) else 0.0


def _held_out_nearness(
    vectors: Vectors, rows: Vectors, measured: NDArray[np.int_], chosen: NDArray[np.int_], groups: Sequence[str]
) -> NDArray[np.float64]:
    """Return for each measured row its similarity to the nearest rows of other groups."""
    names = {name: place for place, name in enumerate(dict.fromkeys(groups))}
    number = np.array([names[name] for name in groups])
    return np.array(
        [_nearest((rows @ vectors[row])[number[chosen] != number[row]]) for row in measured.tolist()], dtype=np.float64
    )


def _tops(held_out: Mapping[str, HeldOut], confidence: Mapping[str, Scale], measured: NDArray[np.int_]) -> NDArray[np.float64]:
    """Return for each measured row the mean over its targets of the highest held-out probability, scaled."""
    place = {row: index for index, row in enumerate(measured.tolist())}
    sums, counts = np.zeros(len(measured)), np.zeros(len(measured))
    for name, part in held_out.items():
        for row, top in zip(part.rows, part.calibrated.max(axis=1).tolist(), strict=True):
            if row in place:
                sums[place[row]] += _scaled(top, confidence[name])
                counts[place[row]] += 1
    return np.asarray(sums / np.maximum(counts, 1))


def _bounds(scores: NDArray[np.float64], members: Mapping[str, NDArray[np.bool_]], *, part: float) -> dict[str, Scale]:
    """Return the bounds of each class of texts; none is stricter than that of all rows, which vary more.

    Where a class's rows are too few for the share, its lowest row is the bound.
    """
    ascending = np.sort(scores)
    found = {}
    for name, mine in members.items():
        strange, doubtful = (
            min(_bound(np.sort(scores[mine]), share * part, least=1), _bound(ascending, share * part))
            for share in (STRANGE_SHARE, DOUBTFUL_SHARE)
        )
        found[name] = (strange, doubtful)
    return found


def _bound(ascending: NDArray[np.float64], share: float, *, least: int = 0) -> float:
    """Return the k-th smallest score for the share, at least the `least`-th; -inf for k = 0."""
    place = max(int(share * (len(ascending) + 1)), least)
    # The last digits depend on how memory is aligned; a model must not.
    return round(float(ascending[place - 1]), 6) if place else -np.inf


def _understood(detected: Sequence[str]) -> frozenset[str]:
    least = min(max(MIN_UNDERSTOOD, UNDERSTOOD_SHARE * len(detected)), UNDERSTOOD_SHARE_OF_FEW * len(detected))
    return frozenset(language for language, count in Counter(detected).items() if language and count >= least)


def _kinds(labels: Sequence[str | None], chosen: NDArray[np.int_]) -> tuple[tuple[str, ...], NDArray[np.int16]]:
    order = tuple(sorted({label for label in labels if label}))
    columns = {label: place for place, label in enumerate(order)}
    found = [columns.get(labels[row] or "", -1) if len(labels) else -1 for row in chosen.tolist()]
    return order, np.array(found, dtype=np.int16)


def _scale(values: NDArray[np.float64]) -> Scale:
    if not len(values):
        return 0.0, 1.0
    return round(float(values.mean()), 6), round(float(values.std()), 6) or 1.0


def _scaled(value: float, scale: Scale) -> float:
    return (value - scale[0]) / scale[1]


def _finite(pair: Scale) -> list[float | None]:
    """Return the pair as JSON, which knows no infinity."""
    return [None if np.isinf(bound) else bound for bound in pair]


def _pair(values: Sequence[float | None]) -> Scale:
    first, second = (-np.inf if value is None else float(value) for value in values)
    return first, second
