"""Finished steps of a long computation as files: one for each step, written whole or not at all, tied to one computation."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smarttriage.domain.errors import InvalidInput

RUN = "run.json"


class StepFolder:
    """A folder with `run.json`, which says of which computation the steps are, and one JSON file for each finished step."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def open(cls, folder: Path, *, fingerprint: str, resume: bool) -> "StepFolder":
        """Return the folder, with the steps that are finished already if `resume`, else empty.

        Raises:
            InvalidInput: `resume`, but the steps are of another computation.
        """
        opened = cls(folder)
        kept = opened._read(RUN)
        if resume and kept is not None:
            if kept.get("fingerprint") != fingerprint:
                message = f"{folder} holds steps of other rows, options or another version; run without --resume to begin anew."
                raise InvalidInput(message, field="resume")
            return opened
        folder.mkdir(parents=True, exist_ok=True)
        # Without its name nothing in the folder counts, so a stop between these lines leaves no foreign step behind.
        (folder / RUN).unlink(missing_ok=True)
        for path in (*folder.glob("step-*.json"), *folder.glob("*.tmp")):
            path.unlink()
        write_atomically(folder / RUN, json.dumps({"fingerprint": fingerprint}) + "\n")
        return opened

    def get(self, step: str) -> Mapping[str, Any] | None:
        """Return what was kept of a step, None if it was not finished. Raises InvalidInput if its file was altered."""
        return self._read(f"step-{step}.json")

    def put(self, step: str, content: Mapping[str, Any]) -> None:
        """Keep a step."""
        write_atomically(self._folder / f"step-{step}.json", json.dumps(content, ensure_ascii=False, sort_keys=True) + "\n")

    def discard(self) -> None:
        """Remove the folder and its steps: what they were for is written elsewhere."""
        for path in (self._folder / RUN, *self._folder.glob("step-*.json"), *self._folder.glob("*.tmp")):
            path.unlink(missing_ok=True)
        self._folder.rmdir()

    def _read(self, name: str) -> Mapping[str, Any] | None:
        path = self._folder / name
        try:
            content = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise InvalidInput(f"{path} cannot be read ({error}); delete it, it is computed again.", field="resume") from error
        if not isinstance(content, dict):
            raise InvalidInput(f"{path} holds no step; delete it, it is computed again.", field="resume")
        return content


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that after a crash at any moment it is the former one or this one."""
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
