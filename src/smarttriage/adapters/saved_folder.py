"""Saved indexes on disk: files named by their content and one manifest, whose replacement is the only commit."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from smarttriage.domain.errors import IndexMismatch

MANIFEST = "manifest.json"
FORMAT = 1
WAY_OUT = "delete the folder; the index is rebuilt from the store"


@dataclass(frozen=True, slots=True)
class SavedFolder:
    """What a checked folder holds.

    Attributes:
        seq: Position in the change log that the index holds.
        facts: What the adapter wrote about it (encoder id, dimension, ...).
        files: Part name -> its file.
    """

    seq: int
    facts: Mapping[str, Any]
    files: Mapping[str, Path]


def write_folder(
    folder: Path, *, kind: str, seq: int, facts: Mapping[str, Any], parts: Mapping[str, Callable[[BinaryIO], None]]
) -> None:
    """Write parts and manifest so that the folder holds, after a crash at any moment, either the former state or this one.

    Args:
        folder: Created if missing.
        kind: What sort of index it is; a reader of another kind refuses it.
        seq: Position in the change log.
        facts: JSON values that the reader checks.
        parts: Part name -> function that writes its bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: _write_part(folder, name, write) for name, write in parts.items()}
    manifest = {"format": FORMAT, "kind": kind, "seq": seq, "facts": dict(facts), "files": files}
    temporary = folder / f"{MANIFEST}.tmp"
    _write_synced(temporary, lambda stream: stream.write(json.dumps(manifest, indent=1).encode()))
    temporary.replace(folder / MANIFEST)
    _sync_folder(folder)
    kept = {MANIFEST, *(file["name"] for file in files.values())}
    for path in folder.iterdir():
        if path.is_file() and path.name not in kept:
            path.unlink(missing_ok=True)


def read_folder(folder: Path, *, kind: str, expected: Mapping[str, Any]) -> SavedFolder:
    """Return what the folder holds, every file checked against its sha256.

    Raises:
        IndexMismatch: It is missing, damaged, of another format or kind, or one of the `expected` facts differs.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
        found = {"format": manifest["format"], "kind": manifest["kind"], **manifest["facts"]}
        files = {str(name): (folder / Path(file["name"]).name, str(file["sha256"])) for name, file in manifest["files"].items()}
        seq = int(manifest["seq"])
    except FileNotFoundError:
        raise IndexMismatch(f"No saved index in {folder}: {path} is missing.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexMismatch(f"{path} is not the manifest of an index ({error!r}); {WAY_OUT}.") from error
    for name, value in {"format": FORMAT, "kind": kind, **expected}.items():
        if found.get(name) != value:
            raise IndexMismatch(f"The index in {folder} has {name} {found.get(name)!r}, not {value!r}; {WAY_OUT}.")
    for file, sha256 in files.values():
        _check(file, sha256)
    return SavedFolder(seq, manifest["facts"], {name: file for name, (file, _) in files.items()})


def _write_part(folder: Path, name: str, write: Callable[[BinaryIO], None]) -> dict[str, str]:
    temporary = folder / f"{name}.tmp"
    _write_synced(temporary, write)
    sha256 = _sha256(temporary)
    final = f"{Path(name).stem}-{sha256[:16]}{Path(name).suffix}"
    temporary.replace(folder / final)
    return {"name": final, "sha256": sha256}


def _write_synced(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    with path.open("wb") as stream:
        write(stream)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # other systems cannot open a folder; there the rename alone has to do
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(path: Path, expected: str) -> None:
    if not path.is_file():
        raise IndexMismatch(f"Index file {path} is missing; {WAY_OUT}.")
    if (found := _sha256(path)) != expected:
        raise IndexMismatch(f"Index file {path} is damaged: sha256 {found[:12]}… instead of {expected[:12]}…; {WAY_OUT}.")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
