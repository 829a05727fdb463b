"""One error family. Each error has a stable code; its message names the thing, the value and the way out."""

from typing import ClassVar


class SmartTriageError(Exception):
    """Root of every error that smarttriage raises on purpose.

    Attributes:
        code: Stable machine-readable name; part of the API contract.
        field: The input field at fault, dotted for nested ones, or None.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(SmartTriageError):
    """A value that the caller gave cannot be used; the message names the field."""

    code = "invalid_input"


class NotFound(SmartTriageError):
    """There is no such record, or the caller may not know that there is."""

    code = "not_found"


class Conflict(SmartTriageError):
    """The record's present state does not allow the step."""

    code = "conflict"


class VersionMismatch(SmartTriageError):
    """The record changed since the caller read it (If-Match)."""

    code = "version_mismatch"


class IdempotencyMismatch(SmartTriageError):
    """The Idempotency-Key was used before with another request."""

    code = "idempotency_key_reused"


class Unauthenticated(SmartTriageError):
    """No key, or a key that is not known."""

    code = "unauthenticated"


class PermissionDenied(SmartTriageError):
    """The key is known, but lacks the scope."""

    code = "permission_denied"


class Overloaded(SmartTriageError):
    """Too many requests are under way; try again after `retry_after_s` seconds."""

    code = "overloaded"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ConfigurationError(SmartTriageError):
    """A setting or a configuration file is wrong; the message names file, key and way out."""

    code = "configuration_error"


class EncoderError(SmartTriageError):
    """The encoder's files are missing or are not what their manifest says."""

    code = "encoder_error"


class BundleError(SmartTriageError):
    """A model bundle is missing, incomplete, altered or made for another encoder."""

    code = "bundle_error"


class IndexMismatch(SmartTriageError):
    """An index snapshot is damaged or was built for another encoder."""

    code = "index_mismatch"


class StoreError(SmartTriageError):
    """The store cannot be opened, is too old or too new, or refused a write."""

    code = "store_error"


class GateRefused(SmartTriageError):
    """A promotion gate said no; the message carries the figures."""

    code = "gate_refused"
