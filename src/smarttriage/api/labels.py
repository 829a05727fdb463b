"""Labels of a request as the domain has them."""

from smarttriage.api.schemas import LabelFields
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.incident import TARGETS, Labels
from smarttriage.services.incidents import check_labels
from smarttriage.services.live import Live


def labels_of(body: LabelFields, live: Live | None = None) -> Labels:
    """Return the labels. Raises InvalidInput, where `live` is given, for a label that the taxonomy does not have."""
    _check_names(body)
    custom = {target: value for target, value in body.custom.items() if value is not None}
    labels = Labels(body.kind, body.category, body.sub_category, body.impact, body.urgency, custom)
    if live is not None:
        models = live.state.models
        check_labels(labels, models.taxonomy, models.policy)
    return labels


def decisions_of(body: LabelFields) -> dict[str, str | None]:
    """Return the labels that the request names, by target; null takes one back."""
    _check_names(body)
    named = {target: getattr(body, target) for target in TARGETS if target in body.model_fields_set}
    return {**named, **body.custom}


def _check_names(body: LabelFields) -> None:
    for target in TARGETS:
        if target in body.custom:
            raise InvalidInput(f'"{target}" is no custom target; send it beside "custom"', field=f"custom.{target}")
