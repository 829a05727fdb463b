"""Names of services and CIs in free text: what is found, and what only looks like one."""

import pytest

from smarttriage.domain.item_names import ItemNames, Named, NameWords, is_host_pattern

WORDS = NameWords(
    common=frozenset({"teams", "mercury", "kasse"}),
    nouns=frozenset({"kasse"}),
    signs=frozenset({"server", "down"}),
    before=frozenset({"microsoft"}),
    between=frozenset({"is"}),
)
NAMES = ItemNames(
    [
        Named("teams", ("Teams",)),
        Named("mercury", ("Mercury", "Mercury Archive")),
        Named("archive", ("Mercury Archive",)),
        Named("till", ("Kasse",)),
        Named("db", ("srv-db-01",)),
        Named("web", ("web farm",), ("web-##", "srv-web*")),
        Named("vpn", ("VPN",)),
        Named("wiki", ("wiki.example.com",)),
        Named("seven", ("7",)),
    ],
    WORDS,
)


def found(text: str) -> list[tuple[str, str]]:
    return [("+".join(match.ids), text[match.start : match.end]) for match in NAMES.find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SRV-DB-01 is gone", [("db", "SRV-DB-01")]),
        ("ping srv db 01 fails", [("db", "srv db 01")]),
        ("srv-db-01.corp.example.com:5432 refuses", [("db", "srv-db-01")]),
        (r"\\srv-db-01\share is empty", [("db", "srv-db-01")]),
        ("web-07 and SRV-WEBX9.corp.example.com", [("web", "web-07"), ("web", "SRV-WEBX9")]),
        ("VPN-Verbindung weg (VPN)", [("vpn", "VPN"), ("vpn", "VPN")]),
        ("see https://wiki.example.com/x", [("wiki", "wiki.example.com")]),
        ("the mercury archive is full", [("mercury+archive", "mercury archive")]),
        ("We use Teams daily", [("teams", "Teams")]),
        ("mercury server, teams is down", [("mercury", "mercury"), ("teams", "teams")]),
        ("microsoft teams hangs", [("teams", "teams")]),
    ],
)
def test_a_name_is_found_as_people_write_it(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "two teams cannot work, both teams are down",
        "Teams of five wait. Mercury is a planet",
        "mail bob@vpn.example.com or vpn@example.com",
        "http://mercury.example.com and mercury.com",
        "srv-db-01-test, srv-db-012, xsrv-db-01, old-srv-db-01, srv-db-01.5",
        "/opt/vpn/bin and C:\\vpn\\x",
        "web-123 web-7 myweb-07 web-07-old",
        "die Kasse bitte abholen",
        "7 people, version 7",
        "MERCURY RISES, SAYS MERCURY",
    ],
)
def test_what_only_looks_like_a_name_is_not_found(text: str) -> None:
    assert found(text) == []


def test_a_host_pattern_needs_something_fixed_to_begin_with() -> None:
    assert [is_host_pattern(pattern) for pattern in ("web-##", "srv*", "*", "we#", "a b#")] == [True, True, False, False, False]
