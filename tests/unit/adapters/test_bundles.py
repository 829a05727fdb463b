"""Bundles: what does not match its manifest is refused by name; the promoted one changes atomically."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from smarttriage.adapters.bundles import BundleFacts, FolderBundles, read_bundle, write_bundle
from smarttriage.adapters.classifiers.centroid import CentroidClassifier
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.domain.errors import BundleError

ENCODER = HashingEncoder(dim=16)
MODEL = CentroidClassifier.from_descriptions({"category": {"network": "vpn wifi", "hardware": "printer"}}, encoder=ENCODER)
CODECS = {"centroid": CentroidClassifier.from_files}
FACTS = BundleFacts(
    created_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    code_version="0.1.0",
    data_sha256="ab" * 32,
    seed=7,
    metrics={"category": {"accuracy": 0.5}},
    documents={"MODEL_CARD.md": "# What it is\n"},
)


@pytest.fixture
def bundles(tmp_path: Path) -> FolderBundles:
    return FolderBundles(tmp_path / "models", codecs=CODECS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "bundle", MODEL, FACTS)
    return tmp_path / "bundle"


def test_a_saved_bundle_comes_back_the_same(bundles: FolderBundles) -> None:
    version = bundles.save(MODEL, FACTS)
    loaded = bundles.load(version)
    vectors = ENCODER.encode(["wifi is slow"])
    assert loaded.version == version
    assert loaded.encoder_id == ENCODER.encoder_id
    expected = MODEL.predict_proba(["wifi is slow"], vectors)["category"]
    np.testing.assert_array_equal(loaded.predict_proba(["wifi is slow"], vectors)["category"], expected)


def test_the_manifest_says_how_the_bundle_was_made(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["created_at"] == "2026-11-23T12:00:00+00:00"
    assert manifest["data_sha256"] == "ab" * 32
    assert (manifest["code_version"], manifest["seed"], manifest["targets"]) == ("0.1.0", 7, ["category"])
    assert manifest["metrics"] == {"category": {"accuracy": 0.5}}
    assert set(manifest["files"]) == {"MODEL_CARD.md", "centroid.json", "centroids.safetensors"}
    assert manifest["version"].startswith("20261123T120000Z-")


def test_same_content_has_the_same_version_and_other_content_another(tmp_path: Path, folder: Path) -> None:
    first = json.loads((folder / "manifest.json").read_text())["version"]
    assert write_bundle(tmp_path / "again", MODEL, FACTS) == first
    warmer = CentroidClassifier.from_descriptions({"category": {"a": "x", "b": "y"}}, encoder=ENCODER, temperature=1.0)
    assert write_bundle(tmp_path / "other", warmer, FACTS) != first


@pytest.mark.parametrize("name", ["centroid.json", "centroids.safetensors", "MODEL_CARD.md"])
def test_an_altered_file_is_refused_by_name(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(BundleError, match=rf"{name} is altered"):
        read_bundle(folder, codecs=CODECS)


@pytest.mark.parametrize("name", ["centroid.json", "centroids.safetensors", "manifest.json"])
def test_a_missing_file_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BundleError, match=name):
        read_bundle(folder, codecs=CODECS)


def test_a_file_the_manifest_does_not_name_is_refused(folder: Path) -> None:
    (folder / "extra.pkl").write_bytes(b"\x80\x04]\x94.")
    with pytest.raises(BundleError, match=r"extra\.pkl is not named"):
        read_bundle(folder, codecs=CODECS)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("encoder_id", "another-encoder", "another-encoder"),
        ("targets", ["urgency"], "urgency"),
        ("format", "pickle", "'pickle' is unknown"),
        ("files", {"../../etc/passwd": "00"}, "strange file name"),
        ("files", [], "not a bundle manifest|cannot|do not"),
        ("version", None, "not a bundle manifest"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(folder: Path, key: str, value: object, message: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {key: value}))
    with pytest.raises(BundleError, match=message):
        read_bundle(folder, codecs=CODECS)


@pytest.mark.parametrize("content", ["", "[]", "{}", "no json"])
def test_a_manifest_that_is_none_is_refused(folder: Path, content: str) -> None:
    (folder / "manifest.json").write_text(content)
    with pytest.raises(BundleError, match="not a bundle manifest"):
        read_bundle(folder, codecs=CODECS)


def test_nothing_is_current_until_one_is_promoted(bundles: FolderBundles) -> None:
    with pytest.raises(BundleError, match="no model is promoted"):
        bundles.current()
    version = bundles.save(MODEL, FACTS)
    bundles.promote(version)
    assert bundles.current() == version
    assert bundles.versions() == [version]


def test_a_broken_bundle_is_not_promoted_and_the_current_one_stays(bundles: FolderBundles, tmp_path: Path) -> None:
    bundles.save(MODEL, FACTS, version="good")
    bundles.promote("good")
    bundles.save(MODEL, FACTS, version="bad")
    (tmp_path / "models" / "bad" / "centroid.json").write_text("{}")
    with pytest.raises(BundleError, match="altered"):
        bundles.promote("bad")
    assert bundles.current() == "good"
    assert {path.name for path in (tmp_path / "models").iterdir()} == {"CURRENT", "good", "bad"}


@pytest.mark.parametrize("version", ["../elsewhere", "", ".hidden", "a/b"])
def test_a_version_is_a_name_not_a_path(bundles: FolderBundles, version: str) -> None:
    with pytest.raises(BundleError, match="not the name of a bundle"):
        bundles.load(version)


def test_a_saved_version_is_never_written_over(bundles: FolderBundles) -> None:
    bundles.save(MODEL, FACTS, version="one")
    with pytest.raises(BundleError, match="there already"):
        bundles.save(MODEL, FACTS, version="one")


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="holds no bundle"):
        write_bundle(tmp_path, MODEL, FACTS)
    assert (tmp_path / "thesis.txt").is_file()


def test_a_bundle_folder_is_replaced_as_a_whole(folder: Path) -> None:
    (folder / "leftover").write_text("x")
    write_bundle(folder, MODEL, FACTS, version="second")
    assert read_bundle(folder, codecs=CODECS).version == "second"
    assert not (folder / "leftover").exists()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
