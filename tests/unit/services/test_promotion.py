"""The promotion gate: what is no worse on unseen rows passes, everything else is refused with its reason."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from smarttriage.domain.errors import Conflict, InvalidInput
from smarttriage.ports import Probabilities, PromotionAction, PromotionEntry, TargetCard, TextSpan, Vectors
from smarttriage.services.lineage import read_rows_file, rows_file, version_before
from smarttriage.services.promotion import Contender, Fingerprints, Verdict, fingerprints, judge, unseen_rows
from smarttriage.services.promotion_checks import GateRules, Rule
from smarttriage.services.training import TrainingRows
from smarttriage.testing.factories import NOON

LABELS = ("access", "hardware", "network")
NOTHING_SEEN = fingerprints([])


class Scripted:
    """Says of the text "label word word" what a table says of it, with a fixed confidence."""

    version, encoder_id = "scripted", None

    def __init__(
        self, wrong: set[str], confidence: float = 0.9, labels: Sequence[str] = LABELS, target: str = "category"
    ) -> None:
        self._wrong = wrong
        self._confidence = confidence
        self._card = TargetCard(target, tuple(labels), dict.fromkeys(labels, 0.8), 0.9)

    @property
    def cards(self) -> Mapping[str, TargetCard]:
        return {self._card.name: self._card}

    def predict_proba(self, texts: Sequence[str], vectors: Vectors) -> Mapping[str, Probabilities]:
        labels = self._card.labels
        rest = (1 - self._confidence) / (len(labels) - 1)
        rows = np.full((len(texts), len(labels)), rest)
        for place, text in enumerate(texts):
            truth = text.split()[0]
            right = labels.index(truth) if truth in labels else 0
            rows[place, (right + 1) % len(labels) if text in self._wrong else right] = self._confidence
        return {self._card.name: rows}

    def explain(self, text: str, target: str, label: str, n: int = 5) -> Sequence[TextSpan]:
        return ()


def rows(n: int) -> TrainingRows:
    words = [f"{chr(97 + place // 676)}{chr(97 + place // 26 % 26)}{chr(97 + place % 26)}" for place in range(n)]
    texts = [f"{LABELS[place % 3]} {word} ticket" for place, word in enumerate(words)]
    return TrainingRows(texts, {"category": [text.split()[0] for text in texts]}, None, 0)


def verdict(
    current: Scripted,
    candidate: Scripted,
    judged: TrainingRows,
    *,
    given_up: Sequence[str] = (),
    seen: Fingerprints | None = NOTHING_SEEN,
) -> Verdict:
    return judge(
        current=Contender(current, NOTHING_SEEN),
        candidate=Contender(candidate, seen),
        rows=judged,
        vectors=np.zeros((len(judged.texts), 2), dtype=np.float32),
        rules=GateRules(),
        given_up=given_up,
    )


def refused(found: Verdict) -> set[str]:
    return {check.measure for check in found.checks if not check.passed}


def test_a_model_that_answers_alike_passes() -> None:
    judged = rows(900)
    wrong = set(judged.texts[::10])
    found = verdict(Scripted(wrong), Scripted(wrong), judged)
    assert found.passed
    assert found.n_rows == 900


def test_a_worse_model_is_refused_and_told_how_much_worse() -> None:
    judged = rows(900)
    found = verdict(Scripted(set(judged.texts[::10])), Scripted(set(judged.texts[::5])), judged)
    accuracy = next(check for check in found.checks if check.measure == "accuracy")
    assert not found.passed
    assert accuracy.difference == pytest.approx(-0.1)
    assert accuracy.because.startswith("it is worse: at least 0.0")


def test_too_few_rows_to_show_anything_are_refused_with_the_number_needed() -> None:
    judged = rows(90)
    found = verdict(Scripted(set(judged.texts[:9])), Scripted(set(judged.texts[3:12])), judged)
    accuracy = next(check for check in found.checks if check.measure == "accuracy")
    assert "an equally good model needs about" in accuracy.because


def test_a_label_that_got_worse_is_found_behind_a_better_accuracy() -> None:
    judged = rows(900)
    old = {text for text in judged.texts if text.startswith("network")}
    old = set(sorted(old)[:150])
    new = set(sorted(text for text in judged.texts if text.startswith("access"))[:60])
    found = verdict(Scripted(old), Scripted(new), judged)
    assert refused(found) >= {"recall of access"}
    assert "accuracy" not in refused(found)


def test_small_labels_are_refused_only_where_the_loss_is_shown() -> None:
    judged = rows(90)
    checks = verdict(Scripted(set()), Scripted({judged.texts[0]}), judged).checks
    access = next(check for check in checks if check.measure == "recall of access")
    assert (access.rule, access.passed) == (Rule.NOT_SHOWN_WORSE, True)
    assert "recall of access" in refused(verdict(Scripted(set()), Scripted(set(judged.texts[::3])), judged))


def test_a_model_that_overstates_its_confidence_is_refused() -> None:
    judged = rows(900)
    wrong = set(judged.texts[::10])
    assert refused(verdict(Scripted(wrong, 0.9), Scripted(wrong, 0.999), judged)) == {"ece"}


def test_a_model_that_fills_in_more_wrong_values_is_refused() -> None:
    judged = rows(900)
    wrong = set(judged.texts[::10])
    assert "nothing wrong filled in" in refused(verdict(Scripted(wrong, 0.75), Scripted(wrong, 0.85), judged))


def test_a_lost_label_is_refused_unless_given_up() -> None:
    judged = rows(900)
    kept = TrainingRows(
        [text for text in judged.texts if not text.startswith("network")],
        {"category": [text.split()[0] for text in judged.texts if not text.startswith("network")]},
        None,
        0,
    )
    smaller = Scripted(set(), labels=LABELS[:2])
    assert refused(verdict(Scripted(set()), smaller, kept)) == {"label network"}
    assert verdict(Scripted(set()), smaller, kept, given_up=["category=network"]).passed


def test_a_target_that_only_the_candidate_has_must_beat_the_commonest_label() -> None:
    judged = rows(900)
    other = Scripted(set(), target="other")
    found = verdict(other, Scripted(set()), judged, given_up=["other"])
    assert found.passed
    assert [check.measure for check in found.checks] == ["accuracy beside the commonest label"]
    assert not verdict(other, Scripted(set(judged.texts)), judged, given_up=["other"]).passed


def test_a_target_without_unseen_rows_is_not_waved_through() -> None:
    judged = rows(30)
    unlabelled = TrainingRows(judged.texts, {"other": ["x"] * 30}, None, 0)
    assert not verdict(Scripted(set()), Scripted(set()), unlabelled).passed


def test_rows_that_either_model_saw_do_not_count() -> None:
    texts = ["VPN down 12", "vpn  down 7", "printer jam", "mail slow", "mail  SLOW"]
    places, n_seen, n_repeated = unseen_rows(texts, fingerprints(["vpn down 99"]), None, fingerprints(["Printer jam"]))
    assert (places.tolist(), n_seen, n_repeated) == ([3], 3, 1)


def test_rows_that_are_all_known_are_refused() -> None:
    judged = rows(30)
    with pytest.raises(InvalidInput, match="none of the 30 rows is new to both models"):
        verdict(Scripted(set()), Scripted(set()), judged, seen=fingerprints(judged.texts))


def test_a_candidate_that_hides_its_training_rows_is_refused() -> None:
    with pytest.raises(InvalidInput, match="keeps no fingerprints"):
        verdict(Scripted(set()), Scripted(set()), rows(30), seen=None)


def test_fingerprints_survive_the_bundle() -> None:
    texts = ["b", "a", "a"]
    np.testing.assert_array_equal(read_rows_file(rows_file(texts)), fingerprints(texts))
    assert len(rows_file(texts)) == 16


def entry(version: str | None, previous: str | None, action: PromotionAction = PromotionAction.PROMOTED) -> PromotionEntry:
    return PromotionEntry(NOON, "test", action, version, previous)


def test_rollback_goes_back_step_by_step_to_the_starter() -> None:
    history = [entry("1", None), entry("2", "1"), entry("3", "2")]
    assert version_before(history, "3") == "2"
    history.append(entry("2", "3", PromotionAction.ROLLED_BACK))
    assert version_before(history, "2") == "1"
    history.append(entry("1", "2", PromotionAction.ROLLED_BACK))
    assert version_before(history, "1") is None
    history.append(entry(None, "1", PromotionAction.ROLLED_BACK))
    with pytest.raises(Conflict, match="nothing was promoted before the shipped starter"):
        version_before(history, None)
    assert version_before([*history, entry("4", None)], "4") is None


def test_a_promotion_that_a_crash_cut_short_is_passed_over() -> None:
    assert version_before([entry("1", None), entry("2", "1"), entry("3", "2")], "2") == "1"
