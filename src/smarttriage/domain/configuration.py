"""Reading configuration that people edit: every error names the file, the key and the way out."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from smarttriage.domain.errors import ConfigurationError

_MINUTES = {"m": 1, "h": 60}


@dataclass(frozen=True, slots=True)
class Section:
    """A table of a configuration file that knows where it stands.

    Attributes:
        values: The parsed table.
        file: Name of the file, for messages.
        path: Dotted path of the table inside the file; empty for the top.
    """

    values: Mapping[str, Any]
    file: str
    path: str = ""

    def key(self, name: str) -> str:
        """Return the dotted path of `name`."""
        return f"{self.path}.{name}" if self.path else name

    def fail(self, name: str, problem: str) -> NoReturn:
        """Raise the error for the key `name`; `problem` says what is wrong and what to write instead."""
        where = self.key(name)
        raise ConfigurationError(f"{self.file}: {where}: {problem}", field=where)

    def only(self, allowed: Iterable[str]) -> None:
        """Raise for the first key that nobody reads: usually a typing error."""
        known = sorted(allowed)
        for name in self.values:
            if name not in known:
                self.fail(name, f"unknown key; use one of {', '.join(known)}")

    def text(self, name: str, default: str | None = None) -> str:
        """Return a non-empty string."""
        value = self.values.get(name, default)
        if not isinstance(value, str) or not value.strip():
            self.fail(name, f"is {value!r}; write a non-empty text in quotes")
        return value.strip()

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of non-empty strings; missing means none."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            self.fail(name, f'is {value!r}; write a list of texts, for example ["a", "b"]')
        return tuple(item.strip() for item in value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            self.fail(name, f"is {value!r}; write true or false")
        return value

    def table(self, name: str) -> "Section":
        """Return the sub-table `name`."""
        value = self.values.get(name)
        if not isinstance(value, dict):
            self.fail(name, f"is missing or no table; add [{self.key(name)}]")
        return Section(value, self.file, self.key(name))

    def tables(self, name: str) -> Iterator["Section"]:
        """Yield the tables of the list `name`; missing means none."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fail(name, f"must be a list of tables; write [[{self.key(name)}]] for each")
        for position, item in enumerate(value):
            yield Section(item, self.file, f"{self.key(name)}[{position}]")

    def date(self, name: str) -> dt.date:
        """Return a TOML date."""
        value = self.values.get(name)
        if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
            self.fail(name, f"is {value!r}; write a date without quotes, for example 2026-12-25")
        return value

    def minutes(self, name: str, *, business_day: int | None = None) -> int:
        """Return a duration such as "30m", "4h" or, where `business_day` (minutes) is given, "3bd", in minutes."""
        value = self.text(name)
        match = re.fullmatch(r"(\d{1,5})(m|h|bd)", value)
        if match is None or int(match[1]) == 0 or (match[2] == "bd" and business_day is None):
            units = '"30m", "4h"' + (' or "3bd"' if business_day is not None else "")
            extra = "" if business_day is not None else "; business days need clock = business_hours"
            self.fail(name, f'is "{value}"; write a duration such as {units}{extra}')
        return int(match[1]) * (_MINUTES[match[2]] if match[2] in _MINUTES else int(business_day or 0))
