"""What is wrong with the knowledge base, as it goes over the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from smarttriage.api.answer_schemas import Out
from smarttriage.api.schemas import Body
from smarttriage.domain.links import LinkFault
from smarttriage.services.hygiene import Attention


class HygieneQuery(Body):
    """How many of each kind are listed."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class NamedOut(Out):
    """An article."""

    id: str
    title: str


class TwinsOut(Out):
    """Two articles that say nearly the same; what only the second says belongs into the first, then the second is retired."""

    keep: NamedOut
    merge: NamedOut
    cosine: float
    same_words: bool


class BrokenLinkOut(Out):
    """A link that cannot work; none was opened."""

    target: str
    fault: LinkFault


class LinksOut(NamedOut):
    """An article and its links that cannot work."""

    links: list[BrokenLinkOut]


class DrawerOut(NamedOut):
    """An article whose category is not that of the incidents that it solves."""

    category: str | None
    proposed: str
    n: int
    n_proposed: int


class LookAtOut(NamedOut):
    """An article that somebody should look at."""

    owner: str | None
    reasons: list[Attention]


class CountsOut(Out):
    """How many of each kind there are, those that the limit leaves out too."""

    articles: int
    twins: int
    links: int
    never_suggested: int
    categories: int
    attention: int


class HygieneOut(Out):
    """What is wrong with the published articles that the key may see."""

    now: datetime
    counts: CountsOut
    twins: list[TwinsOut]
    links: list[LinksOut]
    never_suggested: list[NamedOut] = Field(
        description="Published for 30 days or more and in no suggestion since counting began."
    )
    categories: list[DrawerOut]
    attention: list[LookAtOut]
