"""`smarttriage import cmdb` and `import changes`: any order, circles, repeats, and rows that cannot be used."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.bootstrap.cmdb import import_changes, import_items, name_words, seed_cmdb
from smarttriage.bootstrap.parts import STORE_FILE
from smarttriage.cli import app
from smarttriage.domain.errors import InvalidInput
from smarttriage.services.cmdb_importing import CmdbReport
from smarttriage.testing.fakes import ManualClock

TABLE = """id,kind,name,criticality,depends_on,aliases
erp,service,Helio,critical,srv; gone,Helio ERP;HelioERP
srv,ci,srv-1,,erp,
odd,ci,odd,sky-high,,
srv,ci,twice,,,
,ci,nameless,,,
"""


def load(path: Path, text: str, folder: Path, *columns: str) -> CmdbReport:
    path.write_text(text, encoding="utf-8")
    return import_items(path, columns=columns, data_dir=folder, progress=lambda _: None)[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_table_is_imported_circles_and_all_and_its_bad_rows_are_explained(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "cmdb.csv"
    report = load(path, TABLE, folder)
    assert (report.added, report.updated, report.present) == (2, 0, 0)
    reasons = dict(report.skipped)
    assert reasons[f"{path}:4"] == 'criticality is "sky-high"; use one of low, medium, high, critical'
    assert reasons[f"{path}:5"] == f'id "srv" stands at {path}:3 already; keep one of the two rows'
    assert reasons[f"{path}:6"].startswith("id is empty; give every row one")
    ((place, reason),) = report.relations_left_out
    assert (place, reason) == (
        f"{path}:2",
        'depends_on names "gone", which is neither in the file nor stored; add its row and import again',
    )
    again = load(path, TABLE, folder)
    assert (again.added, again.updated, again.present) == (0, 0, 2)


def test_what_a_table_has_no_column_for_stays(tmp_path: Path, folder: Path) -> None:
    load(tmp_path / "cmdb.csv", TABLE, folder)
    report = load(tmp_path / "names.csv", "number,label\nerp,Helio 2\n", folder, "id=number", "name=label")
    assert report.updated == 1
    store = SqlStore.open(folder / STORE_FILE, clock=ManualClock())
    with store.begin() as records:
        erp = records.items_by_id(["erp"], "default")["erp"]
    store.close()
    assert (erp.name, erp.criticality, erp.depends_on, erp.version) == ("Helio 2", "critical", ("srv",), 2)


def test_a_misspelt_column_is_refused_with_the_one_that_was_meant(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InvalidInput, match=r'no field "critcality"; did you mean "criticality"\?'):
        load(tmp_path / "cmdb.csv", "id,name,critcality\na,a,low\n", folder)


def test_a_json_document_brings_items_and_changes(tmp_path: Path, folder: Path) -> None:
    document = {
        "items": [{"id": "srv", "name": "srv-1", "host_patterns": ["web-##"]}, 7],
        "changes": [
            {"id": "c1", "item_id": "srv", "at": "2026-03-02T09:00:00Z", "what": "patched"},
            {"id": "c2", "item_id": "none", "at": "2026-03-02T09:00:00Z", "what": "patched"},
            {"id": "c3", "item_id": "srv", "at": "yesterday", "what": "patched"},
        ],
    }
    path = tmp_path / "cmdb.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    items, changes = import_items(path, columns=(), data_dir=folder, progress=lambda _: None)
    assert (items.added, items.skipped) == (1, [(f"{path}:items[1]", "a JSON int instead of an object")])
    assert [reason.split(";")[0] for _, reason in changes.skipped] == ['item_id is "none", which is no item', 'at is "yesterday"']
    more = tmp_path / "changes.csv"
    more.write_text("id,item_id,at,what\nc1,srv,2026-03-02T09:00:00Z,rolled back\nc4,srv,2026-03-03,moved\n", encoding="utf-8")
    (report,) = import_changes(more, columns=(), data_dir=folder, progress=lambda _: None)
    assert (report.added, report.updated, report.present) == (1, 1, 0)


def test_the_command_prints_what_it_did(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "cmdb.csv"
    path.write_text(TABLE, encoding="utf-8")
    result = CliRunner().invoke(app, ["import", "cmdb", str(path), "--data-dir", str(folder)])
    assert "2 new, 0 updated, 0 there already, 3 skipped" in result.stdout
    assert "relation left out" in result.stdout


def test_the_shipped_example_is_seeded_once_and_not_beside_a_cmdb_of_ones_own(tmp_path: Path) -> None:
    for name, expected in (("empty", 8), ("own", 2)):
        if name == "own":
            load(tmp_path / "cmdb.csv", TABLE, tmp_path / name)
        store = SqlStore.open(tmp_path / name / STORE_FILE, clock=ManualClock())
        for _ in range(2):
            seed_cmdb(store)
        with store.begin() as records:
            assert len(records.all_items("default")) == expected
        store.close()


def test_the_shipped_words_tell_names_from_words() -> None:
    words = name_words()
    assert {"teams", "kasse"} <= words.common
    assert "kasse" in words.nouns
