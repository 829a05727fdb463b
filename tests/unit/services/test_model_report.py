"""The evaluation report: right figures, one file, and nothing in it runs but its own script."""

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import TargetCard
from smarttriage.services.model_card import model_card
from smarttriage.services.model_page import MAX_TEXT_CHARS, page
from smarttriage.services.model_report import (
    MAX_ERRORS,
    LearningPoint,
    ModelReport,
    report_of_rows,
    target_report,
    wilson,
    with_learning,
)
from smarttriage.services.training import TrainingRows
from smarttriage.testing.fakes import KeywordClassifier

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)> & \"quoted\" 'single' \u2028"
MANIFEST = {
    "version": "v1 <b>",
    "created_at": "2026-11-23",
    "targets": ["category"],
    "metrics": {"category": {"recipe": "svm <i>", "n": 4}},
    "n_rows": 4,
}


def report(labels: tuple[str, ...] = ("a", "b"), text: str = "x", n: int = 200) -> ModelReport:
    rng = np.random.default_rng(0)
    truth = [labels[place % len(labels)] for place in range(n)]
    probabilities = rng.dirichlet(np.ones(len(labels)), n)
    card = TargetCard(f"category {labels[0]}", labels, dict.fromkeys(labels, 0.8), 0.9)
    made = target_report(card, probabilities, truth, [text] * n)
    return ModelReport(MANIFEST, "rows of a test", (made,))


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def elements(content: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(content)
    return parser.tags


def test_texts_and_labels_that_hold_scripts_stay_text() -> None:
    content = page(report((EVIL, "b"), EVIL))
    tags = elements(content)
    assert [tag for tag, _ in tags].count("script") == 2  # the embedded figures and the page's own script
    assert not [tag for tag, _ in tags if tag in ("img", "b-", "iframe", "link")]
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert html.escape(EVIL) in content


def test_the_page_needs_no_network_and_lets_only_its_own_script_run() -> None:
    content = page(report())
    assert "default-src 'none'" in content
    assert "script-src 'sha256-" in content
    assert not re.search(r"https?://", content)
    assert not [1 for _, attributes in elements(content) if "src" in attributes]


def test_the_slider_reads_settings_that_belong_together() -> None:
    content = page(report())
    embedded = json.loads(re.search(r'<script type="application/json">(.*?)</script>', content)[1])  # type: ignore[index]
    assert embedded["start"] == 0
    assert set(embedded["settings"][0]) == {"asked", "coverage", "precision", "thresholds"}
    assert content.count('<td class="number" data-threshold=') == 2


def test_long_texts_and_long_lists_of_errors_are_cut() -> None:
    made = report(text="y" * 5_000).targets[0]
    assert len(made.misses) == MAX_ERRORS
    assert "y" * (MAX_TEXT_CHARS + 1) not in page(report(text="y" * 5_000))
    confidences = [miss.confidence for miss in made.misses]
    assert confidences == sorted(confidences, reverse=True)


def test_matrix_curve_and_bins_count_every_row_once() -> None:
    made = report().targets[0]
    assert made.matrix.sum() == 200
    assert sum(part.n for part in made.bins) == 200
    assert made.curve[-1] == (1.0, pytest.approx(made.scores.accuracy))
    assert all(part.low <= part.accuracy <= part.high for part in made.bins)


def test_equal_confidences_are_one_point_of_the_curve() -> None:
    card = TargetCard("category", ("a", "b"), {}, 0.9)
    made = target_report(card, np.array([[0.9, 0.1]] * 4), ["a", "b", "a", "a"], ["x"] * 4)
    assert made.curve == ((1.0, 0.75),)


def test_wilson_interval_is_the_published_one() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3: 81 of 263.
    assert wilson(81, 263) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))


def test_a_learning_curve_is_drawn_where_there_is_one() -> None:
    plain = report()
    points = [LearningPoint(10, 0.5, 0.4), LearningPoint(100, 0.8, 0.7)]
    assert "Learning curve" not in page(plain)
    assert "Learning curve" in page(with_learning(plain, {plain.targets[0].card.name: points}))


def test_a_warning_stands_on_the_page() -> None:
    assert "these figures are too good" in page(replace(report(), notes=("these figures are too good",)))


def test_a_report_on_rows_asks_only_for_targets_that_the_model_has() -> None:
    rows = TrainingRows(["vpn down", "printer jam"], {"category": ["network", "network"]}, None, 0)
    made = report_of_rows(KeywordClassifier(), rows, np.zeros((2, 1), dtype=np.float32), MANIFEST)
    assert [(miss.truth, miss.predicted) for miss in made.targets[0].misses] == [("network", "hardware")]
    with pytest.raises(InvalidInput, match="no target 'team'"):
        report_of_rows(KeywordClassifier(), replace(rows, labels={"team": ["x", "y"]}), np.zeros((2, 1), dtype=np.float32), {})


def test_the_card_says_lineage_scores_and_limits_and_no_label_breaks_its_tables() -> None:
    label = {"precision": 0.5, "recall": 0.2, "f1": 0.3, "support": 9, "threshold": 1.01}
    metrics = {"category": {"n": 9, "accuracy": 0.5, "recipe": "svm", "per_class": {"a|b\n<script>": label}}}
    card = model_card({**MANIFEST, "metrics": metrics, "parent": "starter-1"}, files=["rows.csv"], text_columns=["text"])
    assert "| parent | starter-1 |" in card
    assert "<script>" not in card
    assert "a\\|b" in card
    assert "less than half of the rows found" in card
    assert "recommended only, never filled in" in card
