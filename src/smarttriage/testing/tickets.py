"""Small labelled tickets for tests: enough to learn from in a second, no template of the shipped data."""

import itertools
from collections.abc import Sequence

_PROBLEMS = {
    ("hardware", "printer"): ("printer jams", "toner is empty", "label printer prints blank pages", "scanner feeder squeaks"),
    ("hardware", "workstation"): ("laptop stays black", "battery swollen", "docking fails on my notebook", "keyboard keys stuck"),
    ("network", "vpn"): (
        "vpn drops",
        "tunnel refuses my certificate",
        "vpn client hangs at connecting",
        "remote gateway times out",
    ),
    ("network", "wifi"): ("wifi is weak", "wireless roams badly", "ssid not shown on my phone", "access point light is red"),
}
_PLACES = (
    "on floor three",
    "in the warehouse",
    "since Monday",
    "after the update",
    "for our team",
    "at home",
    "again",
    "in Ghent",
)


def tickets() -> tuple[list[str], list[str | None], list[str | None]]:
    """Return texts, their category and their sub-category; the last rows lack a sub-category."""
    rows = [
        (f"{problem} {place}", category, sub)
        for (category, sub), problems in _PROBLEMS.items()
        for problem, place in itertools.product(problems, _PLACES)
    ]
    texts, categories, subs = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    return [*texts, "broken device, please help"], [*categories, "hardware"], [*subs, None]


def interleaved(rows: Sequence[str], n: int) -> list[str]:
    """Return n rows taken evenly over all."""
    return list(rows[:: max(1, len(rows) // n)])[:n]
