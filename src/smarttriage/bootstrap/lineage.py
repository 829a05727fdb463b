"""What a newly trained bundle says of its making: rows, parent, code, figures."""

from smarttriage import __version__
from smarttriage.adapters.bundles import BundleFacts
from smarttriage.adapters.classifiers.sklearn import SklearnClassifier
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.models import folder_versions
from smarttriage.config import Settings
from smarttriage.services.lineage import ROWS_FILE, rows_file
from smarttriage.services.training import Training, TrainingRows


def bundle_facts(result: Training[SklearnClassifier], rows: TrainingRows, *, seed: int) -> BundleFacts:
    """Return the facts for the manifest and the further files of the bundle."""
    return BundleFacts(
        created_at=parts.clock(),
        code_version=__version__,
        data_sha256=result.data_sha256,
        seed=seed,
        metrics=result.metrics,
        attachments={ROWS_FILE: rows_file(rows.texts)},
        n_rows=result.n_rows,
        parent=_parent(),
    )


def _parent() -> str:
    """Return the version that serves in the data folder of the settings."""
    versions = folder_versions(Settings())
    return str(versions.manifest(versions.current())["version"])
