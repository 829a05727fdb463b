"""The data doctor's report for people, on stdout."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from smarttriage.domain.doctor import Example, Finding, Place, Severity, counted

if TYPE_CHECKING:
    from smarttriage.bootstrap.doctor import Consultation

SHOWN_EXAMPLES = 5
_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_WIDTH_OF_A_FILE = 120


def print_report(done: "Consultation", *, target: str) -> None:
    """Print what was found, what to do about it, examples, and what the copy changed."""
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE, highlight=False)
    found = done.examination
    console.print(Text(f'{counted(found.n_rows, "row")}, {counted(found.n_labels, "label")} of "{target}", {done.total_s:.1f} s'))
    if not found.findings:
        console.print(Text("Nothing to complain about."))
    else:
        console.print(_overview(found.findings))
    files = {place.file for finding in found.findings for example in finding.examples for place in example.places}
    for finding in found.findings:
        for line in _examples(finding, with_file=len(files) > 1):
            console.print(line, soft_wrap=True)
    for name, value in found.measures.items():
        console.print(Text(f"measured: {name.replace('_', ' ')} {value:.3f}"))
    for skipped in found.skipped:
        console.print(Text(f"not checked: {skipped.check.replace('_', ' ')}: {skipped.reason}"), soft_wrap=True)
    if done.copy:
        said = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in done.plan.counts.items())
        console.print(Text(f"{done.copy}: {said}"), soft_wrap=True)


def _overview(findings: Sequence[Finding]) -> Table:
    table = Table(expand=True)
    for name, ratio in (("severity", None), ("found", 1), ("what to do", 1)):
        table.add_column(name, ratio=ratio)
    for finding in findings:
        table.add_row(Text(finding.severity, _COLOURS[finding.severity]), Text(finding.message), Text(finding.advice))
    return table


def _examples(finding: Finding, *, with_file: bool) -> list[Text]:
    shown = finding.examples[:SHOWN_EXAMPLES]
    head = [Text(f"\n{finding.check.replace('_', ' ')}, {finding.n:,} {finding.unit}:")] if shown else []
    return head + [Text(f"  {_example(example, with_file=with_file)}") for example in shown]


def _example(example: Example, *, with_file: bool) -> str:
    where = ", ".join(_place(place, with_file=with_file) for place in example.places)
    text = f'"{example.text}"' if example.text else ""
    return ": ".join(part for part in (f"line {where}" if where else "", text, example.note) if part)


def _place(place: Place, *, with_file: bool) -> str:
    return f"{place.line} of {place.file}" if with_file else str(place.line)
