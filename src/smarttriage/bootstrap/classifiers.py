"""Trainers, bundles and what both need: which classifiers can be loaded and with which extra features."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from smarttriage.adapters.bundles import Codec, FolderBundles
from smarttriage.adapters.classifiers.centroid import CentroidClassifier
from smarttriage.adapters.classifiers.features import ExtraFeatures
from smarttriage.adapters.classifiers.sklearn import SklearnClassifier, SklearnTrainer, TargetOptions

# By name and version; a bundle trained with one of them loads only where it is listed.
EXTRAS: Mapping[str, ExtraFeatures] = {}
LEVELS = ("low", "medium", "high")
# What the default taxonomy says about its targets; a customer's own targets have no parent and no order.
DEFAULT_OPTIONS = {
    "sub_category": TargetOptions(parent="category"),
    "impact": TargetOptions(order=LEVELS),
    "urgency": TargetOptions(order=LEVELS),
}


def codecs() -> dict[str, Codec]:
    """Return format -> what loads it."""
    return {
        SklearnClassifier.format: partial(SklearnClassifier.from_files, extras=EXTRAS),
        CentroidClassifier.format: CentroidClassifier.from_files,
    }


def folder_bundles(root: Path) -> FolderBundles:
    """Return the bundles below a folder."""
    return FolderBundles(root, codecs=codecs())


def sklearn_trainer(
    encoder_id: str,
    labels: Mapping[str, Sequence[str | None]],
    *,
    target_precision: float,
    extra: ExtraFeatures | None = None,
) -> SklearnTrainer:
    """Return the default trainer; options of the default taxonomy apply where the labels allow them."""
    options = {name: option for name, option in DEFAULT_OPTIONS.items() if name in labels and _fits(option, labels, name)}
    return SklearnTrainer(encoder_id=encoder_id, targets=options, target_precision=target_precision, extra=extra)


def _fits(option: TargetOptions, labels: Mapping[str, Sequence[str | None]], name: str) -> bool:
    if option.parent is not None:
        return option.parent in labels
    return {label for label in labels[name] if label} <= set(option.order)
