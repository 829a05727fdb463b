"""The cue types that the program knows, and one find of a cue."""

from dataclasses import dataclass

NAMED_PEOPLE = "named_people"
# The order is the order of the classifier's columns; what each means stands in kb/cues.toml.
CUE_TYPES = (
    "only_me",
    "first_person",
    "we",
    "number_of_people",
    "one_named_person",
    "number_of_outsiders",
    "number_of_devices",
    "number_of_sites",
    "team",
    "whole_site",
    "whole_organisation",
    "customers",
    "critical_service",
    "role_carries_group",
    "alert_scope",
    "stopped",
    "cannot",
    "no_workaround",
    "workaround_cheap",
    "nobody_hindered",
    "workaround_costly",
    "slow",
    "intermittent",
    "deadline_today",
    "today",
    "deadline_this_week",
    "no_date",
    "serious_soon",
    "attack_under_way",
    "attack_blocked",
    "data_exposed",
    "cosmetic",
    "question",
    "request",
    "resolved_already",
    "goes_on",
    "tone_loud",
    "tone_calm",
    "topic_connectivity",
    "topic_wifi",
    "topic_vpn",
    "topic_dns",
    "topic_internet",
    "topic_voice",
    "topic_workstation",
    "topic_printer",
    "topic_mobile",
    "topic_peripheral",
    "topic_server",
    "topic_power",
    "topic_email",
    "topic_collaboration",
    "topic_business_app",
    "topic_database",
    "topic_storage",
    "topic_operating_system",
    "topic_web",
    "topic_password",
    "topic_permissions",
    "topic_account",
    "topic_mfa_sso",
    "topic_phishing",
    "topic_malware",
    "topic_intrusion",
    "topic_data_leak",
    "topic_lost_device",
    NAMED_PEOPLE,
)


@dataclass(frozen=True, slots=True)
class Cue:
    """One find: the span [start, end) of the text, the cue type and its number (people, devices), if it has one."""

    start: int
    end: int
    cue: str
    value: int | None = None


@dataclass(frozen=True, slots=True)
class CueType:
    """One entry of the lexicon.

    Attributes:
        name: Its key, for example "number_of_people".
        about: What a find says, in words.
        speaks_for: Pairs of target and level that it is shown as evidence for.
        tone: Whether it is tone (shouting, understatement), which is never evidence.
        numbered: Whether a find carries a number.
        negatable: Whether a negation before it takes it back.
    """

    name: str
    about: str
    speaks_for: tuple[tuple[str, str], ...] = ()
    tone: bool = False
    numbered: bool = False
    negatable: bool = False
