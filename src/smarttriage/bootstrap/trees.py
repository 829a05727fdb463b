"""Columns of whole paths in training files: how many levels they have, and the targets that these become."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from smarttriage.adapters.classifiers.fitting import MIN_ROWS
from smarttriage.adapters.tabular import read_rows
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.tree import TreeColumn, parse_parents, parse_tree_column


@dataclass(frozen=True, slots=True)
class Forest:
    """Which targets stand below which, and the columns that hold whole paths of them.

    Attributes:
        parents: Target -> the target above it.
        columns: Columns to take apart into levels.
    """

    parents: Mapping[str, str]
    columns: tuple[TreeColumn, ...] = ()

    @property
    def targets(self) -> list[str]:
        """The targets that the columns of paths give, each behind its parent."""
        return [target for column in self.columns for target in column.targets]

    def sources(self, columns: Iterable[str]) -> list[str]:
        """Return the columns that a file must have for these: the column of paths in place of its levels."""
        found = {target: column.column for column in self.columns for target in column.targets}
        return list(dict.fromkeys(found.get(column, column) for column in columns))

    def expanded(self, row: Mapping[str, str | None]) -> Mapping[str, str | None]:
        """Return the row with the levels of its paths."""
        for column in self.columns:
            row = column.expanded(row)
        return row


NO_TREE = Forest({})


def read_forest(
    files: Sequence[Path],
    *,
    parents: Sequence[str],
    tree_columns: Sequence[str],
    separator: str,
    on_problem: Callable[[str], None],
) -> Forest:
    """Return the trees as the command line names them; levels without names are counted in the files.

    Raises:
        InvalidInput: An option cannot be read, or a column of paths has no level that can be learnt.
    """
    columns = [parse_tree_column(text, separator) for text in tree_columns]
    columns = [column if column.targets else column.named(_depth(column, files, on_problem)) for column in columns]
    found = {target: parent for column in columns for target, parent in column.parents.items()}
    return Forest({**found, **parse_parents(parents)}, tuple(columns))


def _depth(column: TreeColumn, files: Sequence[Path], on_problem: Callable[[str], None]) -> int:
    """Return how many levels of the column can be learnt: enough rows, and two labels to tell apart."""
    labels: dict[int, Counter[str]] = {}
    for path in files:
        for row in read_rows(path, [column.column]):
            for level, label in enumerate(column.labels(row.values.get(column.column))):
                labels.setdefault(level, Counter())[label] += 1
    usable = [level for level, found in labels.items() if found.total() >= MIN_ROWS and len(found) > 1]
    depth = max(usable, default=-1) + 1
    if not depth or len(labels[0]) < 2:
        message = f"Column {column.column!r} has no two paths that differ at the first level in {MIN_ROWS} rows or more."
        raise InvalidInput(f"{message} Check the separator {column.separator!r}.", field="tree_column")
    if depth < len(labels):
        n_deeper = labels[depth].total()
        on_problem(f"column {column.column!r}: {n_deeper} paths go below level {depth}, too few to learn; they end there")
    return depth
