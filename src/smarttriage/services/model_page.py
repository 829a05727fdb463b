"""The evaluation report as one HTML file that needs no network: style, script and figures are inside."""

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

from smarttriage.services.model_charts import Frame, learning_curve, precision_coverage, reliability
from smarttriage.services.model_report import ModelReport, TargetReport

MAX_LABELS = 25
MAX_TEXT_CHARS = 600


def page(report: ModelReport) -> str:
    """Return the page. Every text is escaped, and the page's policy lets no script run but its own, by hash."""
    style, script = _asset("model_report.css"), _asset("model_report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    version = escape(str(report.manifest.get("version", "unsaved")))
    links = "".join(f'<a href="#target-{place}">{escape(part.card.name)}</a>' for place, part in enumerate(report.targets))
    notes = "".join(f'<p class="bad">{escape(note)}</p>' for note in report.notes)
    sections = "".join(_target(place, part) for place, part in enumerate(report.targets))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>Model {version}</title><style>{style}</style>'
        f'</head><body><main><h1>Model {version}</h1><p class="soft">Figures on: {escape(report.rows)}.</p>{notes}'
        f"<nav>{links}</nav>{sections}{_provenance(report)}</main><script>{script}</script></body></html>\n"
    )


def _target(place: int, part: TargetReport) -> str:
    chart, frame = precision_coverage(part.curve)
    learning = (
        f'<div class="card"><h3>Learning curve</h3>{learning_curve(part.learning)}{_LEARNING}</div>' if part.learning else ""
    )
    return (
        f'<section id="target-{place}" data-target><h2>{escape(part.card.name)}</h2>{_figures(part)}'
        f'<div class="row"><div class="card"><h3>Precision against coverage</h3>{_slider(part)}{chart}</div>'
        f'<div class="card"><h3>Is the confidence true?</h3>{reliability(part.bins)}{_RELIABILITY}</div>{learning}</div>'
        f'<div class="card"><h3>Labels</h3>{_labels(part)}</div><div class="card"><h3>What is taken for what</h3>{_matrix(part)}</div>'
        f'<div class="card"><h3>Wrong, and sure of it</h3>{_misses(part)}</div>{_embedded(part, frame)}</section>'
    )


_RELIABILITY = (
    '<p class="soft">Fifteen bins of equally many rows; on the dashed line, 90 % confidence is right 9 times in 10. '
    "Whiskers: 95 % interval.</p>"
)
_LEARNING = '<p class="soft">A quick linear fit on growing parts; it says whether more rows would still help, not what the model scores.</p>'


def _figures(part: TargetReport) -> str:
    scores = part.scores
    filled = "-" if scores.precision_at_thresholds is None else f"{scores.precision_at_thresholds:.1%}"
    shown = [
        (f"{scores.n:,}", "rows"),
        (f"{scores.accuracy:.1%}", f"right (always the commonest: {scores.majority_accuracy:.1%})"),
        (f"{scores.macro_f1:.3f}", "macro-F1"),
        (f"{scores.ece:.3f}", "calibration error"),
        (f"{scores.coverage:.1%}", "filled in"),
        (filled, "of those right"),
    ]
    if scores.quadratic_kappa is not None:
        shown.append((f"{scores.quadratic_kappa:.3f}", "quadratic kappa"))
    return '<div class="figures">' + "".join(f'<div class="figure"><b>{a}</b><span>{b}</span></div>' for a, b in shown) + "</div>"


def _slider(part: TargetReport) -> str:
    name = escape(part.card.name)
    last = len(part.settings) - 1
    return (
        f'<label class="slider"><span>precision</span><input type="range" data-slider="precision" min="0" max="{last}" step="1" '
        f'aria-label="precision of {name}"><output data-say="precision"></output></label>'
        f'<label class="slider"><span>coverage</span><input type="range" data-slider="coverage" min="0" max="1000" step="1" '
        f'aria-label="coverage of {name}"><output data-say="coverage"></output></label>'
        '<p class="soft">Choose one, the other follows: <span data-say="measured"></span> The precision is what each label that is '
        "filled in guarantees on the rows its threshold was chosen on; the line is one threshold for all labels.</p>"
    )


def _labels(part: TargetReport) -> str:
    head = "".join(
        f'<th class="number">{name}</th>' for name in ("precision", "recall", "F1", "rows", "threshold", "right at threshold")
    )
    rows = []
    for place, label in enumerate((*part.card.labels, *sorted(set(part.scores.per_class) - set(part.card.labels)))):
        row = part.scores.per_class[label]
        known = place < len(part.card.labels)
        threshold = f"{row.threshold:.3f}" if row.threshold <= 1 else ("recommend only" if known else "not known to the model")
        marked = f' data-threshold="{place}"' if known else ""
        right = "-" if row.precision_at_threshold is None else f"{row.precision_at_threshold:.3f} of {row.n_at_threshold}"
        cells = "".join(
            f'<td class="number">{value}</td>'
            for value in (f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", row.support)
        )
        rows.append(
            f'<tr><td>{escape(label)}</td>{cells}<td class="number"{marked}>{threshold}</td><td class="number">{right}</td></tr>'
        )
    return f"<table><thead><tr><th>label</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _matrix(part: TargetReport) -> str:
    labels, counts = part.labels[:MAX_LABELS], part.matrix
    left_out = len(part.labels) - len(labels)
    head = "".join(f'<th><span title="{escape(label)}">{escape(label)}</span></th>' for label in labels)
    body = []
    for row, label in enumerate(labels):
        total = max(1, int(counts[row].sum()))
        cells = "".join(_cell(int(counts[row, column]), total, right=row == column) for column in range(len(labels)))
        body.append(f'<tr><th class="side" title="{escape(label)}">{escape(label)}</th>{cells}</tr>')
    more = f" The {left_out} rarest labels are left out." if left_out else ""
    note = f'<p class="soft">Rows: what it was. Columns: what the model said. Shade: share of the row.{more}</p>'
    return f'{note}<table class="matrix"><thead><tr><th></th>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def _cell(count: int, total: int, *, right: bool) -> str:
    share = count / total
    colour = "24,121,78" if right else "194,51,43"
    ink = "#fff" if share > 0.55 else "inherit"  # dark ground needs light figures
    return f'<td style="background:rgba({colour},{share:.3f});color:{ink}">{count or ""}</td>'


def _misses(part: TargetReport) -> str:
    if not part.misses:
        return "<p>None.</p>"
    rows = "".join(
        f'<tr><td class="number">{miss.confidence:.1%}</td><td>{escape(miss.predicted)}</td><td>{escape(miss.truth)}</td>'
        f'<td class="text">{escape(_cut(miss.text))}</td></tr>'
        for miss in part.misses
    )
    wrong = round(part.scores.n * (1 - part.scores.accuracy))
    note = f'<p class="soft">The {len(part.misses)} of {wrong} wrong rows that the model was surest of; some may be labelled wrongly.</p>'
    head = '<tr><th class="number">confidence</th><th>said</th><th>was</th><th>text</th></tr>'
    return f"{note}<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT_CHARS else text[:MAX_TEXT_CHARS] + " …"


def _embedded(part: TargetReport, frame: Frame) -> str:
    asked = [setting.asked for setting in part.settings]
    start = min(range(len(asked)), key=lambda place: abs(asked[place] - part.card.target_precision))
    x, y = [frame.x(0), frame.x(1) - frame.x(0)], [frame.y(0), frame.y(1) - frame.y(0)]
    settings = [
        {
            "asked": setting.asked,
            "coverage": round(setting.coverage, 4),
            "precision": None if setting.precision is None else round(setting.precision, 4),
            "thresholds": [round(threshold, 4) for threshold in setting.thresholds],
        }
        for setting in part.settings
    ]
    return f'<script type="application/json">{_json({"settings": settings, "start": start, "frame": {"x": x, "y": y}})}</script>'


def _json(value: object) -> str:
    """Return JSON that cannot end the script element it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _provenance(report: ModelReport) -> str:
    shown = (
        "version",
        "created_at",
        "parent",
        "data_sha256",
        "n_rows",
        "seed",
        "code_version",
        "encoder_id",
        "format",
        "targets",
    )
    rows = "".join(f"<tr><th>{name}</th><td><code>{escape(_plain(report.manifest.get(name)))}</code></td></tr>" for name in shown)
    recipes = "".join(
        f"<tr><th>recipe of {escape(name)}</th><td><code>{escape(str(metrics.get('recipe', 'not said')))}</code></td></tr>"
        for name, metrics in report.manifest.get("metrics", {}).items()
    )
    return f'<h2>How it was made</h2><div class="card"><table><tbody>{rows}{recipes}</tbody></table></div>'


def _plain(value: Any) -> str:
    if value is None:
        return "not said"
    return ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)


def _asset(name: str) -> str:
    return (files("smarttriage.services") / "assets" / name).read_text("utf-8")
