"""What the data doctor finds in single texts: nothing in them, courtesy only, the same over and over, personal data."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence

from smarttriage.domain.courtesy import courtesy_only, says_nothing
from smarttriage.domain.doctor import Check, Example, Finding, Severity, counted
from smarttriage.domain.personal_data import PersonalData, find
from smarttriage.services.doctor_rows import SHOWN, DoctorTable

# A ticket text that comes back in so many rows is a form or a robot; both figures are rules of thumb.
CONSTANT_SHARE = 0.005
CONSTANT_ROWS = 10
# The replacement character, and UTF-8 read as Latin-1: "Ã¼" for "ü", "â€™" for an apostrophe.
_BROKEN = re.compile("\ufffd|[ÃÂ][\u0080-\u00bf\u201a-\u203a]|â€[\u0080-\u00bf\u0153\u2122\u201c-\u203a]")


def text_findings(table: DoctorTable, *, keys: Sequence[str], kinds: Collection[PersonalData]) -> Iterator[Finding]:
    """Yield what is wrong with single texts.

    Args:
        table: The rows.
        keys: One per row; equal ones say the same but for case, digits and white space.
        kinds: The personal data to look for.
    """
    yield from _unreadable(table)
    yield from _matching(
        table,
        says_nothing,
        Check.EMPTY_TEXTS,
        Severity.ERROR,
        message="{rows} without any text: neither a letter nor a digit",
        advice="Drop them (--fix does); if many, check that --text-column names the right columns.",
    )
    yield from _matching(
        table,
        courtesy_only,
        Check.BOILERPLATE_TEXTS,
        Severity.WARNING,
        message="{rows} of courtesy only: greetings, thanks, signatures",
        advice="Leave them out of training or give them a class of their own (no work to do); their label cannot come from the text.",
    )
    yield from _constant(table, keys)
    yield from _matching(
        table,
        lambda text: _BROKEN.search(text) is not None,
        Check.BROKEN_CHARACTERS,
        Severity.WARNING,
        message="{rows} with characters that were read in a wrong encoding",
        advice="Export the table again as UTF-8; a copy cannot bring back what the first export lost.",
    )
    yield from _personal_data(table, kinds)


def _unreadable(table: DoctorTable) -> Iterator[Finding]:
    if not table.unreadable:
        return
    examples = tuple(Example((place,), "", problem) for place, problem in table.unreadable[:SHOWN])
    yield Finding(
        Check.UNREADABLE_ROWS,
        Severity.ERROR,
        len(table.unreadable),
        "rows",
        f"{counted(len(table.unreadable), 'row')} that cannot be read",
        "Export them again, quoted as CSV asks; they are in no training set and in no fixed copy.",
        examples,
    )


def _matching(
    table: DoctorTable, matches: Callable[[str], bool], check: Check, severity: Severity, *, message: str, advice: str
) -> Iterator[Finding]:
    rows = [row for row, text in enumerate(table.texts) if matches(text)]
    if rows:
        examples = tuple(table.example([row], "") for row in rows[:SHOWN])
        yield Finding(check, severity, len(rows), "rows", message.format(rows=counted(len(rows), "row")), advice, examples)


def _constant(table: DoctorTable, keys: Sequence[str]) -> Iterator[Finding]:
    members: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        if not says_nothing(key):
            members[key].append(row)
    least = max(CONSTANT_ROWS, CONSTANT_SHARE * len(keys))
    constant = sorted((rows for rows in members.values() if len(rows) >= least), key=len, reverse=True)
    if not constant:
        return
    n_rows = sum(map(len, constant))
    examples = []
    for rows in constant[:SHOWN]:
        labels = Counter(table.labels[row] or "(none)" for row in rows).most_common(3)
        examples.append(table.example(rows, f"{len(rows)} rows: " + ", ".join(f"{label} {n}" for label, n in labels)))
    yield Finding(
        Check.CONSTANT_TEXTS,
        Severity.ERROR if n_rows == len(keys) else Severity.WARNING,
        n_rows,
        "rows",
        f"{counted(n_rows, 'row')} with {counted(len(constant), 'text')} that come back in {least:.0f} rows or more, case and digits aside",
        "If a form or a robot wrote them, leave the template out of the text column or route them by a rule.",
        tuple(examples),
        {"texts": len(constant)},
    )


def _personal_data(table: DoctorTable, kinds: Collection[PersonalData]) -> Iterator[Finding]:
    found: Counter[str] = Counter()
    rows: dict[int, Counter[str]] = {}
    for row, cells in enumerate(table.cells):
        if here := Counter(str(span.kind) for cell in cells for span in find(cell, kinds)):
            rows[row] = here
            found.update(here)
    if not rows:
        return
    said = ", ".join(f"{kind} {n}" for kind, n in found.most_common())
    chosen = sorted(rows, key=lambda row: (-len(rows[row]), row))[:SHOWN]
    examples = tuple(table.example([row], ", ".join(f"{kind} {n}" for kind, n in rows[row].items())) for row in chosen)
    yield Finding(
        Check.PERSONAL_DATA,
        Severity.WARNING,
        len(rows),
        "rows",
        f"{counted(len(rows), 'row')} with personal data: {said}",
        "Mask it before the table leaves your hands: --fix OUT --mask-personal-data; rules miss some, so look again by eye.",
        examples,
        {"found": dict(found)},
    )
