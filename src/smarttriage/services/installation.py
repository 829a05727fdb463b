"""What a running installation consists of: the services behind the routes, and the hooks of the process they run in."""

from collections.abc import Callable
from dataclasses import dataclass, field

from smarttriage.domain.escalation import EscalationMatrix
from smarttriage.ports import Clock
from smarttriage.services.breach import BreachModel
from smarttriage.services.clusters import ClusterService
from smarttriage.services.cmdb_records import CmdbService
from smarttriage.services.drafts import DraftService
from smarttriage.services.incidents import IncidentService
from smarttriage.services.knowledge import KnowledgeService
from smarttriage.services.learning import LearningService
from smarttriage.services.lifecycle import ModelLifecycle
from smarttriage.services.live import Live
from smarttriage.services.loop import KnowledgeLoop
from smarttriage.services.outcomes import OutcomeService
from smarttriage.services.quarantine import QuarantineService
from smarttriage.services.report_cache import ReportCache
from smarttriage.services.searching import SearchService
from smarttriage.services.triage import TriageService
from smarttriage.services.undoing import UndoService
from smarttriage.services.unit_of_work import UnitStore


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may cost.

    Attributes:
        max_body_bytes: Larger bodies get 413 before they are parsed.
        max_concurrent: More requests under way at once get 503 with Retry-After.
        max_title_chars: Longer titles get 413.
        max_description_chars: Longer descriptions, article bodies and resolutions get 413. Models read the first 2,000
            characters (`domain.text.MAX_CHARS`); the rest is only stored, so that a long mail thread fits.
        max_batch: Texts in one request for predictions; more get 413.
        revocation_s: For how long a verified key is believed without asking the store again.
    """

    max_body_bytes: int = 1_000_000
    max_concurrent: int = 32
    max_title_chars: int = 1_000
    max_description_chars: int = 200_000
    max_batch: int = 256
    revocation_s: float = 0.5


@dataclass(frozen=True, slots=True)
class Services:
    """The services behind the routes, and the hooks of the process they run in.

    Attributes:
        store: The store that the services were built with: an answer is committed together with their work.
        notify: Wakes the index follower after a commit.
        loop: Groups resolved incidents by their fix and drafts what they say; a thread of the process makes its passes.
        lifecycle: Model versions: lists, compares, rolls back.
        reload: Loads models and taxonomy anew and swaps them in; raises an error of the family where they cannot be loaded.
        ready: Whether the process may be sent requests.
        escalation: Which steps fall due when; None where the installation has no matrix.
        reports: Key figures that were counted already.
        forecast: Returns a tenant's forecast of resolution times, None where none was trained.
    """

    triage: TriageService
    search: SearchService
    incidents: IncidentService
    learning: LearningService
    knowledge: KnowledgeService
    drafts: DraftService
    loop: KnowledgeLoop
    outcomes: OutcomeService
    quarantine: QuarantineService
    undoing: UndoService
    clusters: ClusterService
    cmdb: CmdbService
    store: UnitStore
    clock: Clock
    live: Live
    lifecycle: ModelLifecycle
    notify: Callable[[], None]
    reload: Callable[[], None]
    ready: Callable[[], bool]
    limits: Limits = field(default_factory=Limits)
    escalation: EscalationMatrix | None = None
    reports: ReportCache = field(default_factory=ReportCache)
    forecast: Callable[[str], BreachModel | None] = lambda _tenant: None
