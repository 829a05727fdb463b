"""What callers send. Unknown keys are refused: a key that is misspelt would otherwise be ignored in silence."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt

from smarttriage.domain.access import Scope
from smarttriage.domain.article import ArticleStatus
from smarttriage.domain.incident import IncidentStatus
from smarttriage.domain.matches import SearchCollection

MAX_MATCHES = 20
MAX_PAGE = 200
# Deadlines are counted forwards from these instants, which must not leave the calendar.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError(f"there is a NUL character at position {text.index(chr(0))}; remove it")
    return text


def _written_out(value: Any) -> Any:
    if isinstance(value, str | datetime):
        return value
    raise ValueError("write the instant as text, for example 2026-03-02T12:00:00Z")


def _in_range(instant: datetime) -> datetime:
    try:
        utc = instant.astimezone(UTC)
    except OverflowError:
        utc = _LATEST
    if not _EARLIEST <= utc < _LATEST:
        raise ValueError("the instant is not within the years 1970 to 2199")
    return utc


Text = Annotated[str, AfterValidator(_without_nul)]
Line = Annotated[str, Field(max_length=500), AfterValidator(_without_nul)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_without_nul)]
Names = Annotated[list[Name], Field(max_length=200)]
Audiences = Annotated[
    list[Name], Field(min_length=1, max_length=50, description="Groups that may see it; default: the key's own.")
]
Instant = Annotated[
    AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_range), Field(description="ISO 8601 with an offset.")
]
Language = Annotated[str, Field(pattern="^[a-z]{2}$", description="ISO 639-1.")]
Matches = Annotated[StrictInt, Field(ge=1, le=MAX_MATCHES, description="At most so many articles and similar incidents.")]
PriorityName = Annotated[str, Field(pattern="^P[1-5]$")]


class Body(BaseModel):
    """A body without unknown keys."""

    model_config = ConfigDict(extra="forbid")


class LabelFields(Body):
    """Labels that a person or the platform has decided."""

    kind: Name | None = None
    category: Name | None = None
    sub_category: Name | None = None
    impact: Name | None = None
    urgency: Name | None = None
    custom: Annotated[dict[Name, Name | None], Field(max_length=50)] = Field(
        default_factory=dict, description="Labels of targets that this installation added, by target."
    )


class IncidentDetails(LabelFields):
    """Everything about an incident that a platform may set, now or later."""

    title: Text = ""
    description: Text = Field("", description="The reporter's own words.")
    audiences: Audiences | None = None
    priority: PriorityName | None = Field(None, description="Stands while impact or urgency is unknown; then the matrix decides.")
    support_group: Name | None = None
    detected_at: Instant | None = None
    reporter: Line | None = None
    affected_users: Names = []
    affected_services: Names = []
    configuration_items: Names = []
    symptoms: Annotated[list[Line], Field(max_length=200)] = []
    initial_impact: Line | None = None
    logged_by: Name | None = None
    language: Language | None = None


class IncidentCreate(IncidentDetails):
    """A new incident."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "VPN drops every ten minutes",
                    "description": "Since the update our whole sales team loses the VPN, calls break off.",
                    "reporter": "maria.lopez",
                    "affected_services": ["VPN"],
                    "source_system": "servicenow",
                    "source_id": "INC0012345",
                }
            ]
        }
    )
    status: Literal["open", "in_progress"] = "open"
    reported_at: Instant | None = Field(None, description="Default: now. The SLA clock starts here.")
    source_system: Name | None = None
    source_id: Name | None = Field(None, description="Unique within its source system.")
    suggestion_id: Name | None = Field(
        None, description="The suggestion it was stored from: labels that only repeat what was filled in are left standing."
    )


class IncidentPatch(IncidentDetails):
    """Changes of an incident; what is not named stays, and null takes a value back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"category": "network", "urgency": "high"}]})
    status: IncidentStatus = IncidentStatus.OPEN
    reported_at: Instant = _EARLIEST


class IncidentQuery(Body):
    """Filters of a list of incidents."""

    status: IncidentStatus | None = None
    category: Name | None = None
    priority: PriorityName | None = None
    support_group: Name | None = None
    source_system: Name | None = None
    source_id: Name | None = None
    reported_from: Instant | None = None
    reported_before: Instant | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: Line | None = Field(None, description="`next_cursor` of the page before.")


class ResolutionCreate(LabelFields):
    """How an incident was resolved, with the labels it turned out to have."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "Raised the VPN gateway's session limit and restarted the tunnel service."}]}
    )
    text: Text = Field(description="What was done, so that a colleague could do it again.")
    article_id: Name | None = Field(None, description="The article that was used.")
    resolved_by: Name | None = None
    resolved_at: Instant | None = Field(None, description="Default: now.")


class SuggestionContext(LabelFields):
    """What is known beside the text.

    Labels that are given are kept, not predicted, and `reported_at` starts the SLA clock. The rest is taken so that a platform
    can send its record as it is: the models read title and description, an administrator's rules read the reporter, the affected
    users and services, the configuration items and the source system.
    """

    reported_at: Instant | None = Field(None, description="Default: now. The SLA clock starts here.")
    detected_at: Instant | None = None
    reporter: Line | None = None
    affected_users: Names = []
    affected_services: Names = []
    configuration_items: Names = []
    symptoms: Annotated[list[Line], Field(max_length=200)] = []
    initial_impact: Line | None = None
    source_system: Name | None = None
    source_id: Name | None = None
    language: Language | None = None


class SuggestionCreate(Body):
    """An incident's text, or the id of a stored incident."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "VPN drops every ten minutes",
                    "description": "Since the update our whole sales team loses the VPN, calls break off.",
                },
                {"incident_id": "inc_0198c2f4"},
            ]
        }
    )
    title: Text | None = None
    description: Text | None = None
    context: SuggestionContext | None = None
    incident_id: Name | None = Field(None, description="A stored incident; then title, description and context stay away.")
    k: Matches = 5


class Search(Body):
    """Words of one's own: what an agent types who wants others than were suggested."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "vpn error 809 after update", "collections": ["articles"]}]}
    )
    text: Text
    k: Matches = 5
    collections: Annotated[list[SearchCollection], Field(min_length=1, max_length=2)] = list(SearchCollection)


class BatchText(LabelFields):
    """One text of a batch."""

    title: Text = ""
    description: Text = ""


class BatchCreate(Body):
    """Texts whose labels are wanted, without search and without a record of them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"texts": [{"title": "Printer offline"}, {"description": "No Wi-Fi"}]}]}
    )
    texts: Annotated[list[BatchText], Field(min_length=1)]


class ArticlePatch(Body):
    """Changes of an article; a change of content is a new revision, and a draft until it is published."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"body": "## Resolution\n1. Restart the spooler."}]})
    title: Line = ""
    body: Text = ""
    audiences: Audiences | None = None
    category: Name | None = None
    sub_category: Name | None = None
    keywords: Names = []
    language: Language = "en"
    owner: Name | None = None
    valid_until: Annotated[date, Field(ge=date(1970, 1, 1), lt=date(2200, 1, 1)), BeforeValidator(_written_out)] | None = None
    source_incidents: Names = []


class ArticleCreate(ArticlePatch):
    """A new article; it starts as a draft."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Bring a network printer back online",
                    "body": "## Symptoms\nThe queue says offline.\n\n## Resolution\n1. Restart the print spooler.\n2. Print a test page.",
                    "category": "hardware",
                    "sub_category": "printer",
                }
            ]
        }
    )
    title: Line
    body: Text = Field(description="Markdown.")


class ArticleQuery(Body):
    """Filters of a list of articles."""

    status: ArticleStatus | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: Line | None = Field(None, description="`next_cursor` of the page before.")


class KeyCreate(Body):
    """A new key of the caller's tenant."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"label": "service desk", "scopes": ["suggest", "write"]}]})
    label: Name
    scopes: Annotated[list[Scope], Field(min_length=1)]
    audiences: Audiences | None = None
    trusted: bool = Field(
        False,
        description="True for what speaks for the people that it names, like an ITSM connector: what it teaches counts at once. "
        "What others teach waits in quarantine. A key with the scope admin is trusted anyway.",
    )
