"""The CMDB of an installation: import from files, the shipped example, the words that tell names from words."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from smarttriage.adapters.cmdb_files import JsonRow, read_json
from smarttriage.adapters.tabular import read_rows
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.resources import shipped, toml
from smarttriage.config import Settings
from smarttriage.domain.errors import ConfigurationError, InvalidInput
from smarttriage.domain.item_names import NameWords
from smarttriage.ports import Store
from smarttriage.services.cmdb import Directory
from smarttriage.services.cmdb_importing import CHANGE_COLUMNS, ITEM_COLUMNS, CmdbImport, CmdbReport
from smarttriage.services.import_rows import Row, parse_pairs
from smarttriage.services.importing import ImportReport, importer

Progress = Callable[[ImportReport], None]
SEED_FACT = "seed_cmdb"


def import_items(path: Path, *, columns: Sequence[str], data_dir: Path | None, progress: Progress) -> list[CmdbReport]:
    """Import the items of a file into the data folder's store, and the changes that a JSON document brings with them."""
    found = _parts_of(path, columns, ITEM_COLUMNS, "items")
    return _run(data_dir, lambda service: _both(service, found, progress))


def import_changes(path: Path, *, columns: Sequence[str], data_dir: Path | None, progress: Progress) -> list[CmdbReport]:
    """Import the changes of a file into the data folder's store."""
    found = _parts_of(path, columns, CHANGE_COLUMNS, "changes")
    return _run(data_dir, lambda service: [service.changes(found["changes"], progress=progress)])


def seed_cmdb(store: Store) -> None:
    """Fill the store's empty CMDB with the shipped example, once."""
    with store.begin() as records:
        if records.fact(SEED_FACT) is not None:
            return
    service = CmdbImport(store=store, clock=parts.clock, principal=importer("seed"))
    _both(service, _parts_of(shipped("kb") / "cmdb.json", (), ITEM_COLUMNS, "items"), lambda _: None)
    with store.begin(write=True) as records:
        records.put_fact(SEED_FACT, "1")


def name_words(settings: Settings | None = None) -> NameWords:
    """Return the data folder's own item_names.toml, else the shipped one. Raises ConfigurationError naming file and key."""
    own = settings.data_dir / "item_names.toml" if settings else None
    path = own if own is not None and own.is_file() else shipped("kb") / "item_names.toml"
    content = toml(path)
    lists: dict[str, frozenset[str]] = {}
    for name in ("common", "nouns", "signs", "before", "between"):
        words = content.get(name)
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ConfigurationError(f"{path}: {name}: write a list of words")
        lists[name] = frozenset(word.casefold() for word in words)
    return NameWords(lists["common"] | lists["nouns"], lists["nouns"], lists["signs"], lists["before"], lists["between"])


def open_directory(settings: Settings, store: Store) -> Directory:
    """Return the directory of a running process."""
    return Directory(store=store, words=name_words(settings))


def _parts_of(path: Path, columns: Sequence[str], known: Sequence[str], part: str) -> dict[str, list[Row]]:
    if not path.is_file():
        raise InvalidInput(f"{path}: there is no such file", field="path")
    if path.suffix.lower() == ".json":
        return {name: _renamed(_plain(rows), columns, known) for name, rows in read_json(path).items()}
    table = [Row(f"{path}:{row.line}", row.values, row.problem) for row in read_rows(path)]
    return {"items": [], "changes": [], part: _renamed(table, columns, known)}


def _plain(rows: Iterable[JsonRow]) -> list[Row]:
    return [Row(row.place, row.values, row.problem) for row in rows]


def _renamed(rows: list[Row], columns: Sequence[str], known: Sequence[str]) -> list[Row]:
    """Return the rows under our names; without a map they must have them already."""
    if not columns:
        return rows
    mapping = parse_pairs(columns, known)
    return [Row(row.place, {ours: row.values.get(theirs) for ours, theirs in mapping.items()}, row.problem) for row in rows]


def _both(service: CmdbImport, found: dict[str, list[Row]], progress: Progress) -> list[CmdbReport]:
    reports = [service.items(found["items"], progress=progress)]
    return [*reports, service.changes(found["changes"], progress=progress)] if found["changes"] else reports


def _run(data_dir: Path | None, work: Callable[[CmdbImport], list[CmdbReport]]) -> list[CmdbReport]:
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    store = parts.store(settings)
    try:
        with store.begin(write=True) as records:
            # Who imports a CMDB of his own does not want the example beside it.
            records.put_fact(SEED_FACT, "own")
        return work(CmdbImport(store=store, clock=parts.clock, principal=importer("import")))
    finally:
        store.close()
