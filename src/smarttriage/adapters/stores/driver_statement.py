"""The few statements that every suggestion waits for: written in Core as all others, compiled once, run by the driver itself.

SQLAlchemy runs a statement through much code of its own, which an encoding has just driven out of the processor's caches.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, Dialect, Insert, Select

Processor: TypeAlias = Callable[[Any], Any]
Lengths: TypeAlias = tuple[tuple[str, int], ...]
# Forms of a statement, which differ in how many values its lists have: a dozen ids, a few audiences; an import's have a thousand.
N_COMPILED = 64


@dataclass(frozen=True, slots=True, eq=False)
class DriverStatement:
    """A SELECT, or an INSERT of one row, with values by name; a list of values where the parameter is an expanding one.

    A driver that takes its parameters by position, as SQLite's do, runs it itself, and what it raises passes as it is; for any other
    one SQLAlchemy does.
    """

    statement: Select[Any] | Insert

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Sequence[Any]]:
        """Return the rows of a SELECT as plain sequences."""
        if not connection.dialect.positional:
            return list(connection.execute(self.statement, values))
        compiled = self._compiled(connection, values)
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(compiled.text, compiled.bound(values))
            return [compiled.read(row) for row in cursor.fetchall()]

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Execute an INSERT; return how many rows were written."""
        if not connection.dialect.positional:
            return connection.execute(self.statement, values).rowcount
        compiled = self._compiled(connection, values)
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(compiled.text, compiled.bound(values))
            return int(cursor.rowcount)

    def _compiled(self, connection: Connection, values: Mapping[str, Any]) -> "_Compiled":
        lengths = tuple((name, len(value)) for name, value in values.items() if isinstance(value, list))
        return _compiled(self.statement, connection.dialect, tuple(values), lengths)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """One form of a statement.

    Attributes:
        text: What the driver gets.
        parameters: In the driver's order: the name, the position in its list (None: no list), and what turns it into the driver's.
        results: The columns whose values the driver does not give as they are: position and what turns them into ours.
    """

    text: str
    parameters: Sequence[tuple[str, int | None, Processor | None]]
    results: Sequence[tuple[int, Processor]]

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the values in the driver's order."""
        bound = []
        for name, position, process in self.parameters:
            value = values[name] if position is None else values[name][position]
            bound.append(value if process is None else process(value))
        return bound

    def read(self, row: Sequence[Any]) -> Sequence[Any]:
        """Return the row in our types."""
        read = list(row)
        for position, process in self.results:
            read[position] = process(read[position])
        return read


@lru_cache(maxsize=N_COMPILED)
def _compiled(statement: Select[Any] | Insert, dialect: Dialect, names: tuple[str, ...], lengths: Lengths) -> _Compiled:
    inserted = list(names) if isinstance(statement, Insert) else None
    # Only the number of the values matters here; they stand for any others.
    lists = {name: [None] * length for name, length in lengths}
    compiled = statement.compile(dialect=dialect, column_keys=inserted)
    state = compiled.construct_expanded_state(dict.fromkeys(names) | lists)
    places: dict[str, tuple[str, int | None]] = {name: (name, None) for name in names}
    for name, expanded in state.parameter_expansion.items():
        places.update({each: (name, position) for position, each in enumerate(expanded)})
    binders = {name: compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names}
    parameters = [(*places[each], binders[places[each][0]]) for each in state.positiontup or ()]
    columns = statement.selected_columns if isinstance(statement, Select) else ()
    readers = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return _Compiled(state.statement, parameters, [(at, each) for at, each in enumerate(readers) if each is not None])
