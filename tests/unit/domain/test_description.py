"""Descriptions of labels from a taxonomy, from plain tables and from rows."""

import pytest

from smarttriage.domain.description import Description, described, descriptions_from_rows, descriptions_from_toml
from smarttriage.domain.errors import ConfigurationError, InvalidInput


def test_a_taxonomy_describes_categories_and_what_stands_below_them() -> None:
    subs = [{"name": "vpn", "description": "Tunnels."}]
    values = {"version": "1", "categories": [{"name": "network", "description": "Paths.", "sub_categories": subs}]}
    found = descriptions_from_toml(values, "taxonomy.toml")
    assert found["category"] == [Description("network", "Paths.")]
    assert found["sub_category"] == [Description("vpn", "Tunnels.", "network")]


def test_a_table_describes_the_labels_of_the_target_it_is_named_after() -> None:
    found = descriptions_from_toml({"team": {"East": "Ghent.", "West": "Porto."}}, "labels.toml")
    assert found == {"team": [Description("East", "Ghent."), Description("West", "Porto.")]}


def test_a_description_that_is_no_text_is_refused_by_its_key() -> None:
    with pytest.raises(ConfigurationError, match=r"labels\.toml: team\.East"):
        descriptions_from_toml({"team": {"East": 7}}, "labels.toml")


def test_rows_may_name_their_target_and_parent_and_repeat_a_label() -> None:
    rows = [
        {"label": "vpn", "description": "Tunnels.", "parent": "network"},
        {"label": "vpn", "description": "How to reset a tunnel.", "parent": "network"},
        {"label": "East", "description": None, "target": "team"},
        {"label": " ", "description": "nobody"},
    ]
    found = descriptions_from_rows(rows, target="sub_category")
    assert [one.text for one in found["sub_category"]] == ["Tunnels.", "How to reset a tunnel."]
    assert found["team"] == [Description("East", "")]


def test_only_asked_targets_are_kept_and_none_is_an_error() -> None:
    known = {"team": [Description("East", "")], "kind": [Description("request", "")]}
    assert described(known, ["team", "urgency"], "f.toml") == {"team": known["team"]}
    with pytest.raises(InvalidInput, match=r"f\.toml describes \['kind', 'team'\]"):
        described(known, ["urgency"], "f.toml")
