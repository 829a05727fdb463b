"""Charts of the evaluation report as SVG text."""

from collections.abc import Sequence

from smarttriage.services.model_report import Bin, LearningPoint

WIDTH, HEIGHT = 420, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 14, 14, 40


class Frame:
    """A plot area with axes from given lower ends to 1."""

    def __init__(self, x_low: float, y_low: float, x_high: float = 1.0) -> None:
        self._x = (x_low, x_high)
        self._y = (y_low, 1.0)

    def x(self, value: float) -> float:
        """Return the place of a value on the x axis."""
        low, high = self._x
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (value - low) / (high - low), 1)

    def y(self, value: float) -> float:
        """Return the place of a value on the y axis."""
        low, high = self._y
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (value - low) / (high - low), 1)

    def drawn(self, body: str, *, x_label: str, y_label: str, title: str, x_ticks: Sequence[tuple[float, str]] = ()) -> str:
        """Return the SVG with axes, ticks, names and the body."""
        xs = x_ticks or [(value, f"{value:.0%}") for value in ticks(*self._x)]
        grid = [
            f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{self.y(value)}" y2="{self.y(value)}"/>'
            f'<text class="tick" text-anchor="end" x="{_LEFT - 6}" y="{self.y(value) + 4}">{value:.0%}</text>'
            for value in ticks(*self._y)
        ]
        grid += [
            f'<line class="grid" x1="{self.x(value)}" x2="{self.x(value)}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/>'
            f'<text class="tick" text-anchor="middle" x="{self.x(value)}" y="{HEIGHT - _BOTTOM + 16}">{name}</text>'
            for value, name in xs
        ]
        middle_x, middle_y = (_LEFT + WIDTH - _RIGHT) / 2, (_TOP + HEIGHT - _BOTTOM) / 2
        names = (
            f'<text class="axis" text-anchor="middle" x="{middle_x}" y="{HEIGHT - 6}">{x_label}</text>'
            f'<text class="axis" text-anchor="middle" transform="translate(12 {middle_y}) rotate(-90)">{y_label}</text>'
        )
        parts = "".join(grid) + names + body
        return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}"><title>{title}</title>{parts}</svg>'


def ticks(low: float, high: float) -> list[float]:
    """Return round values between the ends, four to eleven of them."""
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / step <= 10.01)
    first = -int(-low // step)
    return [round(first * step + step * n, 4) for n in range(int((high - first * step) / step + 1e-6) + 1)]


def reliability(bins: Sequence[Bin]) -> str:
    """Return the reliability diagram: on the diagonal, confidence is what it says."""
    low = _floor(min(min(part.confidence, part.low) for part in bins))
    frame = Frame(low, low)
    body = f'<line class="ideal" x1="{frame.x(low)}" y1="{frame.y(low)}" x2="{frame.x(1)}" y2="{frame.y(1)}"/>'
    for part in bins:
        x, said = frame.x(part.confidence), f"said {part.confidence:.1%}, right {part.accuracy:.1%} of {part.n} rows"
        body += f'<line class="whisker" x1="{x}" x2="{x}" y1="{frame.y(part.low)}" y2="{frame.y(min(part.high, 1))}"/>'
        body += f'<circle class="dot" cx="{x}" cy="{frame.y(part.accuracy)}" r="4"><title>{said}</title></circle>'
    return frame.drawn(body, x_label="confidence", y_label="share right", title="Reliability diagram")


def precision_coverage(curve: Sequence[tuple[float, float]]) -> tuple[str, Frame]:
    """Return the curve with a marker for the script to move, and its frame."""
    low = _floor(min(precision for _, precision in curve))
    frame = Frame(0.0, low)
    points = " ".join(f"{frame.x(coverage)},{frame.y(precision)}" for coverage, precision in curve)
    body = f'<polyline class="curve" points="{points}"/><circle class="marker" r="6" cx="-20" cy="-20"/>'
    title = "Precision against coverage"
    return frame.drawn(body, x_label="coverage", y_label="precision", title=title), frame


def learning_curve(points: Sequence[LearningPoint]) -> str:
    """Return accuracy and macro-F1 by the number of rows."""
    most = max(point.n for point in points)
    frame = Frame(0.0, _floor(min(min(point.accuracy, point.macro_f1) for point in points)), float(most))
    body = ""
    for name, values in (("accuracy", [p.accuracy for p in points]), ("macro-F1", [p.macro_f1 for p in points])):
        kind = "curve" if name == "accuracy" else "curve second"
        places = [(frame.x(point.n), frame.y(value)) for point, value in zip(points, values, strict=True)]
        body += f'<polyline class="{kind}" points="{" ".join(f"{x},{y}" for x, y in places)}"/>'
        dots = zip(places, points, values, strict=True)
        body += "".join(
            f'<circle class="dot" cx="{x}" cy="{y}" r="3"><title>{name} {value:.1%} with {point.n} rows</title></circle>'
            for (x, y), point, value in dots
        )
        body += f'<text class="name" text-anchor="end" x="{places[-1][0] - 4}" y="{places[-1][1] + (-8 if name == "accuracy" else 18)}">{name}</text>'
    x_ticks = [(float(point.n), f"{point.n:,}") for point in points]
    return frame.drawn(body, x_label="rows", y_label="score", title="Learning curve", x_ticks=x_ticks)


def _floor(value: float) -> float:
    """Return the tenth below the value, so that the part of the axis that says something fills the chart."""
    return max(0.0, min(0.9, int(value * 10 - 1e-9) / 10))
