"""The versions of an installation's model, and what became of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from smarttriage.ports.models import Classifier


class PromotionAction(StrEnum):
    """What changed the current version."""

    PROMOTED = "promoted"
    FORCED = "forced"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True)
class PromotionEntry:
    """One line of the history, which only grows.

    Attributes:
        at: UTC.
        by: Who did it: an API key's id, or a user of the machine.
        action: What was done.
        version: What is current since; None: the shipped starter.
        previous: What was current before.
        reason: Why; empty where the gate's figures say it.
        figures: The gate's verdict as plain data.
    """

    at: datetime
    by: str
    action: PromotionAction
    version: str | None
    previous: str | None
    reason: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)


class ModelVersions(Protocol):
    """The versions of an installation's model: its own ones, and the starter that it was shipped with."""

    def versions(self) -> Sequence[str]:
        """Return the installation's own versions, oldest first by name."""
        ...

    def current(self) -> str | None:
        """Return the version that is promoted; None: the shipped starter serves."""
        ...

    def load(self, version: str | None) -> Classifier:
        """Return the classifier; None: the starter. Raises BundleError, naming what does not match."""
        ...

    def manifest(self, version: str | None) -> Mapping[str, Any]:
        """Return what the version says about its making. Raises BundleError."""
        ...

    def attachment(self, version: str | None, name: str) -> bytes | None:
        """Return a further file of the bundle, checked against its manifest; None where it has none of that name."""
        ...

    def serve(self, entry: PromotionEntry) -> None:
        """Append the entry to the history and make its version the current one by an atomic replace.

        Raises:
            BundleError: The version does not load; nothing has changed.
        """
        ...

    def history(self) -> Sequence[PromotionEntry]:
        """Return every entry, oldest first."""
        ...
