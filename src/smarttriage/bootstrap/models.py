"""What turns text into labels: the data folder's promoted bundle, else the shipped starter."""

from smarttriage.adapters.bundles import CURRENT
from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.versions import FolderVersions
from smarttriage.bootstrap import resources
from smarttriage.bootstrap.bundles import folder_bundles
from smarttriage.config import EncoderSize, Settings
from smarttriage.domain.errors import BundleError
from smarttriage.ports import Classifier, Encoder
from smarttriage.services.gate import Gate
from smarttriage.services.live import Models

MODELS_FOLDER = "models"
# A classifier reads the vectors of one encoder, so each shipped encoder has a starter of its own.
STARTERS = {EncoderSize.QUALITY: CURRENT, EncoderSize.FAST: f"{CURRENT}-fast"}


def folder_versions(settings: Settings) -> FolderVersions:
    """Return the model versions of the data folder."""
    root = settings.data_dir / MODELS_FOLDER
    shipped = folder_bundles(resources.shipped(MODELS_FOLDER), settings, pointer=STARTERS[settings.encoder])
    return FolderVersions(root, own=folder_bundles(root, settings), shipped=shipped)


def open_models(settings: Settings, encoder: Encoder) -> Models:
    """Return the models of the installation. Raises BundleError or ConfigurationError; nothing is replaced silently."""
    taxonomy, policy = resources.taxonomy(settings), resources.priority_policy(settings)
    classifier = _classifier(settings, encoder)
    return Models(
        encoder=encoder,
        classifier=classifier,
        taxonomy=taxonomy,
        policy=policy,
        gate=Gate(resources.intake(settings), classifier.novelty if isinstance(classifier, SklearnClassifier) else None),
        glossary=resources.glossary(settings),
        modes=settings.field_modes,
        rules=resources.rules(settings, taxonomy=taxonomy, policy=policy),
    )


def _classifier(settings: Settings, encoder: Encoder) -> Classifier:
    if settings.model is not None:
        classifier = folder_bundles(settings.model.parent, settings).load(settings.model.name)
    else:
        versions = folder_versions(settings)
        classifier = versions.load(versions.current())
    if classifier.encoder_id not in (None, encoder.encoder_id):
        raise BundleError(
            f"model {classifier.version} was trained on the encoder {classifier.encoder_id}, this one is {encoder.encoder_id}; set "
            "SMARTTRIAGE_ENCODER to the size it was trained with, or train it again"
        )
    return classifier
