"""The default trainer and what the default taxonomy says about its targets."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from smarttriage.adapters.classifiers.features import ExtraFeatures
from smarttriage.adapters.classifiers.novelty import no_vectors
from smarttriage.adapters.classifiers.sklearn import CONFIDENCE, SklearnTrainer, TargetOptions
from smarttriage.bootstrap import parts, resources
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.tree import parents_first
from smarttriage.ports import Vectors

LEVELS = ("low", "medium", "high")
# What the default taxonomy says about its targets; a customer's own targets have no parent and no order.
DEFAULT_OPTIONS = {
    "sub_category": TargetOptions(parent="category"),
    "impact": TargetOptions(order=LEVELS),
    "urgency": TargetOptions(order=LEVELS),
}


def sklearn_trainer(
    encoder_id: str,
    labels: Mapping[str, Sequence[str | None]],
    *,
    target_precision: float,
    confidence: float = CONFIDENCE,
    together: bool = False,
    extra: ExtraFeatures | None = None,
    parents: Mapping[str, str] | None = None,
) -> SklearnTrainer:
    """Return the default trainer; options of the default taxonomy apply where the labels allow them.

    `parents` says which target stands below which (target -> the one above); what it says goes before the default taxonomy.

    Raises:
        InvalidInput: A target of `parents` or the one above it is not among the labels, or they go round in a circle.
    """
    options = {name: option for name, option in DEFAULT_OPTIONS.items() if name in labels and _fits(option, labels, name)}
    for name, parent in (parents or {}).items():
        if name not in labels:
            raise InvalidInput(
                f"Target {name!r} is put below {parent!r} but not trained; name it as a target too.", field="parent"
            )
        options[name] = replace(options.get(name, TargetOptions()), parent=parent)
    # Asked here, before texts are encoded for nothing.
    parents_first({name: options.get(name, TargetOptions()).parent for name in labels})
    return SklearnTrainer(
        encoder_id=encoder_id,
        targets=options,
        target_precision=target_precision,
        confidence=confidence,
        together=together,
        extra=extra,
        detect=resources.intake().languages.detect,
        everyday=partial(_everyday, encoder_id),
    )


@lru_cache(maxsize=2)
def _everyday(encoder_id: str) -> Vectors:
    """Return the vectors of everyday texts; none for another encoder than the shipped one."""
    encoder = parts.encoder()
    return encoder.encode(resources.everyday_texts()) if encoder.encoder_id == encoder_id else no_vectors()


def _fits(option: TargetOptions, labels: Mapping[str, Sequence[str | None]], name: str) -> bool:
    if option.parent is not None:
        return option.parent in labels
    return {label for label in labels[name] if label} <= set(option.order)
