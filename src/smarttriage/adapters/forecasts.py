"""Forecast models on disk: JSON for what is read, safetensors for arrays, each file by its sha256. Nothing is unpickled."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from smarttriage.adapters.saved_folder import MANIFEST, read_folder, write_folder
from smarttriage.domain.errors import BundleError, IndexMismatch

_KIND = "forecast-1"
_ARRAYS = "arrays.safetensors"
Arrays = dict[str, NDArray[np.float32]]


def write_forecast(folder: Path, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Write the model so that after a crash at any moment the folder holds either the former one or this one."""
    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})

    def write(stream: BinaryIO) -> None:
        stream.write(content)

    write_folder(folder, kind=_KIND, seq=0, facts=facts, parts={_ARRAYS: write})


def read_forecast(folder: Path) -> tuple[dict[str, Any], Arrays] | None:
    """Return what was written, None where nothing was. Raises BundleError for a damaged one."""
    if not (folder / MANIFEST).exists():
        return None
    try:
        found = read_folder(folder, kind=_KIND, expected={})
        return dict(found.facts), load(found.files[_ARRAYS].read_bytes())
    except (IndexMismatch, SafetensorError, KeyError) as error:
        raise BundleError(f"{folder} holds no whole forecast ({error}); run `smarttriage forecast` again") from error


def changed_at(folder: Path) -> int:
    """Return when the model was written, ns; 0 where there is none."""
    path = folder / MANIFEST
    return path.stat().st_mtime_ns if path.exists() else 0
