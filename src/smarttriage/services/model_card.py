"""The model card of a trained bundle, in Markdown (Mitchell et al., 2019, "Model Cards for Model Reporting", FAT*)."""

from collections.abc import Mapping, Sequence
from typing import Any

_FIGURES = ("accuracy", "majority_accuracy", "macro_f1", "ece", "coverage", "precision_at_thresholds")


def model_card(manifest: Mapping[str, Any], *, files: Sequence[str], text_columns: Sequence[str]) -> str:
    """Return the card of a bundle from what its manifest says; `files` are the names of the training files."""
    metrics: Mapping[str, Mapping[str, Any]] = manifest["metrics"]
    parts = [
        f"# Model for {', '.join(manifest['targets'])}",
        "",
        "## What it is for",
        "",
        f"It reads the text of a ticket ({', '.join(map(_code, text_columns))}) and says {', '.join(map(_code, manifest['targets']))}, each with a "
        "calibrated confidence. A label is filled in from its threshold on; below it is only recommended. It is no judge of people, and "
        "texts unlike those it was trained on are outside of what it was measured on.",
        "",
        "## How it was made",
        "",
        *_table(("what", "value"), [(name, _code(value)) for name, value in _lineage(manifest, files)]),
        "",
        "## What it scores",
        "",
        "On training rows that models of the same recipe did not see. The recipe was chosen on these rows, so fresh rows score a little "
        "lower.",
        "",
        *_table(("target", "rows", *_FIGURES), [(name, row.get("n"), *map(row.get, _FIGURES)) for name, row in metrics.items()]),
    ]
    for name, row in metrics.items():
        parts += [
            "",
            f"### {_plain(name)}",
            "",
            *_table(("label", "precision", "recall", "F1", "rows", "threshold"), _labels(row)),
        ]
    parts += [
        "",
        "## Where it falls short",
        "",
        *(f"- {line}" for name, row in metrics.items() for line in _limits(name, row)),
        *(
            f"- {_plain(name)}: too few labelled rows to measure; recommended only."
            for name in manifest["targets"]
            if name not in metrics
        ),
    ]
    return "\n".join(parts) + "\n"


def _lineage(manifest: Mapping[str, Any], files: Sequence[str]) -> list[tuple[str, Any]]:
    names = ("created_at", "parent", "data_sha256", "n_rows", "seed", "code_version", "encoder_id")
    recipes = [(f"recipe of {name}", row.get("recipe")) for name, row in manifest["metrics"].items()]
    return [("training files", ", ".join(files)), *((name, manifest.get(name)) for name in names), *recipes]


def _labels(row: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (
            label,
            *(scores[name] for name in ("precision", "recall", "f1", "support")),
            scores["threshold"] if scores["threshold"] <= 1 else "recommend only",
        )
        for label, scores in row.get("per_class", {}).items()
    ]


def _limits(name: str, row: Mapping[str, Any]) -> list[str]:
    labels = row.get("per_class", {})
    never = [label for label, scores in labels.items() if scores["threshold"] > 1]
    weak = [label for label, scores in labels.items() if scores["support"] and scores["recall"] < 0.5]
    found = []
    if never:
        found.append(f"{_plain(name)}: recommended only, never filled in: {', '.join(map(_plain, never))}.")
    if weak:
        found.append(f"{_plain(name)}: less than half of the rows found: {', '.join(map(_plain, weak))}.")
    return found or [f"{_plain(name)}: every label can be filled in and is found in half of its rows or more."]


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(map(_cell, row))} |" for row in rows]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else _plain(value)


def _plain(value: Any) -> str:
    """Return text that is no Markdown and no HTML, on one line."""
    text = " ".join(str(value).split())
    for character in "\\`*_[]<>|#":
        text = text.replace(character, "\\" + character) if character != "<" else text.replace("<", "&lt;")
    return text


def _code(value: Any) -> str:
    return "not said" if value is None else str(value)
