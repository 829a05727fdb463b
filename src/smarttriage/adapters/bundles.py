"""Model bundles as folders: manifest.json, which names the sha256 of every other file, and what the classifier wrote."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from smarttriage.domain.errors import BundleError
from smarttriage.ports import Classifier

MANIFEST = "manifest.json"
CURRENT = "CURRENT"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
WAY_OUT = "restore the bundle or train again with smarttriage train"


class Codec(Protocol):
    """Makes a classifier of the files that it wrote."""

    def __call__(self, files: Mapping[str, bytes], *, version: str) -> Classifier:
        """Return the classifier. Raises BundleError if the files do not make one."""
        ...


class SavableClassifier(Classifier, Protocol):
    """A classifier that can be written."""

    @property
    def format(self) -> str:
        """Name of the codec that reads its files."""
        ...

    def to_files(self) -> Mapping[str, bytes]:
        """Return file name -> content."""
        ...


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """What a bundle says about its making; all of it goes into the manifest.

    Attributes:
        created_at: UTC-aware instant.
        code_version: Version of smarttriage.
        data_sha256: Hash of the training rows.
        seed: The seed of the fit.
        metrics: Target -> what was measured on held-out rows.
        documents: Further files for people, name -> text, for example a model card.
        attachments: Further files for the service, name -> bytes, for example the fingerprints of the training rows.
        n_rows: How many rows it was trained on; None where nobody said.
        parent: The version that was current when it was trained; None where there was none.
    """

    created_at: datetime
    code_version: str
    data_sha256: str
    seed: int
    metrics: Mapping[str, object] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    n_rows: int | None = None
    parent: str | None = None


class FolderBundles:
    """Bundles below one folder, and a file that names the promoted one."""

    def __init__(self, root: Path, *, codecs: Mapping[str, Codec], pointer: str = CURRENT) -> None:
        self._root = root
        self._codecs = dict(codecs)
        self._pointer = root / pointer

    def versions(self) -> list[str]:
        """Return the versions that are there, oldest first by name; a folder without manifest is none."""
        if not self._root.is_dir():
            return []
        return sorted(folder.name for folder in self._root.iterdir() if (folder / MANIFEST).is_file())

    def current(self) -> str:
        """Return the promoted version. Raises BundleError if none is."""
        path = self._pointer
        try:
            return _checked_name(path.read_text("utf-8").strip(), str(path))
        except OSError as error:
            raise BundleError(f"{path} is missing: no model is promoted; train one and promote it.") from error

    def promote(self, version: str) -> None:
        """Make `version` the current one by an atomic replace, after loading it once.

        Raises:
            BundleError: The bundle does not load; the current one stays.
        """
        self.load(version)
        with tempfile.NamedTemporaryFile("w", dir=self._root, prefix=".current-", delete=False, encoding="utf-8") as stream:
            stream.write(version + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        Path(stream.name).chmod(0o644)
        Path(stream.name).replace(self._pointer)

    def load(self, version: str) -> Classifier:
        """Return the classifier. Raises BundleError, naming the file that does not match."""
        return read_bundle(self._root / _checked_name(version, "a bundle version"), codecs=self._codecs)

    def folder(self, version: str) -> Path:
        """Return where the bundle stands, or would stand. Raises BundleError for a name that no bundle has."""
        return self._root / _checked_name(version, "a bundle version")

    def save(self, classifier: SavableClassifier, facts: BundleFacts, *, version: str | None = None) -> str:
        """Write the bundle; return its version, by default the instant it was made and its content hash.

        Raises:
            BundleError: The version is there already.
        """
        name = _checked_name(version or default_version(classifier, facts), "the new version")
        if (self._root / name).exists():
            raise BundleError(f"{self._root / name} is there already; bundles are never written over, give another version.")
        write_bundle(self._root / name, classifier, facts, version=name)
        return name


def write_bundle(folder: Path, classifier: SavableClassifier, facts: BundleFacts, *, version: str | None = None) -> str:
    """Write one bundle into a folder that is not there yet, is empty or holds a bundle; return its version.

    Raises:
        BundleError: The folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise BundleError(f"{folder} is not empty and holds no bundle; give another folder.")
    files = _files(classifier, facts)
    name = version or default_version(classifier, facts)
    hashes = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
    manifest = {**describe(classifier, facts, version=name), "files": hashes}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".bundle-") as scratch:
        made = Path(scratch) / "bundle"
        made.mkdir()
        for file, content in {**files, MANIFEST: json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n"}.items():
            _write(made / file, content)
        if folder.exists():
            shutil.move(folder, Path(scratch) / "replaced")
        made.rename(folder)
    return name


def read_bundle(folder: Path, *, codecs: Mapping[str, Codec]) -> Classifier:
    """Return the classifier of one bundle folder; the bytes that were hashed are the ones that are used.

    Raises:
        BundleError: The manifest or a file is missing, altered or not named in the manifest, or was made for other code.
    """
    manifest = read_manifest(folder)
    files = {name: _read(folder / name, digest) for name, digest in manifest["files"].items()}
    if extra := {path.name for path in folder.iterdir()} - files.keys() - {MANIFEST}:
        raise BundleError(f"{folder / min(extra)} is not named in {MANIFEST}; remove it, or {WAY_OUT}.")
    codec = codecs.get(manifest["format"])
    if codec is None:
        raise BundleError(
            f"{folder / MANIFEST}: format {manifest['format']!r} is unknown, known are {sorted(codecs)}; {WAY_OUT}."
        )
    try:
        classifier = codec(files, version=manifest["version"])
    except BundleError as error:
        raise BundleError(f"{folder}: {error.message}") from error
    if classifier.encoder_id != manifest["encoder_id"]:
        found = f"{manifest['encoder_id']!r}, the model {classifier.encoder_id!r}"
        raise BundleError(f"{folder / MANIFEST} names the encoder {found}; {WAY_OUT}.")
    if list(classifier.cards) != manifest["targets"]:
        raise BundleError(
            f"{folder / MANIFEST} names the targets {manifest['targets']}, the model {list(classifier.cards)}; {WAY_OUT}."
        )
    return classifier


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest, its shape checked. Raises BundleError naming the file."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        valid = all(_NAME.fullmatch(name) and isinstance(digest, str) for name, digest in manifest["files"].items())
        valid = valid and isinstance(manifest["version"], str)
        valid = (
            valid and isinstance(manifest["targets"], list) and isinstance(manifest["format"], str) and "encoder_id" in manifest
        )
    except OSError as error:
        raise BundleError(f"No bundle in {folder}: {path} cannot be read ({error.strerror}); {WAY_OUT}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(f"{path} is not a bundle manifest ({error!r}); {WAY_OUT}.") from error
    if not valid:
        raise BundleError(f"{path} is not a bundle manifest (wrong type of a field, or a strange file name); {WAY_OUT}.")
    return dict(manifest)


def read_attachment(folder: Path, name: str) -> bytes | None:
    """Return one file of a bundle, checked against the manifest; None where the manifest names none of that name.

    Raises:
        BundleError: The manifest or the file is missing or altered.
    """
    digest = read_manifest(folder)["files"].get(name)
    return None if digest is None else _read(folder / name, digest)


def describe(classifier: SavableClassifier, facts: BundleFacts, *, version: str) -> dict[str, Any]:
    """Return the manifest but for the files."""
    return {
        "version": version,
        "format": classifier.format,
        "created_at": facts.created_at.isoformat(),
        "code_version": facts.code_version,
        "data_sha256": facts.data_sha256,
        "encoder_id": classifier.encoder_id,
        "seed": facts.seed,
        "n_rows": facts.n_rows,
        "parent": facts.parent,
        "targets": list(classifier.cards),
        "metrics": facts.metrics,
    }


def default_version(classifier: SavableClassifier, facts: BundleFacts) -> str:
    """Return the instant it was made and the hash of what it computes with; documents may name the version, so they are left out."""
    files = {**facts.attachments, **classifier.to_files()}
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + hashlib.sha256(files[name]).digest())
    return f"{facts.created_at:%Y%m%dT%H%M%SZ}-{digest.hexdigest()[:12]}"


def _files(classifier: SavableClassifier, facts: BundleFacts) -> dict[str, bytes]:
    documents = {name: text.encode() for name, text in facts.documents.items()}
    return {**documents, **facts.attachments, **classifier.to_files()}


def _checked_name(name: str, what: str) -> str:
    if not _NAME.fullmatch(name):
        raise BundleError(f"{name!r} ({what}) is not the name of a bundle; known ones are the folders beside {CURRENT}.")
    return name


def _read(path: Path, expected: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); {WAY_OUT}.") from error
    if (found := hashlib.sha256(content).hexdigest()) != expected:
        raise BundleError(f"{path} is altered: sha256 {found[:12]}… instead of {expected[:12]}…; {WAY_OUT}.")
    return content


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
