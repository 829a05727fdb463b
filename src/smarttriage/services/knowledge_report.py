"""Knowledge gaps and faults of articles in one report: for people as a table, for machines as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from smarttriage.domain.gaps import VITAL_SHARE, Gap
from smarttriage.services.gaps import GapReport
from smarttriage.services.hygiene import Hygiene

# Lines of each kind in the table; JSON has them all.
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class KnowledgeReport:
    """What a knowledge base lacks and what is wrong with it, as it stood at `now`."""

    now: datetime
    gaps: GapReport
    hygiene: Hygiene


def as_json(report: KnowledgeReport) -> str:
    """Return the report as a JSON document."""
    return json.dumps(asdict(report), ensure_ascii=False, indent=1, default=_plain)


def as_table(report: KnowledgeReport) -> str:
    """Return the report for a terminal: the vital few first, then one block for each kind of fault."""
    return "\n".join([*_gap_lines(report.gaps), *_fault_lines(report.hygiene)])


def _gap_lines(gaps: GapReport) -> Iterator[str]:
    lacking = sum(gap.n for gap in gaps.gaps)
    vital = sum(gap.vital for gap in gaps.gaps)
    yield f"{lacking} of the newest {gaps.n} incidents had no article that worked: {len(gaps.gaps)} topics,"
    yield f"{vital} of which make up {VITAL_SHARE:.0%} of the handling time; {len(gaps.missed)} opportunities were missed"
    if gaps.n_unread:
        yield f"{gaps.n_unread} incidents are not in the index yet and are left out"
    if gaps.gaps:
        yield f"\n{'topic':<40}{'n':>5}{'failed':>8}{'hours':>8}{'share':>8}{'so far':>8}"
        yield from map(_gap_line, gaps.gaps[:_SHOWN])


def _gap_line(gap: Gap) -> str:
    topic = (" ".join(gap.words) or gap.sample[0].title)[:38]
    return f"{topic:<40}{gap.n:>5}{gap.n_only_failed:>8}{gap.cost:>8.1f}{gap.share:>8.1%}{gap.cumulative:>8.1%}"


def _fault_lines(found: Hygiene) -> Iterator[str]:
    blocks = {
        "nearly the same": [f"{pair.keep} <- {pair.merge}  cosine {pair.cosine:.2f}" for pair in found.twins],
        "links that cannot work": [
            f"{each.article_id}  {link.target} ({link.fault})" for each in found.links for link in each.links
        ],
        "never suggested": [f"{article_id}  {found.titles[article_id]}" for article_id in found.never_suggested],
        "solve incidents of another category": [
            f"{each.article_id}  {each.category or '-'} -> {each.proposed} ({each.n_proposed} of {each.n})"
            for each in found.drawers
        ],
        "to be looked at": [
            f"{each.article_id}  {', '.join(each.reasons)} (owner: {each.owner or 'nobody'})" for each in found.attention
        ],
    }
    yield f"\n{len(found.titles)} published articles"
    for name, lines in blocks.items():
        yield f"{len(lines)} {name}" + (":" if lines else "")
        yield from (f"  {line}" for line in lines[:_SHOWN])


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
