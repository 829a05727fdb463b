"""An installation's model versions as bundle folders, with CURRENT and an append-only HISTORY.jsonl beside them."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from smarttriage.adapters.bundles import CURRENT, FolderBundles, read_attachment, read_manifest
from smarttriage.domain.errors import BundleError
from smarttriage.ports import Classifier, PromotionAction, PromotionEntry

HISTORY = "HISTORY.jsonl"


class FolderVersions:
    """Versions below one folder; where none is promoted, what the package shipped is current."""

    def __init__(self, root: Path, *, own: FolderBundles, shipped: FolderBundles) -> None:
        self._root = root
        self._own = own
        self._shipped = shipped

    def versions(self) -> Sequence[str]:
        """Return the installation's own versions, oldest first by name."""
        return self._own.versions()

    def current(self) -> str | None:
        """Return the version that is promoted; None: the shipped starter serves."""
        return self._own.current() if (self._root / CURRENT).is_file() else None

    def load(self, version: str | None) -> Classifier:
        """Return the classifier; None: the starter. Raises BundleError, naming what does not match."""
        return self._shipped.load(self._shipped.current()) if version is None else self._own.load(version)

    def manifest(self, version: str | None) -> Mapping[str, Any]:
        """Return what the version says about its making. Raises BundleError."""
        return read_manifest(self._folder(version))

    def attachment(self, version: str | None, name: str) -> bytes | None:
        """Return a further file of the bundle, checked against its manifest; None where it has none of that name."""
        return read_attachment(self._folder(version), name)

    def install(self, folder: Path) -> str:
        """Copy a bundle to where versions stand and return its version; one that is there already is left as it is.

        Raises:
            BundleError: The folder holds no bundle, or another bundle of that version is there.
        """
        manifest = read_manifest(folder)
        version, target = manifest["version"], self._own.folder(manifest["version"])
        if target.exists():
            if read_manifest(target)["files"] != manifest["files"]:
                raise BundleError(
                    f"{target} is another bundle of the version {version}; train again to get a version of its own."
                )
            return str(version)
        self._root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._root, prefix=".install-") as scratch:
            copied = Path(scratch) / "bundle"
            shutil.copytree(folder, copied)
            copied.rename(target)
        return str(version)

    def serve(self, entry: PromotionEntry) -> None:
        """Append the entry to the history and make its version the current one by an atomic replace.

        The history is written first: after a crash between the two it says what was about to happen, and nothing is lost.

        Raises:
            BundleError: The version does not load; nothing has changed.
        """
        self.load(entry.version)
        self._root.mkdir(parents=True, exist_ok=True)
        line = json.dumps({**asdict(entry), "at": entry.at.isoformat()}, ensure_ascii=False) + "\n"
        with (self._root / HISTORY).open("a", encoding="utf-8") as stream:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        if entry.version is None:
            (self._root / CURRENT).unlink(missing_ok=True)
        else:
            self._own.promote(entry.version)

    def history(self) -> Sequence[PromotionEntry]:
        """Return every entry, oldest first. Raises BundleError naming a line that is none."""
        path = self._root / HISTORY
        lines = path.read_text("utf-8").splitlines() if path.is_file() else []
        entries = []
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                at, action = datetime.fromisoformat(row["at"]), PromotionAction(row["action"])
                entries.append(PromotionEntry(**{**row, "at": at, "action": action}))
            except (ValueError, KeyError, TypeError) as error:
                message = f"{path}, line {number} is no entry of the history ({error!r}); repair or remove that line."
                raise BundleError(message) from error
        return entries

    def _folder(self, version: str | None) -> Path:
        return self._shipped.folder(self._shipped.current()) if version is None else self._own.folder(version)
