"""Suggestions that an earlier version stored are still read."""

import json
from dataclasses import replace

from smarttriage.adapters.stores.suggestion_json import suggestion_body, suggestion_of
from smarttriage.domain.suggestion import IncidentMatch, Relation
from smarttriage.testing.factories import NOON, a_suggestion


def test_similar_incidents_stored_before_relations_were_are_read_without_any() -> None:
    body = json.loads(suggestion_body(a_suggestion()))
    body["similar_incidents"] = [match[:5] for match in body["similar_incidents"]]
    read = suggestion_of("suggestion-1", "default", NOON, json.dumps(body), None)
    assert read.similar_incidents == tuple(replace(match, shared=()) for match in a_suggestion().similar_incidents)


def test_relation_and_those_it_names_come_back_as_they_were_stored() -> None:
    match = IncidentMatch("a", "t", "open", 0.9, None, Relation.SAME_OUTAGE, ("b", "c"), 3, "article-1")
    made = replace(a_suggestion(), similar_incidents=(match,))
    assert suggestion_of("suggestion-1", "default", NOON, suggestion_body(made), None).similar_incidents == (match,)
