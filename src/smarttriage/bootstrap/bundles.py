"""Which classifiers can be loaded from a folder and with which extra features; what trains them is `classifiers`."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from smarttriage.adapters.bundles import CURRENT, Codec, FolderBundles
from smarttriage.adapters.classifiers.centroid import CentroidClassifier
from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.evidence import EvidenceCues
from smarttriage.adapters.classifiers.features import ExtraFeatures
from smarttriage.bootstrap import resources
from smarttriage.config import Settings


def extras(settings: Settings | None = None) -> Mapping[str, ExtraFeatures]:
    """Return name and version -> extra features; a bundle trained with one of them loads only where it is listed."""
    cues = EvidenceCues(resources.lexicon(settings))
    return {cues.name: cues}


def codecs(settings: Settings | None = None) -> dict[str, Codec]:
    """Return format -> what loads it; with settings, the data folder's own lexicon of cues is used where there is one."""
    return {
        SklearnClassifier.format: partial(SklearnClassifier.from_files, extras=extras(settings)),
        CentroidClassifier.format: CentroidClassifier.from_files,
    }


def folder_bundles(root: Path, settings: Settings | None = None, *, pointer: str = CURRENT) -> FolderBundles:
    """Return the bundles below a folder; the file `pointer` names the promoted one."""
    return FolderBundles(root, codecs=codecs(settings), pointer=pointer)
