"""Records for tests: complete, the same on every run, and with the fields overridden that the test is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from smarttriage.domain.access import DEFAULT_TENANT, EVERYONE, Principal, Scope
from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.cmdb import ItemFinding, RecentChange
from smarttriage.domain.cue_families import EvidenceFamily
from smarttriage.domain.decision import Decision, Shown
from smarttriage.domain.feedback import Feedback, FeedbackAction
from smarttriage.domain.incident import Incident, LabelOrigin
from smarttriage.domain.matches import ArticleMatch, IncidentMatch, OngoingMatch
from smarttriage.domain.outcome import ArticleOutcome, OutcomeKind
from smarttriage.domain.streams import Cluster, ClusterKind, ProposalKind
from smarttriage.domain.suggestion import (
    Alternative,
    AppliedRule,
    Counterfactual,
    FieldMode,
    FieldPrediction,
    PrioritySuggestion,
    Provenance,
    Reason,
    Routing,
    SlaSuggestion,
    Suggestion,
    Timing,
    VotingNeighbour,
)
from smarttriage.domain.text import Evidence
from smarttriage.ports import ApiKey

# A Monday morning in working time.
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def a_principal(**overrides: Any) -> Principal:
    """Return an administrator of the default tenant who sees what everyone sees."""
    base = Principal("key-1", DEFAULT_TENANT, frozenset({EVERYONE}), frozenset(Scope))
    return replace(base, **overrides)


def an_incident(**overrides: Any) -> Incident:
    """Return an open incident about a printer, reported at `NOON`, with nothing known beyond its text."""
    base = Incident(
        id="incident-1",
        tenant=DEFAULT_TENANT,
        title="Printer on floor 3 is offline",
        description="Nobody on the floor can print since this morning.",
        created_at=NOON,
        updated_at=NOON,
        reported_at=NOON,
    )
    return replace(base, **overrides)


def an_article(**overrides: Any) -> Article:
    """Return a published article about a printer."""
    base = Article(
        id="article-1",
        tenant=DEFAULT_TENANT,
        title="Bring a network printer back online",
        body="## Symptoms\nThe queue says offline.\n\n## Resolution\n1. Restart the print spooler.\n2. Print a test page.",
        created_at=NOON,
        updated_at=NOON,
        status=ArticleStatus.PUBLISHED,
    )
    return replace(base, **overrides)


def a_prediction(value: str | None = "hardware", confidence: float = 0.91, **overrides: Any) -> FieldPrediction:
    """Return a field that is filled in with `value`, with its evidence."""
    base = FieldPrediction(
        value=value,
        confidence=confidence,
        mode=FieldMode.AUTOFILL if value else FieldMode.RECOMMEND,
        alternatives=(Alternative(value or "software", confidence), Alternative("network", 0.05)),
        evidence=(Evidence("Printer", 0, 7, "title", None, 0.4),),
        reason=None if value else Reason.LOW_CONFIDENCE,
    )
    return replace(base, **overrides)


def a_suggestion(**overrides: Any) -> Suggestion:
    """Return a suggestion of ordinary size: five fields, two articles, two similar incidents."""
    incident = an_incident()
    base = Suggestion(
        id="suggestion-1",
        tenant=incident.tenant,
        incident_id=None,
        title=incident.title,
        description=incident.description,
        created_at=NOON,
        kind=a_prediction("incident"),
        category=a_prediction(
            "hardware", neighbours=(VotingNeighbour("incident-7", "hardware", 0.91, 0.62),), rule=AppliedRule("r", "Because.")
        ),
        sub_category=a_prediction("printer"),
        impact=a_prediction("medium", 0.7),
        urgency=a_prediction(None, 0.4),
        priority=PrioritySuggestion(
            "P3",
            "impact medium and urgency medium give P3",
            AppliedRule("vip", "The printers of the board come first."),
            Counterfactual(
                "P2",
                "there is no workaround",
                EvidenceFamily.WORKAROUND,
                {"urgency": ("medium", "high")},
                (Evidence("offline", 23, 30, "title", "workaround_cheap", 0.2),),
            ),
        ),
        sla=SlaSuggestion(NOON + timedelta(hours=24), 1_440, "business_hours"),
        routing=Routing("Workplace", ("Workplace lead", "Head of IT"), "Workplace owns CI print-01"),
        articles=(
            ArticleMatch("article-1", "Bring a network printer back online", 0.71, "1. Restart the print spooler.", "same words"),
            ArticleMatch("article-2", "Replace a toner", 0.44, "1. Open the front door.", "similar meaning"),
        ),
        similar_incidents=(
            IncidentMatch("incident-7", "printer dead", "resolved", 0.66, "Spooler restarted.", shared=("same CI print-01",)),
            IncidentMatch("incident-8", "cannot print", "open", 0.6, None),
        ),
        configuration_items=(
            ItemFinding(
                "print-01",
                "ci",
                "print-01",
                "Printer",
                "high",
                "Workplace",
                ("Printing",),
                1,
                (RecentChange("CHG-1", "print-01", NOON - timedelta(hours=3), "Firmware updated"),),
            ),
        ),
        provenance=Provenance("starter-1", "hashing-256", 12, "taxonomy-1"),
        timing_ms=Timing(encode=4.1, classify=0.8, search=0.9, store=0.4, total=6.2),
        custom={},
        ongoing=(OngoingMatch("clu_1", ProposalKind.MAJOR, "nobody can print", NOON, 12, 0.7),),
    )
    return replace(base, **overrides)


def a_feedback(**overrides: Any) -> Feedback:
    """Return the acceptance of the category of `a_suggestion()`."""
    base = Feedback(
        id="feedback-1",
        tenant=DEFAULT_TENANT,
        suggestion_id="suggestion-1",
        action=FeedbackAction.ACCEPTED,
        created_at=NOON,
        key_id="key-1",
        field="category",
        value="hardware",
    )
    return replace(base, **overrides)


def an_outcome(**overrides: Any) -> ArticleOutcome:
    """Return that `an_article()` worked for somebody."""
    base = ArticleOutcome(
        id="outcome-1",
        tenant=DEFAULT_TENANT,
        article_id="article-1",
        version=1,
        kind=OutcomeKind.WORKED,
        person="person:jo",
        created_at=NOON,
        key_id="key-1",
    )
    return replace(base, **overrides)


def a_decision(**overrides: Any) -> Decision:
    """Return the confirmation of the category of `a_suggestion()`, which was filled in."""
    base = Decision(
        suggestion_id="suggestion-1",
        tenant=DEFAULT_TENANT,
        field="category",
        shown=Shown.AUTOFILLED,
        predicted="hardware",
        origin=LabelOrigin.CONFIRMED,
        value="hardware",
        decided_at=NOON,
    )
    return replace(base, **overrides)


def a_cluster(**overrides: Any) -> Cluster:
    """Return an open storm of the default tenant that everyone may see."""
    base = Cluster(
        id="clu_1",
        tenant=DEFAULT_TENANT,
        audiences=frozenset({EVERYONE}),
        kind=ClusterKind.STORM,
        title="Printer on floor 3 is offline",
        began_at=NOON,
        updated_at=NOON,
    )
    return replace(base, **overrides)


def an_api_key(**overrides: Any) -> ApiKey:
    """Return a key of the default tenant that may ask for suggestions; its hash fits no secret."""
    base = ApiKey(
        id="key-1",
        secret_sha256="0" * 64,
        tenant=DEFAULT_TENANT,
        audiences=frozenset({EVERYONE}),
        scopes=frozenset({Scope.SUGGEST}),
        label="service desk",
        created_at=NOON,
    )
    return replace(base, **overrides)
