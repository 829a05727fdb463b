"""What every vector index checks and how it writes its rows."""

import json
from collections.abc import Collection, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

import numpy as np

from smarttriage.adapters.saved_folder import read_folder, write_folder
from smarttriage.domain.errors import IndexMismatch, InvalidInput
from smarttriage.ports import Hit, Vectors

Labels = frozenset[str]
KIND = "vectors"
VECTORS = "vectors.npy"
ROWS = "rows.json"


def checked_rows(
    ids: Sequence[str], vectors: Vectors, labels: Sequence[Collection[str]], dim: int
) -> dict[str, tuple[int, Labels]]:
    """Return id -> (its row in `vectors`, its labels); of an id given twice the last row counts.

    Raises:
        InvalidInput: Wrong shape, non-finite values or lengths that differ.
    """
    if not len(ids) == len(vectors) == len(labels):
        raise InvalidInput(f"{len(ids)} ids, {len(vectors)} vectors and {len(labels)} label sets: give one of each per record.")
    checked_vectors(vectors, dim)
    return {id_: (row, frozenset(labels[row])) for row, id_ in enumerate(ids)}


def checked_vectors(vectors: Vectors, dim: int) -> Vectors:
    """Return the vectors as C-contiguous float32. Raises InvalidInput unless they are finite and of shape (n, dim)."""
    array = np.ascontiguousarray(vectors, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != dim:
        raise InvalidInput(f"Vectors of shape {array.shape}; this index holds (n, {dim}).")
    if not np.isfinite(array).all():
        raise InvalidInput("A vector holds NaN or infinity; encode the text again.")
    return array


def best(hits: list[tuple[float, str]], k: int) -> list[Hit]:
    """Return the k best of (score, id) pairs, ties by id."""
    return [Hit(id_, score) for score, id_ in sorted(hits, key=lambda hit: (-hit[0], hit[1]))[:k]]


def save_rows(folder: Path, *, seq: int, encoder_id: str, ids: Sequence[str], vectors: Vectors, labels: Sequence[Labels]) -> None:
    """Write the rows atomically with checksum, encoder id and seq."""
    sets = {label_set: code for code, label_set in enumerate(dict.fromkeys(labels))}
    rows = {"ids": list(ids), "label_sets": [sorted(each) for each in sets], "codes": [sets[each] for each in labels]}

    def write_rows(stream: BinaryIO) -> None:
        text = TextIOWrapper(stream, "utf-8")
        json.dump(rows, text)
        text.detach()

    def write_vectors(stream: BinaryIO) -> None:
        np.save(stream, vectors, allow_pickle=False)

    facts = {"encoder_id": encoder_id, "dim": int(vectors.shape[1]), "n": len(ids)}
    write_folder(folder, kind=KIND, seq=seq, facts=facts, parts={VECTORS: write_vectors, ROWS: write_rows})


def load_rows(folder: Path, *, encoder_id: str, dim: int) -> tuple[int, list[str], Vectors, list[Labels]]:
    """Return (seq, ids, vectors, labels). Raises IndexMismatch if the folder is damaged or of another encoder."""
    saved = read_folder(folder, kind=KIND, expected={"encoder_id": encoder_id, "dim": dim})
    try:
        rows = json.loads(saved.files[ROWS].read_text("utf-8"))
        sets = [frozenset(each) for each in rows["label_sets"]]
        labels = [sets[code] for code in rows["codes"]]
        vectors = np.load(saved.files[VECTORS], allow_pickle=False)
        checked_rows(rows["ids"], vectors, labels, dim)
    except (OSError, ValueError, KeyError, TypeError, IndexError, InvalidInput) as error:
        raise IndexMismatch(f"The index in {folder} cannot be read ({error!r}); delete the folder to rebuild it.") from error
    return saved.seq, rows["ids"], vectors, labels
