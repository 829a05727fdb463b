"""What the CMDB says of a report: impact, owner, recent changes, and what similar incidents have in common with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from smarttriage.domain.access import Principal
from smarttriage.domain.cmdb import (
    Consequence,
    Item,
    ItemFinding,
    ItemKind,
    Mention,
    RecentChange,
    Severity,
)
from smarttriage.domain.incident import Incident
from smarttriage.domain.matches import IncidentMatch
from smarttriage.domain.rules import Conditions, Rule
from smarttriage.domain.suggestion import FieldPrediction, Routing
from smarttriage.domain.text import model_text
from smarttriage.services.cmdb import CmdbView
from smarttriage.services.item_closure import ItemClosure
from smarttriage.services.live import Models
from smarttriage.services.matching import IncidentText, Nearest
from smarttriage.services.predicting import means_work

RULE_ID = "cmdb-impact"
INCIDENT = "incident"
# A machine of which somebody says that it cannot be reached has failed; of a service only one says so for whom it has stopped:
# "I cannot sign in to the ERP" is one person's trouble.
_FAILED = {ItemKind.CI: frozenset({"stopped", "cannot"}), ItemKind.SERVICE: frozenset({"stopped"})}
# What says that it has not failed for all, is over, or is another matter than a failure.
_NOT_FAILED = frozenset(
    {
        "only_me",
        "one_named_person",
        "nobody_hindered",
        "goes_on",
        "slow",
        "intermittent",
        "workaround_cheap",
        "cosmetic",
        "question",
        "request",
        "resolved_already",
        "attack_under_way",
        "data_exposed",
    }
)
MAX_SHOWN = 10
_SHOWN_SERVICES = 5
_SHOWN_CHANGES = 3


@dataclass(frozen=True, slots=True)
class Affected:
    """The items of one report, and what follows from them.

    Attributes:
        view: The tenant's CMDB.
        principal: Who asks.
        at: When the incident was reported.
        mentions: The items, those that the platform named first.
    """

    view: CmdbView
    principal: Principal
    at: datetime
    mentions: tuple[Mention, ...]

    @classmethod
    def of(cls, view: CmdbView, principal: Principal, request: IncidentText, at: datetime) -> "Affected":
        """Return what the CMDB knows of a report that came `at`."""
        known = request.circumstances
        given = (*known.configuration_items, *known.affected_services)
        found = view.mentions(model_text(request.title, request.description), given, principal)
        return cls(view, principal, at, tuple(found[:MAX_SHOWN]))

    def rules(self, models: Models) -> list[Rule]:
        """Return a rule for each item whose failure means more than nothing: a floor under the impact, as a rule has it."""
        made = []
        for item in self._certain():
            told = self._closure(item).consequence
            level = _level(models.policy.matrix.impacts, told)
            if level is not None:
                made.append(Rule(RULE_ID, told.because, _failing(item), sets={}, at_least={"impact": level}))
        return made

    def routing(self, models: Models, request: IncidentText, found: Mapping[str, FieldPrediction]) -> Routing:
        """Return the owner's group with the reason, where the item has failed or nobody else is known; else the category's."""
        usual = Routing(*models.taxonomy.route(found["category"].value, found["sub_category"].value))
        owners = {item.owner_group: item for item in self._certain() if item.owner_group}
        if len(owners) != 1 or not means_work(models.taxonomy, found["kind"].value):
            return usual
        ((group, item),) = owners.items()
        if group is None or (usual.support_group is not None and not self._has_failed(item, models, request, found)):
            return usual
        return Routing(group, usual.escalation, f"{group} owns {_called(item)}")

    def findings(self) -> tuple[ItemFinding, ...]:
        """Return the items as they are shown."""
        return tuple(self._finding(mention) for mention in self.mentions)

    def similar(self, nearest: Nearest, k: int) -> tuple[IncidentMatch, ...]:
        """Return at most k similar incidents, each with what it has in common with the report; the order stays as it is."""
        items = self._certain()
        if not items:
            return nearest.similar(k, at=self.at)
        stored = {incident.id: incident for _, incident in (*nearest.neighbours, *nearest.further)}
        return tuple(replace(match, shared=self._shared(stored[match.id], items)) for match in nearest.similar(k, at=self.at))

    def _certain(self) -> list[Item]:
        """Return the items whose name no other one shares."""
        places = [(mention.start, mention.end) for mention in self.mentions]
        return [m.item for m, place in zip(self.mentions, places, strict=True) if place[0] is None or places.count(place) == 1]

    def _closure(self, item: Item) -> ItemClosure:
        return self.view.closure(item.id, self.principal)

    def _has_failed(self, item: Item, models: Models, request: IncidentText, found: Mapping[str, FieldPrediction]) -> bool:
        text = models.rules.read(model_text(request.title, request.description), cues=True)
        values = {target: field.value for target, field in found.items()}
        rule = Rule(RULE_ID, "", _failing(item), sets={}, at_least={})
        return models.rules.grounds(rule, text, request.circumstances, values) is not None

    def _finding(self, mention: Mention) -> ItemFinding:
        item = mention.item
        closure = self._closure(item)
        changes = sorted(
            (change for id_ in closure.changed for change in self.view.changed(id_, before=self.at)),
            key=lambda change: (-change.at.timestamp(), change.id),
        )
        return ItemFinding(
            item.id,
            str(item.kind),
            item.name,
            mention.how,
            str(item.criticality) if item.criticality else None,
            item.owner_group,
            tuple(service.name for service in closure.services[:_SHOWN_SERVICES]),
            len(closure.services),
            tuple(RecentChange(change.id, change.item_id, change.at, change.what) for change in changes[:_SHOWN_CHANGES]),
        )

    def _relation(self, other: Item, items: Sequence[Item]) -> str | None:
        """Return what another item is to those of the report, in words, the nearest meaning first; None for nothing."""
        if any(item.id == other.id for item in items):
            return f"same {_called(other)}"
        for item in items:
            closure = self._closure(item)
            if other.id in closure.needs:
                return f"{_called(other)}, which {item.name} depends on"
            if other.id in closure.needed_by:
                return f"{_called(other)}, which depends on {item.name}"
        return None

    def _shared(self, incident: Incident, items: Sequence[Item]) -> tuple[str, ...]:
        theirs = sorted(self.view.items_of(incident, self.principal))
        told = {id_: said for id_ in theirs if (said := self._relation(self.view.graph.items[id_], items)) is not None}
        reasons = list(told.values())
        for id_ in told:
            after_both = {change.id for change in self.view.changed(id_, before=incident.reported_at)}
            name = self.view.graph.items[id_].name
            reasons += [
                f"both soon after change {change.id} on {name}"
                for change in self.view.changed(id_, before=self.at)
                if change.id in after_both
            ]
        return tuple(reasons)


def _failing(item: Item) -> Conditions:
    return Conditions(cues=_FAILED[item.kind], unless_cues=_NOT_FAILED, values={"kind": (INCIDENT,)})


def _level(impacts: Sequence[str], told: Consequence) -> str | None:
    """Return the level of the matrix that a consequence asks for at least, None for none; a serious one is one below the top."""
    if told.severity is Severity.NOTHING_SAID or not impacts:
        return None
    return impacts[-1] if told.severity is Severity.GREATEST else impacts[max(len(impacts) - 2, 0)]


def _called(item: Item) -> str:
    return f"{'service' if item.kind is ItemKind.SERVICE else 'CI'} {item.name}"
