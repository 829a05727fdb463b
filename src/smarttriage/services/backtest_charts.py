"""Two small charts as SVG text: shares by month, minutes by month."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 900, 240, 44, 34, 26
# Told apart by people who see no red and green (Okabe and Ito, 2008).
_COLOURS = ("#0072b2", "#009e73", "#d55e00", "#7f7f7f")
_MONTHS_NAMED = 12
_LEGEND, _LEGEND_CHARS = 210, 28


@dataclass(frozen=True, slots=True)
class Line:
    """One share for each month, None where there is none."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Band:
    """A range of shares from one month to the last."""

    name: str
    first: int
    low: float
    high: float


def lines(months: Sequence[str], drawn: Sequence[Line], *, band: Band | None, title: str, top: float = 1.0) -> str:
    """Return shares by month, 0 at the bottom and `top` at the top."""
    parts = [_rule(_y(top * part, 0, top), f"{top * part:.0%}") for part in (0, 0.25, 0.5, 0.75, 1)]
    if band:
        left, upper, lower = _x(band.first, len(months)), _y(band.high, 0, top), _y(band.low, 0, top)
        box = f'x="{left:.1f}" y="{upper:.1f}" width="{_WIDTH - left:.1f}" height="{lower - upper:.1f}"'
        parts.append(f'<rect {box} fill="{_COLOURS[2]}" opacity=".15"><title>{escape(band.name)}</title></rect>')
    for place, line in enumerate(drawn):
        colour = _COLOURS[place % len(_COLOURS)]
        parts += [_stroke(run, len(months), colour, top) for run in _runs(line.values)]
        parts.append(_legend(line.name, _LEFT + _LEGEND * place, colour))
    return _chart(parts, months, title)


def bars(months: Sequence[str], values: Sequence[float], *, title: str, unit: str = "min") -> str:
    """Return one bar for each month, below zero where it is a loss."""
    low, high = min(0.0, *values), max(1.0, *values)
    parts = [_rule(_y(value, low, high), f"{value:.0f}") for value in dict.fromkeys((low, 0.0, high))]
    width = max(1.0, (_WIDTH - _LEFT) / max(1, len(months)) * 0.7)
    for place, value in enumerate(values):
        top, bottom = sorted((_y(value, low, high), _y(0, low, high)))
        box = f'x="{_x(place, len(months)) - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" height="{bottom - top:.1f}"'
        colour = _COLOURS[0] if value >= 0 else _COLOURS[2]
        parts.append(f'<rect {box} fill="{colour}"><title>{escape(months[place])}: {value:.0f} {escape(unit)}</title></rect>')
    return _chart(parts, months, title)


def _chart(parts: Sequence[str], months: Sequence[str], title: str) -> str:
    step = max(1, -(-len(months) // _MONTHS_NAMED))
    named = [
        f'<text x="{_x(place, len(months)):.1f}" y="{_HEIGHT - 12}" text-anchor="middle">{escape(months[place])}</text>'
        for place in range(0, len(months), step)
    ]
    label = escape(title, quote=True)
    return f'<h3>{escape(title)}</h3><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{"".join([*parts, *named])}</svg>'


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Return the stretches of months that have a value."""
    runs: list[list[tuple[int, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place, value))
    return [run for run in runs if run]


def _legend(name: str, left: int, colour: str) -> str:
    """Return the name over the chart, cut where the next one begins; the whole of it stands in the tooltip."""
    short = name if len(name) <= _LEGEND_CHARS else f"{name[: _LEGEND_CHARS - 1]}…"
    return f'<text x="{left}" y="14" style="fill:{colour};font-weight:600">{escape(short)}<title>{escape(name)}</title></text>'


def _stroke(run: Sequence[tuple[int, float]], n_months: int, colour: str, top: float) -> str:
    points = [(_x(place, n_months), _y(value, 0, top)) for place, value in run]
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="2.5" fill="{colour}"/>'
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _rule(y: float, name: str) -> str:
    rule = f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dde3ea"/>'
    return f'{rule}<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>'


def _x(place: int, n_months: int) -> float:
    return _LEFT + (place + 0.5) * (_WIDTH - _LEFT) / max(1, n_months)


def _y(value: float, low: float, high: float) -> float:
    return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _BOTTOM - _TOP)
