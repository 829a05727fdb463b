"""Versions of an installation: installed, promoted, rolled back, with a history that only grows."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smarttriage.adapters.bundles import BundleFacts, FolderBundles, write_bundle
from smarttriage.adapters.classifiers.centroid import CentroidClassifier
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.adapters.versions import HISTORY, FolderVersions
from smarttriage.domain.errors import BundleError
from smarttriage.ports import PromotionAction, PromotionEntry

MODEL = CentroidClassifier.from_descriptions(
    {"category": {"network": "vpn", "hardware": "printer"}}, encoder=HashingEncoder(dim=8)
)
CODECS = {"centroid": CentroidClassifier.from_files}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FACTS = BundleFacts(NOON, "0.1.0", "ab" * 32, 7, attachments={"training_rows.u64": b"12345678"}, n_rows=1, parent="starter")


@pytest.fixture
def versions(tmp_path: Path) -> FolderVersions:
    shipped = FolderBundles(tmp_path / "shipped", codecs=CODECS)
    shipped.promote(shipped.save(MODEL, FACTS, version="starter"))
    return FolderVersions(tmp_path / "own", own=FolderBundles(tmp_path / "own", codecs=CODECS), shipped=shipped)


def entry(version: str | None, previous: str | None) -> PromotionEntry:
    return PromotionEntry(NOON, "somebody", PromotionAction.PROMOTED, version, previous, "why", {"n": 3})


def trained(folder: Path, version: str) -> Path:
    write_bundle(folder / version, MODEL, FACTS, version=version)
    return folder / version


def test_the_starter_serves_until_something_is_promoted_and_after_it_is_taken_back(
    versions: FolderVersions, tmp_path: Path
) -> None:
    assert versions.current() is None
    assert versions.load(None).version == "starter"
    assert versions.install(trained(tmp_path, "v1")) == "v1"
    versions.serve(entry("v1", None))
    assert (versions.current(), versions.versions()) == ("v1", ["v1"])
    versions.serve(entry(None, "v1"))
    assert versions.current() is None


def test_the_history_keeps_who_when_what_why_and_the_figures(versions: FolderVersions, tmp_path: Path) -> None:
    versions.install(trained(tmp_path, "v1"))
    versions.serve(entry("v1", None))
    versions.serve(entry(None, "v1"))
    assert versions.history() == [entry("v1", None), entry(None, "v1")]
    lines = (tmp_path / "own" / HISTORY).read_text().splitlines()
    assert json.loads(lines[0])["by"] == "somebody"


def test_a_damaged_history_is_named_by_line(versions: FolderVersions, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / HISTORY).write_text('{"at": "yesterday"}\n')
    with pytest.raises(BundleError, match=r"HISTORY\.jsonl, line 1 is no entry"):
        versions.history()


def test_a_version_that_does_not_load_changes_nothing(versions: FolderVersions, tmp_path: Path) -> None:
    versions.install(trained(tmp_path, "v1"))
    (tmp_path / "own" / "v1" / "centroid.json").write_text("{}")
    with pytest.raises(BundleError, match="is altered"):
        versions.serve(entry("v1", None))
    assert (versions.current(), versions.history()) == (None, [])


def test_installing_again_is_harmless_and_another_bundle_of_the_version_is_refused(
    versions: FolderVersions, tmp_path: Path
) -> None:
    folder = trained(tmp_path, "v1")
    assert versions.install(folder) == versions.install(folder)
    write_bundle(tmp_path / "other", MODEL, replace(FACTS, documents={"MODEL_CARD.md": "x"}), version="v1")
    with pytest.raises(BundleError, match="another bundle of the version v1"):
        versions.install(tmp_path / "other")


def test_lineage_and_attachments_are_read_back_checked(versions: FolderVersions, tmp_path: Path) -> None:
    versions.install(trained(tmp_path, "v1"))
    manifest = versions.manifest("v1")
    assert (manifest["n_rows"], manifest["parent"]) == (1, "starter")
    assert versions.attachment("v1", "training_rows.u64") == b"12345678"
    assert versions.attachment("v1", "reference.json") is None
    (tmp_path / "own" / "v1" / "training_rows.u64").write_bytes(b"87654321")
    with pytest.raises(BundleError, match=r"training_rows\.u64 is altered"):
        versions.attachment("v1", "training_rows.u64")
