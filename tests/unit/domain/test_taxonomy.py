"""The taxonomy that ships says what the rubric says; a file that a customer broke is refused with file, key and way out."""

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smarttriage.domain.errors import ConfigurationError
from smarttriage.domain.taxonomy import Taxonomy

SHIPPED = Path(__file__).parents[3] / "kb" / "taxonomy.toml"
SUB_CATEGORIES = {
    "network": ("connectivity", "wifi", "vpn", "dns", "internet", "voice"),
    "hardware": ("workstation", "printer", "mobile", "peripheral", "server", "power"),
    "application": ("email", "collaboration", "business_app", "database", "storage", "operating_system", "web"),
    "access": ("password", "permissions", "account", "mfa_sso"),
    "security": ("phishing", "malware", "intrusion", "data_leak", "lost_device"),
}
Values = dict[str, Any]


def small() -> Values:
    return {
        "version": "7",
        "kinds": [
            {"name": "incident", "description": "Broken."},
            {"name": "other", "description": "No work.", "work_item": False},
        ],
        "categories": [
            {
                "name": "network",
                "description": "The path.",
                "support_group": "Network",
                "escalation": ["Engineering", "Head"],
                "sub_categories": [
                    {"name": "wifi", "description": "Radio."},
                    {"name": "voice", "description": "Phones.", "support_group": "Voice"},
                    {"name": "wan", "description": "Lines.", "support_group": "Engineering"},
                ],
            }
        ],
    }


def shipped() -> Taxonomy:
    return Taxonomy.from_mapping(tomllib.loads(SHIPPED.read_text(encoding="utf-8")), SHIPPED.name)


def test_shipped_taxonomy_has_the_labels_of_the_rubric() -> None:
    taxonomy = shipped()
    assert taxonomy.names("kind") == ("incident", "request", "other")
    assert taxonomy.work_item_kinds == {"incident", "request"}
    assert {
        category.name: tuple(sub.name for sub in category.sub_categories) for category in taxonomy.categories
    } == SUB_CATEGORIES
    assert taxonomy.names("category") == tuple(SUB_CATEGORIES)
    assert taxonomy.names("sub_category") == tuple(name for names in SUB_CATEGORIES.values() for name in names)
    assert taxonomy.names("impact") is None


def test_every_shipped_label_is_described_and_every_category_has_its_group_and_two_steps_above_it() -> None:
    taxonomy = shipped()
    described = [item.description for item in taxonomy.kinds]
    described += [category.description for category in taxonomy.categories]
    described += [sub.description for category in taxonomy.categories for sub in category.sub_categories]
    assert all(len(description.split()) >= 3 for description in described)
    assert all(category.support_group and len(category.escalation) == 2 for category in taxonomy.categories)


def test_sub_category_knows_its_parent() -> None:
    assert shipped().parents == {sub: category for category, subs in SUB_CATEGORIES.items() for sub in subs}


@pytest.mark.parametrize(
    ("category", "sub_category", "expected"),
    [
        ("network", "wifi", ("Network", ("Engineering", "Head"))),
        ("network", None, ("Network", ("Engineering", "Head"))),
        ("network", "unheard of", ("Network", ("Engineering", "Head"))),
        ("network", "voice", ("Voice", ("Network", "Engineering", "Head"))),
        ("network", "wan", ("Engineering", ("Network", "Head"))),
        ("unheard of", "wifi", (None, ())),
        (None, "wifi", (None, ())),
        (None, None, (None, ())),
    ],
)
def test_route_is_the_nearest_group_and_escalates_through_the_others(
    category: str | None, sub_category: str | None, expected: tuple[str | None, tuple[str, ...]]
) -> None:
    assert Taxonomy.from_mapping(small()).route(category, sub_category) == expected


def test_unknown_category_is_none() -> None:
    assert Taxonomy.from_mapping(small()).category("unheard of") is None


def drop(*path: str | int) -> Callable[[Values], None]:
    def edit(values: Values) -> None:
        del _at(values, path[:-1])[path[-1]]

    return edit


def put(value: object, *path: str | int) -> Callable[[Values], None]:
    def edit(values: Values) -> None:
        _at(values, path[:-1])[path[-1]] = value

    return edit


def _at(values: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        values = values[step]
    return values


KIND = {"name": "incident", "description": "Again."}
BROKEN: list[tuple[Callable[[Values], None], str, str]] = [
    (drop("version"), "version", "write a non-empty text in quotes"),
    (put(1, "version"), "version", "write a non-empty text in quotes"),
    (put("  ", "version"), "version", "write a non-empty text in quotes"),
    (put([], "kindes"), "kindes", "unknown key; use one of categories, kinds, version"),
    (drop("kinds"), "kinds", r"add at least one \[\[kinds\]\]"),
    (put([], "categories"), "categories", r"add at least one \[\[categories\]\]"),
    (put("incident", "kinds"), "kinds", r"write \[\[kinds\]\] for each"),
    (put(["incident"], "kinds"), "kinds", r"write \[\[kinds\]\] for each"),
    (put([KIND, KIND], "kinds"), "kinds", '"incident" stands there 2 times; give each its own name'),
    (put(False, "kinds", 0, "work_item"), "kinds", "none is a work item; remove work_item = false"),
    (put("no", "kinds", 1, "work_item"), r"kinds\[1\].work_item", "write true or false"),
    (drop("kinds", 0, "description"), r"kinds\[0\].description", "write a non-empty text in quotes"),
    (put("x", "kinds", 0, "desc"), r"kinds\[0\].desc", "unknown key; use one of description, name, work_item"),
    (drop("categories", 0, "support_group"), r"categories\[0\].support_group", "write a non-empty text"),
    (put("", "categories", 0, "name"), r"categories\[0\].name", "write a non-empty text"),
    (put("Head", "categories", 0, "escalation"), r"categories\[0\].escalation", "write a list of texts, for example"),
    (put(["Head", " "], "categories", 0, "escalation"), r"categories\[0\].escalation", "write a list of texts"),
    (put("x", "categories", 0, "group"), r"categories\[0\].group", "unknown key; use one of description, escalation, name"),
    (put(["wifi"], "categories", 0, "sub_categories"), r"categories\[0\].sub_categories", "write .* for each"),
    (put("", "categories", 0, "sub_categories", 1, "support_group"), r"sub_categories\[1\].support_group", "non-empty text"),
    (put("x", "categories", 0, "sub_categories", 0, "team"), r"sub_categories\[0\].team", "unknown key; use one of description"),
    (put("wifi", "categories", 0, "sub_categories", 1, "name"), "categories", '"wifi" stands there 2 times'),
]


@pytest.mark.parametrize(("edit", "key", "way_out"), BROKEN)
def test_broken_file_is_refused_with_file_key_and_way_out(edit: Callable[[Values], None], key: str, way_out: str) -> None:
    values = small()
    edit(values)
    with pytest.raises(ConfigurationError, match=rf"^mine\.toml: \S*{key}: .*{way_out}") as caught:
        Taxonomy.from_mapping(values, "mine.toml")
    assert caught.value.field is not None


def test_two_categories_of_one_name_are_refused() -> None:
    values = small()
    values["categories"].append({**values["categories"][0], "sub_categories": []})
    with pytest.raises(ConfigurationError, match='"network" stands there 2 times'):
        Taxonomy.from_mapping(values)


def test_sub_category_that_stands_under_two_categories_is_refused() -> None:
    values = small()
    again = copy.deepcopy(values["categories"][0])
    again["name"] = "radio"
    values["categories"].append(again)
    with pytest.raises(ConfigurationError, match='"wifi" stands there 2 times'):
        Taxonomy.from_mapping(values)


CHANGES = [
    put("8", "version"),
    put("Is broken.", "kinds", 0, "description"),
    put(True, "kinds", 1, "work_item"),
    put("LAN", "categories", 0, "support_group"),
    put(["Head"], "categories", 0, "escalation"),
    put("Waves.", "categories", 0, "sub_categories", 0, "description"),
    put("Radio", "categories", 0, "sub_categories", 0, "support_group"),
    drop("categories", 0, "sub_categories", 2),
]


@pytest.mark.parametrize("edit", CHANGES)
def test_version_changes_with_any_content(edit: Callable[[Values], None]) -> None:
    before = Taxonomy.from_mapping(small()).version
    values = small()
    edit(values)
    assert Taxonomy.from_mapping(values).version != before


def test_version_is_the_same_for_the_same_content_and_starts_with_the_label_of_the_file() -> None:
    assert Taxonomy.from_mapping(small()).version == Taxonomy.from_mapping(small(), "elsewhere.toml").version
    assert Taxonomy.from_mapping(small()).version.startswith("7-")
