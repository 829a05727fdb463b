"""Bulk import of articles and past incidents: resumable, nothing twice, bad rows reported and skipped."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from smarttriage.domain.access import DEFAULT_TENANT, EVERYONE, Principal, Scope
from smarttriage.domain.article import Article, ArticleStatus, passages, searched_texts
from smarttriage.domain.errors import InvalidInput, SmartTriageError
from smarttriage.domain.history import IncidentCounts
from smarttriage.domain.incident import TARGETS, Incident, Labels
from smarttriage.domain.lesson import Lesson
from smarttriage.domain.stuffing import signs
from smarttriage.ports import Clock, Encoder, Records, Store
from smarttriage.services.import_counts import counts_of
from smarttriage.services.import_rows import CUSTOM, Row, instant_of, list_of, resolution_of, status_of, text_of
from smarttriage.services.incidents import decided, priority_of
from smarttriage.services.indexing import embed
from smarttriage.services.live import Models
from smarttriage.services.teaching import Taught, lesson_of

BATCH = 256
# Who imports and seeds, where others have the id of a key.
IMPORTER, SEEDER = "import", "seed"


@dataclass(slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        added: Rows that are new.
        updated: Articles whose content had changed.
        present: Rows that were there already.
        skipped: (place, reason) of every row that could not be used.
        held: (article, what was seen) of every article that looks stuffed with words and waits for a reviewer.
        unknown_labels: "target=label" -> rows whose label is not in the taxonomy; kept as custom label `source_<target>`.
    """

    added: int = 0
    updated: int = 0
    present: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    held: list[tuple[str, str]] = field(default_factory=list)
    unknown_labels: dict[str, int] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """Rows seen so far."""
        return self.added + self.updated + self.present + len(self.skipped)


class ImportService:
    """Writes rows to the store in batches; each batch is one transaction, its vectors stored before it."""

    def __init__(
        self, *, store: Store, encoder: Encoder, models: Models, clock: Clock, principal: Principal, batch_size: int = BATCH
    ) -> None:
        self._store = store
        self._encoder = encoder
        self._models = models
        self._clock = clock
        self._principal = principal
        self._batch_size = batch_size

    def articles(
        self, rows: Iterable[Row], *, progress: Callable[[ImportReport], None], accept_warnings: bool = False
    ) -> ImportReport:
        """Import published articles by id; one that is there with other content becomes its next revision.

        An article that looks stuffed with words to be found by is left for a reviewer, unless `accept_warnings` says otherwise.
        """
        report = ImportReport()
        for batch in _batches(rows, self._batch_size):
            read = (self._article(row, report) for row in batch)
            wanted = list({article.id: article for article in read if article is not None}.values())
            self._embed(each.text for a in wanted for each in searched_texts(a.id, a.title, passages(a.id, a.body)))
            with self._store.begin(write=True) as records:
                present = records.articles_by_id([article.id for article in wanted], self._principal)
                fresh = [article for article in wanted if article.id not in present]
                changed = [article for article in wanted if article.id in present and not _same(present[article.id], article)]
                if not accept_warnings:
                    fresh, changed = ([_held(article, report) for article in each] for each in (fresh, changed))
                records.add_articles(fresh, key_id=self._principal.key_id)
                for article in changed:
                    self._revise(records, present[article.id], article)
                report.added += len(fresh)
                report.updated += len(changed)
                report.present += len(wanted) - len(fresh) - len(changed)
            progress(report)
        return report

    def incidents(self, rows: Iterable[Row], *, source: str, progress: Callable[[ImportReport], None]) -> ImportReport:
        """Import incidents by (source, source id); a row without an id is known by its content."""
        report = ImportReport()
        for batch in _batches(rows, self._batch_size):
            wanted: dict[str, Incident] = {}
            counts: dict[str, IncidentCounts] = {}
            for row in batch:
                incident = self._incident(row, source, report)
                if incident is not None and wanted.setdefault(incident.id, incident) is not incident:
                    report.present += 1
                elif incident is not None:
                    counts[incident.id] = counts_of(row.values)
            with self._store.begin() as records:
                known = records.incidents_by_id(list(wanted), self._principal)
            fresh = [incident for incident in wanted.values() if incident.id not in known]
            self._embed(incident.text for incident in fresh)
            with self._store.begin(write=True) as records:
                records.add_incidents(fresh, key_id=self._principal.key_id)
                records.add_lessons([lesson for incident in fresh if (lesson := self._lesson(incident)) is not None])
                # They had a life elsewhere before: what the file does not say was not counted from the beginning.
                records.set_incident_counts({incident.id: counts[incident.id] for incident in fresh})
            report.added += len(fresh)
            report.present += len(known)
            progress(report)
        return report

    def _embed(self, texts: Iterable[str]) -> None:
        distinct = list(dict.fromkeys(texts))
        if distinct:
            embed(distinct, encoder=self._encoder, store=self._store)

    def _lesson(self, incident: Incident) -> Lesson | None:
        resolution = incident.resolution
        labels = {target: incident.labels.get(target) for target in decided(incident.labels)}
        taught = Taught(labels, resolves=resolution is not None, person=resolution.resolved_by if resolution else None)
        return lesson_of(self._principal, None, incident, taught, at=incident.created_at)

    def _article(self, row: Row, report: ImportReport) -> Article | None:
        if row.problem is not None:
            report.skipped.append((row.place, row.problem))
            return None
        values, now = row.values, self._clock()
        return Article(
            id=str(values["id"]),
            tenant=self._principal.tenant,
            title=str(values["title"]).strip(),
            body=str(values["body"]).strip(),
            status=ArticleStatus(values["status"]) if values.get("status") in list(ArticleStatus) else ArticleStatus.PUBLISHED,
            keywords=tuple(str(word) for word in values.get("keywords") or ()),
            language=str(values.get("language") or "en"),
            owner=values.get("owner"),
            valid_until=values.get("valid_until"),
            created_at=now,
            updated_at=now,
            updated_by=self._principal.key_id,
            category=self._label("category", values.get("category"), report)[0],
            sub_category=self._label("sub_category", values.get("sub_category"), report)[0],
        )

    def _revise(self, records: Records, present: Article, article: Article) -> None:
        successor = replace(
            article,
            version=present.version + 1,
            revision=present.revision + 1,
            created_at=present.created_at,
            audiences=present.audiences,
        )
        records.update_article(successor, key_id=self._principal.key_id)

    def _incident(self, row: Row, source: str, report: ImportReport) -> Incident | None:
        try:
            if row.problem is not None:
                raise InvalidInput(row.problem)
            return self._read(row.values, source, report)
        except (SmartTriageError, ValueError) as error:
            report.skipped.append((row.place, str(error)))
            return None

    def _read(self, values: Mapping[str, Any], source: str, report: ImportReport) -> Incident:
        counts_of(values)
        known = self._labels(values, report)
        note, resolved_at = text_of(values.get("resolution")), instant_of("resolved_at", values.get("resolved_at"))
        now = self._clock()
        reported_at = instant_of("reported_at", values.get("reported_at")) or now
        source_id = text_of(values.get("source_id")) or _digest(json.dumps(values, sort_keys=True, default=str))
        incident = Incident(
            id=f"inc_{_digest(f'{self._principal.tenant}/{source}/{source_id}')}",
            tenant=self._principal.tenant,
            title=text_of(values.get("title")) or "",
            description=text_of(values.get("description")) or "",
            source_system=source,
            source_id=source_id,
            created_at=now,
            updated_at=now,
            reported_at=reported_at,
            detected_at=instant_of("detected_at", values.get("detected_at")),
            labels=known,
            reviewed=decided(known),
            status=status_of(values.get("status"), resolved=note is not None or resolved_at is not None),
            resolution=resolution_of(values, note, resolved_at or reported_at),
            reporter=text_of(values.get("reporter")),
            initial_impact=text_of(values.get("initial_impact")),
            logged_by=text_of(values.get("logged_by")),
            language=text_of(values.get("language")),
            priority=text_of(values.get("priority")),
            support_group=text_of(values.get("support_group")),
            affected_users=list_of(values.get("affected_users")),
            affected_services=list_of(values.get("affected_services")),
            configuration_items=list_of(values.get("configuration_items")),
            symptoms=list_of(values.get("symptoms")),
        )
        if not incident.text.strip():
            raise InvalidInput("no text: map title or description to a column that has some")
        group, _ = self._models.taxonomy.route(known.category, known.sub_category)
        priority = priority_of(known, self._models.policy) or incident.priority
        return replace(incident, priority=priority, support_group=incident.support_group or group)

    def _labels(self, values: Mapping[str, Any], report: ImportReport) -> Labels:
        found: dict[str, str | None] = {}
        custom = {key.removeprefix(CUSTOM): text_of(value) for key, value in values.items() if key.startswith(CUSTOM)}
        for target in TARGETS:
            found[target], unknown = self._label(target, values.get(target), report)
            if unknown is not None:
                custom[f"source_{target}"] = unknown
        kept = {target: label for target, label in custom.items() if label is not None}
        return Labels(found["kind"], found["category"], found["sub_category"], found["impact"], found["urgency"], kept)

    def _label(self, target: str, value: Any, report: ImportReport) -> tuple[str | None, str | None]:
        """Return (label of the taxonomy, None), or (None, what the file says) where the taxonomy has no such label."""
        text = text_of(value)
        if text is None:
            return None, None
        matrix = self._models.policy.matrix
        permitted = (
            {"impact": matrix.impacts, "urgency": matrix.urgencies}.get(target) or self._models.taxonomy.names(target) or ()
        )
        found = next((label for label in permitted if label.casefold() == text.casefold()), None)
        if found is None:
            key = f"{target}={text}"
            report.unknown_labels[key] = report.unknown_labels.get(key, 0) + 1
        return found, None if found else text


def importer(key_id: str, tenant: str = DEFAULT_TENANT) -> Principal:
    """Return who an import from the command line acts as."""
    return Principal(key_id, tenant, frozenset({EVERYONE}), frozenset({Scope.ADMIN}))


def _same(present: Article, article: Article) -> bool:
    names = ("title", "body", "category", "sub_category", "keywords")
    return all(getattr(present, name) == getattr(article, name) for name in names)


def _held(article: Article, report: ImportReport) -> Article:
    """Return the article, in review instead of published where it looks stuffed."""
    found = signs(article.title, article.body, article.keywords) if article.status is ArticleStatus.PUBLISHED else []
    if not found:
        return article
    report.held.append((article.id, "; ".join(found)))
    return replace(article, status=ArticleStatus.IN_REVIEW)


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
