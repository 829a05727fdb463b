"""What a newly trained bundle says of its making: rows, parent, code, figures, card and report."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smarttriage import __version__
from smarttriage.adapters.bundles import BundleFacts, default_version, describe
from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.learning_curve import learning_curve
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.models import folder_versions
from smarttriage.config import Settings
from smarttriage.ports import Vectors
from smarttriage.services.drift import REFERENCE_FILE, Reference
from smarttriage.services.lineage import CARD_FILE, REPORT_FILE, ROWS_FILE, rows_file
from smarttriage.services.model_card import model_card
from smarttriage.services.model_page import page
from smarttriage.services.model_report import LearningPoint, report_of_held_out, with_learning
from smarttriage.services.training import Training, TrainingRows


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the rows came from and what was asked of the training.

    Attributes:
        files: Names of the training files.
        text_columns: Their columns with the text.
        seed: Of the fit.
        learning_curve: Whether the report gets one.
    """

    files: Sequence[str]
    text_columns: Sequence[str]
    seed: int
    learning_curve: bool = False


def bundle_facts(result: Training[SklearnClassifier], rows: TrainingRows, origin: Origin) -> tuple[BundleFacts, str]:
    """Return the facts for the manifest with the further files of the bundle, and its version."""
    model = result.classifier
    attachments = {ROWS_FILE: rows_file(rows.texts)}
    if result.n_rows:  # descriptions alone say nothing of how tickets look
        reference = Reference.of(model.held_out, model.cards, result.vectors, seed=origin.seed)
        attachments[REFERENCE_FILE] = reference.written()
    facts = BundleFacts(
        created_at=parts.clock(),
        code_version=__version__,
        data_sha256=result.data_sha256,
        seed=origin.seed,
        metrics=result.metrics,
        attachments=attachments,
        n_rows=result.n_rows,
        parent=_parent(),
    )
    version = default_version(model, facts)
    manifest = describe(model, facts, version=version)
    report = report_of_held_out(model, model.held_out, rows.texts, manifest)
    if origin.learning_curve:
        report = with_learning(report, learning_curves(rows, result.vectors, seed=origin.seed))
    documents = {
        CARD_FILE: model_card(manifest, files=origin.files, text_columns=origin.text_columns),
        REPORT_FILE: page(report),
    }
    return replace(facts, documents=documents), version


def learning_curves(rows: TrainingRows, vectors: Vectors, *, seed: int) -> dict[str, list[LearningPoint]]:
    """Return a learning curve for each target of the rows."""
    return {
        target: [LearningPoint(*point) for point in learning_curve(rows.texts, vectors, labels, groups=rows.groups, seed=seed)]
        for target, labels in rows.labels.items()
    }


def _parent() -> str:
    """Return the version that serves in the data folder of the settings."""
    versions = folder_versions(Settings())
    return str(versions.manifest(versions.current())["version"])
