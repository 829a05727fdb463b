"""Suggestions that an earlier version stored are still read."""

import json
from dataclasses import replace

from smarttriage.adapters.stores.suggestion_json import suggestion_body, suggestion_of
from smarttriage.domain.matches import IncidentMatch, Relation
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


def test_suggestions_stored_before_there_was_a_cmdb_have_no_items_and_no_reason_for_the_group() -> None:
    body = json.loads(suggestion_body(a_suggestion()))
    del body["configuration_items"]
    body["routing"] = body["routing"][:2]
    body["similar_incidents"] = [match[:9] for match in body["similar_incidents"]]
    read = suggestion_of("suggestion-1", "default", NOON, json.dumps(body), None)
    assert (read.configuration_items, read.routing.because, read.similar_incidents[0].shared) == ((), None, ())
