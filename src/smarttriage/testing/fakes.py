"""Fakes of the ports: small, deterministic, and honest to the contract."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from smarttriage.ports import Probabilities, TargetCard, TextSpan, Vectors
from smarttriage.testing.factories import NOON

_SURE = 0.9
_KEYWORDS: Mapping[str, Mapping[str, str]] = {
    "kind": {"": "incident", "thank": "other", "need a new": "request"},
    "category": {"vpn": "network", "printer": "hardware"},
    "sub_category": {"vpn": "vpn", "printer": "printer"},
    "impact": {"whole": "high", "team": "medium", "only me": "low"},
    "urgency": {"cannot work": "high", "slow": "medium", "when you have time": "low"},
}
_PARENTS = {"vpn": "network", "printer": "hardware"}


class KeywordClassifier:
    """Knows a label if its keyword stands in the text, and is unsure otherwise."""

    version = "keywords-1"
    encoder_id: str | None = None

    @property
    def cards(self) -> Mapping[str, TargetCard]:
        """Target name -> its labels and thresholds."""
        return {name: _card(name, tuple(dict.fromkeys(words.values()))) for name, words in _KEYWORDS.items()}

    def predict_proba(self, texts: Sequence[str], vectors: Vectors) -> Mapping[str, Probabilities]:
        """Return target -> (len(texts), len(labels)); the first keyword's label gets 0.9, or all are equal."""
        return {name: np.stack([_row(name, card.labels, text) for text in texts]) for name, card in self.cards.items()}

    def explain(self, text: str, target: str, label: str, n: int = 5) -> Sequence[TextSpan]:
        """Return the keyword."""
        word = _keyword(target, text)
        if not word:
            return ()
        start = text.lower().index(word)
        return (TextSpan(start, start + len(word), 1.0),)


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """Return the instant it stands at."""
        return self.at

    def forward(self, by: timedelta) -> None:
        """Move it."""
        self.at += by


def _card(name: str, labels: tuple[str, ...]) -> TargetCard:
    below = {"parent": "category", "parents": _PARENTS} if name == "sub_category" else {}
    thresholds = dict.fromkeys(labels, 0.8)
    return TargetCard(name, labels, thresholds, 0.9, ordered=name in ("impact", "urgency"), **below)  # type: ignore[arg-type]


def _keyword(target: str, text: str) -> str | None:
    lowered = text.lower()
    return next((word for word in sorted(_KEYWORDS[target], key=len, reverse=True) if word in lowered), None)


def _row(target: str, labels: tuple[str, ...], text: str) -> Probabilities:
    word = _keyword(target, text)
    if word is None:
        return np.full(len(labels), 1 / len(labels))
    rest = (1 - _SURE) / max(1, len(labels) - 1)
    return np.array([_SURE if label == _KEYWORDS[target][word] else rest for label in labels])
