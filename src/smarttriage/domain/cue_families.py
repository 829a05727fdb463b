"""What kind of evidence a cue is, as people name it: who, how many, stopped, workaround, deadline, attack."""

from collections.abc import Mapping
from enum import StrEnum


class EvidenceFamily(StrEnum):
    """The kinds of evidence that a span is shown as."""

    WHO = "who"
    HOW_MANY = "how_many"
    SERVICE = "service"
    STOPPED = "stopped"
    WORKAROUND = "workaround"
    DEADLINE = "deadline"
    ATTACK = "attack"
    NATURE = "nature"
    TOPIC = "topic"


_MEMBERS = {
    EvidenceFamily.WHO: (
        "only_me",
        "first_person",
        "we",
        "one_named_person",
        "team",
        "whole_site",
        "whole_organisation",
        "customers",
        "role_carries_group",
        "alert_scope",
    ),
    EvidenceFamily.HOW_MANY: ("number_of_people", "number_of_outsiders", "number_of_devices", "number_of_sites", "named_people"),
    EvidenceFamily.SERVICE: ("critical_service",),
    EvidenceFamily.STOPPED: ("stopped", "cannot", "slow", "intermittent", "goes_on"),
    EvidenceFamily.WORKAROUND: ("no_workaround", "workaround_cheap", "workaround_costly", "nobody_hindered"),
    EvidenceFamily.DEADLINE: ("deadline_today", "today", "deadline_this_week", "no_date", "serious_soon"),
    EvidenceFamily.ATTACK: ("attack_under_way", "attack_blocked", "data_exposed"),
    EvidenceFamily.NATURE: ("cosmetic", "question", "request", "resolved_already"),
}
FAMILIES: Mapping[str, EvidenceFamily] = {name: family for family, names in _MEMBERS.items() for name in names}


def family_of(cue: str | None) -> EvidenceFamily | None:
    """Return the family of a cue type; None for plain words, for tone and for cues of other classifiers."""
    if cue is None:
        return None
    return EvidenceFamily.TOPIC if cue.startswith("topic_") else FAMILIES.get(cue)
