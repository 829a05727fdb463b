"""Quality against latency, ours and what one would pick instead."""

import math
from collections.abc import Sequence

import numpy as np


def plot(rows: Sequence[dict[str, object]]) -> str:
    """Return an SVG of quality against latency, by one client."""
    wide, high, left, low = 760, 420, 70, 360
    answered = rows[0]["answered"]
    times = [row["clients"]["1"]["p50"] for row in rows]
    first, last = math.log10(min(times) / 1.5), math.log10(max(times) * 2.5)

    def across(ms: float) -> float:
        return left + (math.log10(ms) - first) / (last - first) * (wide - left - 20)

    def up(score: float) -> float:
        return low - (score - 0.7) / 0.25 * (low - 40)

    parts_ = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="12">',
        f'<rect width="{wide}" height="{high}" fill="white"/>',
        f'<text x="{left}" y="20" font-size="14">nDCG@10 on kb_msoffice (dev) against p50 of one client, ms (logarithmic)</text>',
        f'<text x="{left}" y="36" fill="#555">filled: all queries; ring: those that smarttriage answers</text>',
    ]
    for score in (0.70, 0.75, 0.80, 0.85, 0.90, 0.95):
        parts_.append(f'<line x1="{left}" x2="{wide - 20}" y1="{up(score):.1f}" y2="{up(score):.1f}" stroke="#ddd"/>')
        parts_.append(f'<text x="{left - 8}" y="{up(score) + 4:.1f}" text-anchor="end">{score:.2f}</text>')
    for ms in (2, 5, 10, 20, 50, 100, 200, 500, 1_000):
        if first <= math.log10(ms) <= last:
            parts_.append(f'<line x1="{across(ms):.1f}" x2="{across(ms):.1f}" y1="40" y2="{low}" stroke="#eee"/>')
            parts_.append(f'<text x="{across(ms):.1f}" y="{low + 18}" text-anchor="middle">{ms}</text>')
    for number, (row, ms) in enumerate(zip(rows, times, strict=True), 1):
        colour = "#c2410c" if row["name"].startswith("smarttriage") else "#1d4ed8"
        scores = row["ndcg"]
        whole, part = np.mean(list(scores.values())), np.mean([scores[query] for query in answered])
        x = across(ms)
        parts_.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{up(whole):.1f}" y2="{up(part):.1f}" stroke="{colour}" stroke-opacity="0.4"/>'
        )
        parts_.append(f'<circle cx="{x:.1f}" cy="{up(whole):.1f}" r="5" fill="{colour}"/>')
        parts_.append(f'<circle cx="{x:.1f}" cy="{up(part):.1f}" r="5" fill="white" stroke="{colour}" stroke-width="2"/>')
        parts_.append(f'<text x="{x + 8:.1f}" y="{up(whole) + 4:.1f}" fill="{colour}">{number}</text>')
    named = "; ".join(f"{number} {row['name']}" for number, row in enumerate(rows, 1))
    half = named.index("; ", len(named) // 2) + 2
    parts_ += [
        f'<text x="{left}" y="{high - 22}">{named[:half]}</text>',
        f'<text x="{left}" y="{high - 6}">{named[half:]}</text>',
        "</svg>",
    ]
    return "\n".join(parts_) + "\n"
