"""Promotion and rollback over the data folder, as the command line and the API ask for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from smarttriage.adapters.versions import FolderVersions
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.models import folder_versions
from smarttriage.bootstrap.training import N_THREADS, read_training_rows
from smarttriage.config import Settings
from smarttriage.domain.errors import BundleError, InvalidInput
from smarttriage.domain.text import model_text
from smarttriage.ports import Encoder, PromotionAction, PromotionEntry, Store
from smarttriage.services.lineage import ROWS_FILE, read_rows_file, version_before
from smarttriage.services.promotion import Contender, Verdict, judge
from smarttriage.services.promotion_checks import GateRules
from smarttriage.services.training import Progress, TrainingRows, embed


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be promoted, past which gate.

    Attributes:
        model: Folder of a bundle, or a version of the data folder.
        files: Labelled rows; none: the reviewed incidents of the store.
        targets: Columns with the labels; none: the candidate's targets.
        text_columns: Columns with the text.
        given_up: Targets, or TARGET=LABEL, that the candidate may lose on purpose.
        force: Promote whatever the gate says.
        reason: Written to the history.
    """

    model: str
    files: Sequence[Path] = ()
    targets: Sequence[str] = ()
    text_columns: Sequence[str] = ()
    given_up: Sequence[str] = ()
    force: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What became of a request.

    Attributes:
        version: The candidate.
        previous: What is or was current; None: the shipped starter.
        verdict: The gate's; None where it could not be asked, which only `force` allows.
        promoted: Whether the candidate is current now.
    """

    version: str
    previous: str | None
    verdict: Verdict | None
    promoted: bool


def promote(
    request: Request,
    *,
    settings: Settings,
    by: str,
    rules: GateRules,
    progress: Progress,
    on_problem: Callable[[str], None],
) -> Promotion:
    """Return the gate's verdict, with the candidate promoted if it passed or was forced.

    Raises:
        BundleError: The candidate cannot be loaded or was made for another encoder.
        InvalidInput: There is no row to judge by, or `force` stands without a reason.
    """
    if request.force and not request.reason.strip():
        raise InvalidInput("--force needs --reason: who reads the history later must know why", field="reason")
    versions, encoder = folder_versions(settings), parts.encoder(n_threads=N_THREADS)
    version = versions.install(Path(request.model)) if Path(request.model).is_dir() else request.model
    candidate = _contender(versions, version, encoder)
    previous = versions.current()
    try:
        rows = _rows(request, list(candidate.classifier.cards), settings, on_problem)
        verdict = judge(
            current=_contender(versions, previous, encoder),
            candidate=candidate,
            rows=rows,
            vectors=embed(rows.texts, encoder=encoder, progress=progress),
            rules=rules,
            given_up=request.given_up,
        )
    except (InvalidInput, BundleError) as error:
        if not request.force:
            raise
        on_problem(f"the gate could not be asked: {error.message}")
        verdict = None
    passed = verdict is not None and verdict.passed
    if passed or request.force:
        action = PromotionAction.PROMOTED if passed else PromotionAction.FORCED
        figures = verdict.as_json() if verdict else {}
        versions.serve(PromotionEntry(parts.clock(), by, action, version, previous, request.reason, figures))
    return Promotion(version, previous, verdict, passed or request.force)


def roll_back(*, settings: Settings, by: str, reason: str) -> tuple[str | None, str | None]:
    """Make the version current that was so before; return it and the one it replaces. None: the shipped starter.

    Raises:
        Conflict: There is nothing to go back to.
        BundleError: The former version does not load; the current one stays.
    """
    versions = folder_versions(settings)
    current = versions.current()
    former = version_before(versions.history(), current)
    versions.serve(PromotionEntry(parts.clock(), by, PromotionAction.ROLLED_BACK, former, current, reason))
    return former, current


def _contender(versions: FolderVersions, version: str | None, encoder: Encoder) -> Contender:
    classifier = versions.load(version)
    if classifier.encoder_id not in (None, encoder.encoder_id):
        message = (
            f"{version or 'the shipped starter'} was trained on the encoder {classifier.encoder_id}, "
            f"this one is {encoder.encoder_id}; train it again"
        )
        raise BundleError(message)
    return Contender(classifier, read_rows_file(versions.attachment(version, ROWS_FILE)))


def _rows(request: Request, targets: Sequence[str], settings: Settings, on_problem: Callable[[str], None]) -> TrainingRows:
    if request.files:
        return read_training_rows(request.files, request.targets or targets, request.text_columns, on_problem=on_problem)
    store = parts.store(settings)
    try:
        return _reviewed_rows(store, request.targets or targets)
    finally:
        store.close()


def _reviewed_rows(store: Store, targets: Sequence[str]) -> TrainingRows:
    """Return the store's incidents with the labels that people decided."""
    texts: list[str] = []
    labels: Mapping[str, list[str | None]] = {target: [] for target in targets}
    with store.begin() as records:
        for incident in (stored.counting_for() for stored in records.indexable_incidents()):
            text = model_text(incident.title, incident.description)
            found = {target: incident.labels.get(target) if target in incident.reviewed else None for target in targets}
            if text.strip() and any(found.values()):
                texts.append(text)
                for target, label in found.items():
                    labels[target].append(label)
    if not texts:
        raise InvalidInput("the store holds no reviewed incident to judge by; give labelled rows with --data", field="data")
    return TrainingRows(texts, labels, None, 0)
