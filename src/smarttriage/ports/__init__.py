"""The ports: what the services need from the outside.

Each adapter passes the contract suite of its port (`smarttriage.testing`).
"""

from smarttriage.ports.lifecycle import ModelVersions, PromotionAction, PromotionEntry
from smarttriage.ports.models import (
    Bundles,
    Classifier,
    Clock,
    DescribedLabels,
    Encoder,
    FittedClassifier,
    HeldOut,
    LabelledTexts,
    Probabilities,
    TargetCard,
    TextSpan,
    Trainer,
    VectorCache,
    Vectors,
)
from smarttriage.ports.novelty import Familiarity, Novelty
from smarttriage.ports.search import Hit, LexicalIndex, LexicalSearcher, VectorIndex, VectorSearcher
from smarttriage.ports.store import ApiKey, Change, IncidentFilter, Page, Records, Store, StoredAnswer

__all__ = [
    "ApiKey",
    "Bundles",
    "Change",
    "Classifier",
    "Clock",
    "DescribedLabels",
    "Encoder",
    "Familiarity",
    "FittedClassifier",
    "HeldOut",
    "Hit",
    "IncidentFilter",
    "LabelledTexts",
    "LexicalIndex",
    "LexicalSearcher",
    "ModelVersions",
    "Novelty",
    "Page",
    "Probabilities",
    "PromotionAction",
    "PromotionEntry",
    "Records",
    "Store",
    "StoredAnswer",
    "TargetCard",
    "TextSpan",
    "Trainer",
    "VectorCache",
    "VectorIndex",
    "VectorSearcher",
    "Vectors",
]
