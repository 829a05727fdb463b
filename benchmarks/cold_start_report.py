"""The table and the plot of benchmarks/cold_start.py."""

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import numpy as np
from scipy.stats import t as student

Steps = Sequence[Mapping[str, Mapping[str, float]]]
BASELINES = ("TF-IDF LinearSVC", "embedding LogisticRegression", "TF-IDF LinearSVC, unlabelled idf")
OURS = "smarttriage"
COLOURS = {OURS: "#0b6e4f", BASELINES[0]: "#c1440e", BASELINES[1]: "#3a5a9b", "without unlabelled": "#7fb69f"}
WIDTH, HEIGHT, MARGIN = 300, 240, 46


def table(found: Mapping[str, Steps], *, n_unlabelled: int, n_measured: int) -> str:
    """Return the tables and how many points are ahead."""
    methods = list(
        dict.fromkeys(name for steps in found.values() for count in steps[0].values() for name in count if name != "ECE")
    )
    lines = [
        f"Macro-F1, mean ± standard deviation over draws of the labels; at most {n_measured:,}"
        f" measured rows, {n_unlabelled:,} unlabelled texts. A class with fewer rows gives all it has.",
        "Without a label the baselines learn from the descriptions as their only rows. Ahead: the paired mean difference to the"
        " best baseline of that point and its 95 % interval (Student's t over draws; at 0 labels every draw differs only in"
        ' the unlabelled texts). The column "labels" gives the labels for each class.',
    ]
    verdicts: dict[str, list[str]] = {"ahead": [], "level": [], "behind": []}
    for name, steps in found.items():
        lines += [
            "",
            f"### {name}",
            "",
            "| labels | draws | " + " | ".join([*methods, "ahead"]) + " |",
            "|" + "---|" * (len(methods) + 3),
        ]
        for count in steps[0]:
            mean, low, high = difference(steps, count)
            cells = [spread(values(steps, count, method)) for method in methods]
            lines.append(
                "| "
                + " | ".join([count, str(len(values(steps, count, OURS))), *cells, f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"])
                + " |"
            )
            if int(count) <= 50:
                verdicts["ahead" if low > 0 else "behind" if high < 0 else "level"].append(f"{name} at {count}")
    return "\n".join([*lines, "", said(verdicts)])


def said(verdicts: Mapping[str, Sequence[str]]) -> str:
    """Return in words at which points up to 50 labels ours is ahead, and at which not."""
    n_points = sum(map(len, verdicts.values()))
    return (
        f"Up to 50 labels for each class ours is ahead, the whole interval above 0, at {len(verdicts['ahead'])} of {n_points} points. "
        f"Not more than the spread explains, either way: {', '.join(verdicts['level']) or 'none'}. "
        f"Behind, the whole interval below 0: {', '.join(verdicts['behind']) or 'none'}."
    )


def values(steps: Steps, count: str, method: str) -> list[float]:
    return [step[count][method] for step in steps if method in step.get(count, {})]


def spread(numbers: Sequence[float]) -> str:
    return f"{np.mean(numbers):.3f} ± {np.std(numbers, ddof=1) if len(numbers) > 1 else 0.0:.3f}" if numbers else "-"


def difference(steps: Steps, count: str) -> tuple[float, float, float]:
    """Return the mean of ours minus the best baseline, draw by draw, and the ends of its 95 % interval."""
    best = max(BASELINES, key=lambda name: float(np.mean(values(steps, count, name))))
    gaps = np.array(values(steps, count, OURS)) - np.array(values(steps, count, best))
    if len(gaps) < 2:
        return float(gaps.mean()), float("-inf"), float("inf")
    half = float(student.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / math.sqrt(len(gaps)))
    return float(gaps.mean()), float(gaps.mean()) - half, float(gaps.mean()) + half


def curves(found: Mapping[str, Steps]) -> str:
    """Return an SVG with one panel for each set; the bands are one standard deviation."""
    panels = "".join(_panel(name, steps, place * WIDTH) for place, (name, steps) in enumerate(found.items()))
    names = "".join(
        f'<circle cx="{60 + 230 * place}" cy="{HEIGHT + 14}" r="4" fill="{colour}"/>'
        f'<text x="{70 + 230 * place}" y="{HEIGHT + 18}">{escape(name)}</text>'
        for place, (name, colour) in enumerate(COLOURS.items())
    )
    size = f'width="{WIDTH * len(found)}" height="{HEIGHT + 30}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">{panels}{names}</svg>\n'


def _panel(name: str, steps: Steps, left: int) -> str:
    counts = list(steps[0])
    right, bottom = left + WIDTH - 10, HEIGHT - 30

    def x(count: str) -> float:
        return left + MARGIN + (right - left - MARGIN) * math.log2(int(count) + 1) / math.log2(102)

    def y(score: float) -> float:
        return bottom - (bottom - 30) * score

    parts = [f'<text x="{left + MARGIN}" y="18" font-weight="bold">{escape(name)}</text>']
    for score in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<line x1="{left + MARGIN}" x2="{right}" y1="{y(score):.1f}" y2="{y(score):.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left + MARGIN - 6}" y="{y(score) + 4:.1f}" text-anchor="end">{score}</text>')
    parts += [f'<text x="{x(count):.1f}" y="{bottom + 16}" text-anchor="middle">{count}</text>' for count in counts]
    for method, colour in COLOURS.items():
        means = [(x(count), np.mean(values(steps, count, method)), np.std(values(steps, count, method))) for count in counts]
        upper = [f"{place:.1f},{y(mean + std):.1f}" for place, mean, std in means]
        lower = [f"{place:.1f},{y(mean - std):.1f}" for place, mean, std in reversed(means)]
        line = " ".join(f"{place:.1f},{y(mean):.1f}" for place, mean, _ in means)
        parts.append(f'<polygon points="{" ".join([*upper, *lower])}" fill="{colour}" fill-opacity="0.15"/>')
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return "".join(parts)
