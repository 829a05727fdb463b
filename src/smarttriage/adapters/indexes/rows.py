"""What every vector index checks and how it writes its rows."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from smarttriage.adapters.saved_folder import read_folder, write_folder
from smarttriage.domain.errors import IndexMismatch, InvalidInput
from smarttriage.ports import Hit, Vectors

Labels = frozenset[str]
# The number rises with that of faiss.py.
KIND = "vectors-2"
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
    return [Hit(id_, -negative) for negative, id_ in sorted([(-score, id_) for score, id_ in hits])[:k]]


def write_array(array: NDArray[Any]) -> Callable[[BinaryIO], None]:
    """Return what writes the array to a part of a saved folder."""
    return lambda stream: np.save(stream, array, allow_pickle=False)


def write_rows(ids: Sequence[str], labels: Sequence[Labels]) -> Callable[[BinaryIO], None]:
    """Return what writes ids and labels to a part of a saved folder."""
    sets = {label_set: code for code, label_set in enumerate(dict.fromkeys(labels))}
    rows = {"ids": list(ids), "label_sets": [sorted(each) for each in sets], "codes": [sets[each] for each in labels]}

    def write(stream: BinaryIO) -> None:
        text = TextIOWrapper(stream, "utf-8")
        text.write(json.dumps(rows))  # json.dump would write a million small pieces
        text.detach()

    return write


def read_rows(path: Path) -> tuple[list[str], list[Labels]]:
    """Return ids and labels as `write_rows` wrote them."""
    rows = json.loads(path.read_text("utf-8"))
    sets = [frozenset(each) for each in rows["label_sets"]]
    return rows["ids"], [sets[code] for code in rows["codes"]]


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Raise IndexMismatch for whatever reading a saved folder may raise."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, IndexError, InvalidInput) as error:
        raise IndexMismatch(f"The index in {folder} cannot be read ({error!r}); delete the folder to rebuild it.") from error


def save_rows(folder: Path, *, seq: int, encoder_id: str, ids: Sequence[str], vectors: Vectors, labels: Sequence[Labels]) -> None:
    """Write the rows atomically with checksum, encoder id and seq."""
    facts = {"encoder_id": encoder_id, "dim": int(vectors.shape[1]), "n": len(ids)}
    parts = {VECTORS: write_array(vectors), ROWS: write_rows(ids, labels)}
    write_folder(folder, kind=KIND, seq=seq, facts=facts, parts=parts)


def load_rows(folder: Path, *, encoder_id: str, dim: int) -> tuple[int, list[str], Vectors, list[Labels]]:
    """Return (seq, ids, vectors, labels). Raises IndexMismatch if the folder is damaged or of another encoder."""
    saved = read_folder(folder, kind=KIND, expected={"encoder_id": encoder_id, "dim": dim})
    with reading(folder):
        ids, labels = read_rows(saved.files[ROWS])
        vectors = np.load(saved.files[VECTORS], allow_pickle=False)
        checked_rows(ids, vectors, labels, dim)
    return saved.seq, ids, vectors, labels
