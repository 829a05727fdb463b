"""How a fitted classifier becomes files and comes back: JSON for what is read, safetensors for arrays. Nothing is unpickled."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from smarttriage.adapters.classifiers.analysis import Analyser, TfidfBlock
from smarttriage.adapters.classifiers.features import ExtraFeatures, TextFeatures
from smarttriage.adapters.classifiers.heads import Calibration, LinearHead, MlpHead, Projection, TargetModel
from smarttriage.domain.contract import Cut, PrecisionCurve
from smarttriage.domain.errors import BundleError
from smarttriage.ports import TargetCard

MODEL = "model.json"
ARRAYS = "arrays.safetensors"
Arrays = dict[str, NDArray[Any]]
_CURVE = ("confidence", "n_rows", "n_tested")


def write(
    features: TextFeatures, projection: Projection | None, models: Mapping[str, TargetModel], encoder_id: str | None
) -> dict[str, bytes]:
    """Return file name -> content."""
    arrays: Arrays = {"word.idf": features.word.idf, "char.idf": features.char.idf}
    for place, (_, model) in enumerate(models.items()):
        arrays |= _target_arrays(f"target{place}", model)
    if projection:
        arrays["projection"] = projection.components.astype(np.float16)
    content = {
        "encoder_id": encoder_id,
        "dim": features.dim,
        "extra": {"name": features.extra.name, "columns": list(features.extra.columns)} if features.extra else None,
        "word": _terms(features.word),
        "char": _terms(features.char),
        "targets": [_target_json(model) for model in models.values()],
    }
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return {MODEL: text.encode(), ARRAYS: save_arrays({name: np.ascontiguousarray(array) for name, array in arrays.items()})}


def read(
    files: Mapping[str, bytes], extras: Mapping[str, ExtraFeatures]
) -> tuple[TextFeatures, Projection | None, dict[str, TargetModel], str | None]:
    """Return what `write` was given.

    Raises:
        BundleError: A file is missing, does not parse, or needs extra features that `extras` does not hold.
    """
    try:
        content, arrays = json.loads(files[MODEL]), load_arrays(files[ARRAYS])
        extra = _extra(content["extra"], extras)
        features = TextFeatures(
            _block(Analyser.WORD, content["word"], arrays["word.idf"]),
            _block(Analyser.CHAR_WB, content["char"], arrays["char.idf"]),
            int(content["dim"]),
            extra,
        )
        projection = Projection(arrays["projection"].astype(np.float32)) if "projection" in arrays else None
        models = {entry["name"]: _target(f"target{place}", entry, arrays) for place, entry in enumerate(content["targets"])}
        _check_shapes(features, projection, models)
        _check_tree(models)
    except (KeyError, ValueError, TypeError, SafetensorError) as error:
        raise BundleError(
            f"{MODEL} and {ARRAYS} do not make a classifier ({error!r}); restore the bundle or train again."
        ) from error
    return features, projection, models, content["encoder_id"]


def _terms(block: TfidfBlock) -> list[str]:
    return sorted(block.vocabulary, key=block.vocabulary.__getitem__)


def _block(analyser: Analyser, terms: list[str], idf: NDArray[np.float32]) -> TfidfBlock:
    if len(terms) != len(idf):
        raise ValueError(f"{len(terms)} {analyser} terms but {len(idf)} idf values")
    return TfidfBlock(analyser, {term: place for place, term in enumerate(terms)}, idf)


def _extra(entry: Mapping[str, Any] | None, extras: Mapping[str, ExtraFeatures]) -> ExtraFeatures | None:
    if entry is None:
        return None
    found = extras.get(entry["name"])
    if found is None or list(found.columns) != entry["columns"]:
        known = sorted(extras) or "none"
        raise BundleError(
            f"{MODEL} needs the extra features {entry['name']!r} with columns {entry['columns']}; this program has {known}. "
            "Load it with the version of smarttriage that trained it, or train again."
        )
    return found


def _target_arrays(prefix: str, model: TargetModel) -> Arrays:
    linear = model.linear
    arrays: Arrays = {f"{prefix}.{name}": getattr(linear, name) for name in ("word", "char", "dense", "bias")}
    for place, head in enumerate(model.networks):
        arrays |= {
            f"{prefix}.network{place}.{name}": getattr(head, name) for name in ("hidden", "hidden_bias", "out", "out_bias")
        }
    return arrays


def _target_json(model: TargetModel) -> dict[str, Any]:
    card, calibration = model.card, model.calibration
    return {
        "name": card.name,
        "labels": list(card.labels),
        "thresholds": dict(card.thresholds),
        "target_precision": card.target_precision,
        "parent": card.parent,
        "parents": dict(card.parents),
        "ordered": card.ordered,
        "curve": _curve_json(card.curve) if card.curve else None,
        "calibration": dataclasses.asdict(calibration),
        "n_networks": len(model.networks),
    }


def _target(prefix: str, entry: Mapping[str, Any], arrays: Arrays) -> TargetModel:
    # Bundles older than contracts have no curve: their thresholds hold, but cannot be moved.
    curve = _curve(entry["curve"]) if entry.get("curve") else None
    card = TargetCard(
        name=entry["name"],
        labels=tuple(entry["labels"]),
        thresholds=entry["thresholds"],
        target_precision=entry["target_precision"],
        parent=entry["parent"],
        parents=entry["parents"],
        ordered=entry["ordered"],
        contracts=curve.contracts(entry["target_precision"]) if curve else {},
        curve=curve,
    )
    linear = LinearHead(*(arrays[f"{prefix}.{name}"] for name in ("word", "char", "dense", "bias")))
    networks = tuple(
        MlpHead(*(arrays[f"{prefix}.network{place}.{name}"] for name in ("hidden", "hidden_bias", "out", "out_bias")))
        for place in range(entry["n_networks"])
    )
    fitted = entry["calibration"]
    return TargetModel(
        card, linear, networks, Calibration(fitted["linear"], fitted["network"], fitted["bend"], tuple(fitted["bias"]))
    )


def _curve_json(curve: PrecisionCurve) -> dict[str, Any]:
    cuts = {label: [list(dataclasses.astuple(cut)) for cut in cuts] for label, cuts in curve.cuts.items()}
    known = {name: getattr(curve, name) for name in _CURVE}
    return {**known, "together": curve.together, "n_predicted": dict(curve.n_predicted), "cuts": cuts}


def _curve(entry: Mapping[str, Any]) -> PrecisionCurve:
    cuts = {label: tuple(Cut(*values) for values in found) for label, found in entry["cuts"].items()}
    known = {name: entry[name] for name in _CURVE}
    return PrecisionCurve(**known, n_predicted=entry["n_predicted"], cuts=cuts, together=bool(entry.get("together")))


def _check_shapes(features: TextFeatures, projection: Projection | None, models: Mapping[str, TargetModel]) -> None:
    for name, model in models.items():
        n_labels = len(model.card.labels)
        expected = (len(features.word.idf), n_labels), (len(features.char.idf), n_labels), (features.n_dense, n_labels)
        if (model.linear.word.shape, model.linear.char.shape, model.linear.dense.shape) != expected:
            raise ValueError(f"weights of {name!r} do not fit its labels and terms")
        if model.networks and projection is None:
            raise ValueError(f"{name!r} has networks but there is no projection")
        if model.card.curve and set(model.card.curve.n_predicted) != set(model.card.labels):
            raise ValueError(f"the precision curve of {name!r} does not fit its labels")
        if set(model.card.thresholds) != set(model.card.labels) or len(model.calibration.bias) != n_labels:
            raise ValueError(f"thresholds or calibration of {name!r} do not fit its labels")


def _check_tree(models: Mapping[str, TargetModel]) -> None:
    """Raise ValueError unless each target stands behind the one above it and each of its labels below one label of that."""
    known: dict[str, set[str]] = {}
    for name, model in models.items():
        card = model.card
        if card.parent is None and card.parents:
            raise ValueError(f"{name!r} has labels below others but no target above it")
        if card.parent is not None:
            if card.parent not in known:
                raise ValueError(f"{name!r} is below {card.parent!r}, which does not stand before it")
            if set(card.parents) != set(card.labels) or not set(card.parents.values()) <= known[card.parent]:
                raise ValueError(f"the labels of {name!r} are not each below one of {card.parent!r}")
        known[name] = set(card.labels)
