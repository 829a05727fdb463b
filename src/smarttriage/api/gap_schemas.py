"""What the knowledge base lacks, as it goes over the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from smarttriage.api.answer_schemas import Out
from smarttriage.api.insight_schemas import InsightQuery
from smarttriage.api.schemas import Body, Line, Name
from smarttriage.domain.gaps import Helped


class GapQuery(InsightQuery):
    """Which incidents count (the newest 2,000 of the period), and how many topics are listed."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50


class GapDraftCreate(Body):
    """The incidents that an article is to be drafted from."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"incident_ids": ["inc_0198c2f4"], "title": "Mend a VPN that drops"}]}
    )
    incident_ids: Annotated[list[Name], Field(min_length=1, max_length=20)]
    title: Line | None = Field(None, description="Default: the first incident's.")


class SampledOut(Out):
    """An incident of a topic."""

    id: str
    title: str


class ButtonBodyOut(Out):
    """A body that the draft's route takes as it is."""

    incident_ids: list[str]


class ButtonOut(Out):
    """A request that a button can send as it is."""

    method: Literal["POST"]
    path: str
    body: ButtonBodyOut


class GapOut(Out):
    """A topic that no article helps with."""

    id: str
    words: list[str]
    category: str | None
    n: int
    n_only_failed: int = Field(description="Incidents whose articles were tried and failed.")
    median_hours: float | None = Field(description="Handling time, report to resolution.")
    cost: float = Field(description="n x median_hours; by n alone where no handling time is known.")
    share: float
    cumulative: float
    vital: bool = Field(description="One of the few that make up 80 % of the cost.")
    first_at: datetime
    last_at: datetime
    sample: list[SampledOut] = Field(description="The most typical incident, then those least like the ones before.")
    found_now: str | None = Field(description="The article that the most typical one would find today.")
    draft: ButtonOut


class MissedOut(Out):
    """An incident that was resolved by what an article says which was not suggested for it."""

    incident_id: str
    title: str
    article_id: str


class GapsOut(Out):
    """What the knowledge base lacks; `n_topics` and `n_missed` count those that the limit leaves out too."""

    now: datetime
    n_incidents: int
    n_unread: int = Field(description="Not yet in the index, so that nothing can be said of them.")
    helped: dict[Helped, int]
    n_topics: int
    n_vital: int
    items: list[GapOut]
    n_missed: int
    missed: list[MissedOut]
