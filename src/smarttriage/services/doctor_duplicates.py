"""Rows that say the same: exact ones, near ones that would leak across a split, and those with different labels."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from smarttriage.domain.courtesy import says_nothing
from smarttriage.domain.doctor import Check, Finding, Severity, counted
from smarttriage.services.doctor_rows import SHOWN, DoctorTable
from smarttriage.services.near_duplicates import cluster_texts, linked


def exact_duplicates(table: DoctorTable) -> dict[int, int]:
    """Return row -> the first row with the same text cells (trimmed) and label, for the rows that repeat one; no empty texts."""
    firsts: dict[tuple[tuple[str, ...], str | None], int] = {}
    repeated = {}
    for row, cells in enumerate(table.cells):
        if not all(says_nothing(cell) for cell in cells):
            first = firsts.setdefault((tuple(cell.strip() for cell in cells), table.labels[row]), row)
            if first != row:
                repeated[row] = first
    return repeated


def clusters(table: DoctorTable, keys: Sequence[str]) -> list[list[int]]:
    """Return the rows of each cluster of near-duplicates with two rows or more, largest first."""
    members: dict[int, list[int]] = defaultdict(list)
    for row, number in enumerate(cluster_texts(table.texts, keys=keys)):
        members[number].append(row)
    return sorted((rows for rows in members.values() if len(rows) > 1), key=lambda rows: (-len(rows), rows))


def joint_groups(table: DoctorTable, found: Sequence[Sequence[int]]) -> list[str]:
    """Return a group name per row that no split may tear apart: clusters of near-duplicates joined with the caller's groups."""
    cluster_of = {row: number for number, rows in enumerate(found) for row in rows}
    return [f"g{number}" for number in linked([cluster_of.get(row) for row in range(len(table.places))], table.groups)]


def duplicate_findings(table: DoctorTable, found: Sequence[Sequence[int]], keys: Sequence[str]) -> Iterator[Finding]:
    """Yield what is wrong with rows that say the same.

    Args:
        table: The rows.
        found: Clusters of near-duplicates.
        keys: One per row; where no group column is named, `smarttriage train` keeps rows of equal keys together by itself.
    """
    yield from _exact(table)
    yield from _leaking(table, found, keys)
    yield from _conflicting(table, found)


def _exact(table: DoctorTable) -> Iterator[Finding]:
    repeated = exact_duplicates(table)
    if not repeated:
        return
    members: dict[int, list[int]] = defaultdict(list)
    for row, first in repeated.items():
        members[first].append(row)
    worst = sorted(members, key=lambda first: (-len(members[first]), first))[:SHOWN]
    yield Finding(
        Check.EXACT_DUPLICATES,
        Severity.WARNING,
        len(repeated),
        "rows",
        f"{counted(len(repeated), 'row')} with the text and label of an earlier one ({counted(len(members), 'text')})",
        "Drop them (--fix keeps the first) unless their number is what the model should learn; never count them twice in a test.",
        tuple(table.example([first, *members[first]], counted(len(members[first]), "repeat")) for first in worst),
        {"texts": len(members)},
    )


def _leaking(table: DoctorTable, found: Sequence[Sequence[int]], keys: Sequence[str]) -> Iterator[Finding]:
    kept = [keys[row] if group is None else group for row, group in enumerate(table.groups)]
    leaking = [rows for rows in found if len({kept[row] for row in rows}) > 1]
    if not leaking:
        return
    n_rows = sum(map(len, leaking))
    by_group = table.columns.group is not None
    how = f"by {table.columns.group!r}" if by_group else "by rows (even with case and digits masked)"
    yield Finding(
        Check.NEAR_DUPLICATES,
        Severity.ERROR if by_group else Severity.WARNING,
        n_rows,
        "rows",
        f"{counted(n_rows, 'row')} in {counted(len(leaking), 'cluster')} that say nearly the same and that a split {how} tears apart: "
        "scores look too good",
        "Split by cluster: --fix OUT adds the column doctor_group, then train with --group-column doctor_group.",
        tuple(table.example(rows, f"{len(rows)} rows alike") for rows in leaking[:SHOWN]),
        {"clusters": len(leaking), "largest": len(leaking[0]), "clusters_of_any_kind": len(found)},
    )


def _conflicting(table: DoctorTable, found: Sequence[Sequence[int]]) -> Iterator[Finding]:
    torn = [rows for rows in found if len({table.labels[row] for row in rows} - {None}) > 1]
    if not torn:
        return
    examples = []
    for rows in torn[:SHOWN]:
        one_each = list({table.labels[row]: row for row in reversed(rows) if table.labels[row]}.values())
        examples.append(table.example(sorted(one_each), " / ".join(sorted({str(table.labels[row]) for row in one_each}))))
    n_rows = sum(map(len, torn))
    yield Finding(
        Check.CONFLICTING_DUPLICATES,
        Severity.ERROR,
        len(torn),
        "clusters",
        f"{counted(len(torn), 'cluster')} of near-duplicates ({counted(n_rows, 'row')}) with more than one label",
        "Decide on one label for each; no model can get both right. --fix flags them in doctor_flag and changes no label.",
        tuple(examples),
        {"rows": n_rows},
    )
