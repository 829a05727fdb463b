"""A walk through a history: nothing is known before its time, and a stopped walk goes on where it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.sklearn import SklearnTrainer
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.adapters.step_folder import StepFolder
from smarttriage.domain.effort import Effort
from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import LabelledTexts
from smarttriage.services.backtest import Walk
from smarttriage.services.backtest_answers import FinishedSteps, NothingKept, StepAnswers
from smarttriage.services.backtest_history import Columns, History, TableRow, read_history
from smarttriage.services.backtest_plan import MANY_ROWS, RECIPE_ROWS, Plan, Retrain, steps_of
from smarttriage.services.backtest_report import Conditions, Report, report
from smarttriage.testing.tickets import tickets

ENCODER = HashingEncoder()
START = datetime(2026, 1, 1, 8, tzinfo=UTC)
COLUMNS = Columns("opened", ("text",), {"category": "category"})
MONTHS = ["2026-01", "2026-02", "2026-03", "2026-04"]
PLANTED = "zyzzyva"


@dataclass
class SpyTrainer:
    """The default trainer with one recipe, and what each of its fits saw and made."""

    fits: list[LabelledTexts] = field(default_factory=list)
    models: list[SklearnClassifier] = field(default_factory=list)
    kept: list[Mapping[str, str]] = field(default_factory=list)
    stop_after: int | None = None
    choosing: bool = False

    def __call__(self, labels: Mapping[str, Sequence[str | None]], *, kept_recipes: Mapping[str, str]) -> "SpyTrainer":
        self.kept.append(kept_recipes)
        return self

    def fit(self, examples: LabelledTexts, *, seed: int) -> SklearnClassifier:
        if self.stop_after is not None and len(self.fits) >= self.stop_after:
            raise KeyboardInterrupt
        self.fits.append(examples)
        recipe = "Recipe(learner=<Learner.SVM: 'svm'>, c=0.8, balance=0.5, char=False, embedding=0.0, n_networks=0)"
        kept = self.kept[-1] if self.choosing else dict.fromkeys(examples.labels, recipe)
        trainer = SklearnTrainer(encoder_id=ENCODER.encoder_id, kept_recipes=kept, target_precision=0.6)
        self.models.append(trainer.fit(examples, seed=seed))
        return self.models[-1]


def rows(n: int = 120) -> list[dict[str, str]]:
    """Return n tickets, one a day from the first of January on: months of 31, 28, 31 and 30 rows."""
    texts, categories, _ = tickets()
    order = np.random.default_rng(0).permutation(len(texts) - 1)[:n].tolist()
    return [
        {"opened": (START + timedelta(days=day)).isoformat(), "text": texts[row], "category": str(categories[row])}
        for day, row in enumerate(order)
    ]


def history(values: Sequence[Mapping[str, str | None]], columns: Columns = COLUMNS) -> History:
    return read_history([TableRow(place + 2, row) for place, row in enumerate(values)], columns)


def walked(
    past: History, trainer: SpyTrainer, finished: FinishedSteps | None = None, plan: Plan | None = None
) -> list[StepAnswers]:
    vectors = ENCODER.encode(past.texts)
    walk = Walk(past, vectors, plan or Plan(), make_trainer=trainer, finished=finished or NothingKept(), progress=lambda *_: None)
    return walk.run()


def reported(past: History, steps: Sequence[StepAnswers]) -> Report:
    conditions = Conditions("past.csv", {"time": "opened"}, "UTC", 0.6, ENCODER.encoder_id, Plan(), Effort(1, 2))
    return report(past, steps, conditions)


def test_each_month_is_answered_by_a_model_of_the_rows_before_it() -> None:
    spy = SpyTrainer()
    past = history(rows())
    steps = walked(past, spy)
    assert [step.step for step in steps] == MONTHS
    assert [step.fitted_at for step in steps] == [None, *MONTHS[1:]]
    assert [list(fit.texts) for fit in spy.fits] == [list(past.texts[:n]) for n in (31, 59, 90)]
    assert steps[0].refused == {"category": "no label was known yet"}
    assert all(not answer.guesses for answer in steps[0].answers)


def test_a_word_and_a_label_of_the_future_leave_no_trace_in_any_earlier_model_or_answer() -> None:
    values = rows()
    for day in (62, 64, 66):
        values[day] |= {"text": f"{PLANTED} {PLANTED} on floor {day}", "category": f"{PLANTED}-team"}
    spy = SpyTrainer()
    past = history(values)
    steps = walked(past, spy)
    files = [b"".join(model.to_files().values()) for model in spy.models]
    assert [PLANTED.encode() in content for content in files] == [False, False, True]
    assert [f"{PLANTED}-team" in model.cards["category"].labels for model in spy.models] == [False, False, True]
    assert not [step.step for step in steps[:3] if PLANTED in str(step.as_json()["answers"])]
    assert steps[2].majority.keys() == {"category"}
    assert PLANTED not in str([step.majority for step in steps[:3]])
    for step, first in zip(steps, (0, 31, 59, 90), strict=True):
        for row, answer in enumerate(step.answers, start=first):
            assert all(past.at[place] < past.at[row] for place, _ in answer.nearest)
    months = reported(past, steps).months
    assert [month.targets["category"].new_labels.get(f"{PLANTED}-team") for month in months] == [None, None, 3, None]


def test_other_rows_in_the_future_change_no_byte_of_the_months_before(tmp_path: Path) -> None:
    values = rows()
    shuffled = [
        *values[:90],
        *({**one, "opened": two["opened"]} for one, two in zip(reversed(values[90:]), values[90:], strict=True)),
    ]
    kept = []
    for name, chosen in (("as it was", values), ("shuffled", shuffled), ("cut", values[:90])):
        folder = StepFolder.open(tmp_path / name, fingerprint=name, resume=False)
        walked(history(chosen), SpyTrainer(), folder)
        kept.append([(tmp_path / name / f"step-{month}.json") for month in MONTHS])
    first = [path.read_bytes() for path in kept[0]]
    assert [path.read_bytes() for path in kept[1][:3]] == first[:3]
    assert [path.read_bytes() for path in kept[2][:3]] == first[:3]
    assert kept[1][3].read_bytes() != first[3]


def test_vocabulary_recipe_and_thresholds_of_a_fit_do_not_know_the_rows_behind_it() -> None:
    """Each fit chooses its own recipe here, with rows behind it, with others, and with none."""
    values = rows()
    others = [{**row, "text": f"{PLANTED} {place}", "category": "hardware"} for place, row in enumerate(values[59:])]
    made = []
    for chosen in (values, [*values[:59], *others], values[:62]):
        spy = SpyTrainer(choosing=True)
        steps = walked(history(chosen), spy, plan=Plan(choose_each_time=True))
        made.append(([model.to_files() for model in spy.models[:2]], [step.fits for step in steps[:3]]))
    assert made[0] == made[1] == made[2]
    assert made[0][1][1]["category"].recipe


def test_a_label_counts_as_known_only_once_it_is_settled() -> None:
    values = [{**row, "closed": row["opened"]} for row in rows()]
    values[3]["closed"] = "2026-03-01T00:00:00+00:00"
    values[4]["closed"] = ""
    values[5]["closed"] = "2025-12-31"
    spy = SpyTrainer()
    past = history(values, replace(COLUMNS, known_at="closed"))
    steps = walked(past, spy)
    assert past.corrected == [(7, "closed is before opened; its labels count as known from opened")]
    assert [values[3]["text"] in fit.texts for fit in spy.fits] == [False, False, True]
    assert not any(values[4]["text"] in fit.texts for fit in spy.fits)
    early = [place for step in steps[:2] for answer in step.answers for place, _ in answer.nearest]
    assert not {3, 4} & set(early)
    assert reported(past, steps).about["n_never_known"] == 1


def test_rows_of_one_instant_do_not_know_each_other_and_keep_the_order_of_the_file() -> None:
    values = rows(10)
    values[8] |= {"opened": values[7]["opened"], "text": values[7]["text"]}
    values.insert(0, values.pop(9))
    past = history(values)
    assert list(past.tied_lines) == [10, 11]
    assert list(past.lines) == [*range(3, 12), 2]
    answers = walked(past, SpyTrainer())[0].answers
    assert 7 not in [place for place, _ in answers[8].nearest]
    assert (answers[7].repeats, answers[8].repeats) == (answers[7].repeats, False)


def test_a_walk_that_was_stopped_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    past = history(rows())
    whole = reported(past, walked(past, SpyTrainer())).as_json()
    for stop_after in (0, 1, 2):
        folder = tmp_path / str(stop_after)
        with pytest.raises(KeyboardInterrupt):
            walked(past, SpyTrainer(stop_after=stop_after), StepFolder.open(folder, fingerprint="a", resume=True))
        spy = SpyTrainer()
        steps = walked(past, spy, StepFolder.open(folder, fingerprint="a", resume=True))
        assert len(spy.fits) == 3 - stop_after
        assert reported(past, steps).as_json() == whole


def test_a_model_that_answers_several_months_is_the_same_after_a_stop_between_them(tmp_path: Path) -> None:
    past, plan = history(rows()), Plan(min_growth=0.8)
    assert [step.fitted_at for step in steps_of(past, plan)] == [None, "2026-02", "2026-03", "2026-03"]
    whole = walked(past, SpyTrainer(), plan=plan)
    walked(past, SpyTrainer(), StepFolder.open(tmp_path, fingerprint="a", resume=True), plan)
    (tmp_path / "step-2026-04.json").unlink()
    assert walked(past, SpyTrainer(), StepFolder.open(tmp_path, fingerprint="a", resume=True), plan) == whole


def test_steps_of_another_run_are_refused_and_a_fresh_start_forgets_them(tmp_path: Path) -> None:
    StepFolder.open(tmp_path, fingerprint="a", resume=False).put("2026-01", {"x": 1})
    assert StepFolder.open(tmp_path, fingerprint="a", resume=True).get("2026-01") == {"x": 1}
    with pytest.raises(InvalidInput, match="without --resume"):
        StepFolder.open(tmp_path, fingerprint="b", resume=True)
    assert StepFolder.open(tmp_path, fingerprint="a", resume=False).get("2026-01") is None


def test_an_altered_step_is_named(tmp_path: Path) -> None:
    folder = StepFolder.open(tmp_path, fingerprint="a", resume=False)
    (tmp_path / "step-2026-01.json").write_text("{")
    with pytest.raises(InvalidInput, match=r"step-2026-01\.json cannot be read"):
        folder.get("2026-01")


def test_recipes_are_chosen_while_that_is_quick_and_kept_afterwards() -> None:
    spy = SpyTrainer()
    walked(history(rows()), spy)
    assert [bool(kept) for kept in spy.kept] == [False, True, False]
    many = [{"opened": f"2026-{month:02}-01", "text": "a b", "category": "x"} for month in range(1, 8) for _ in range(900)]
    assert [step.n_known for step in steps_of(history(many), Plan()) if step.chooses] == [900, 1_800]
    assert all(step.chooses for step in steps_of(history(many), Plan(choose_each_time=True))[1:])
    assert RECIPE_ROWS < 2_700


def test_fits_of_many_rows_wait_for_a_tenth_more_unless_each_month_is_asked_for() -> None:
    months = [f"{2024 + month // 12}-{month % 12 + 1:02}" for month in range(16)]
    past = history([{"opened": f"{month}-01", "text": "a b", "category": "x"} for month in months for _ in range(900)])
    fitted = [step.name for step in steps_of(past, Plan()) if step.fitted_at == step.name]
    assert fitted == [*months[1:11], months[11], months[13], months[15]]
    assert MANY_ROWS < 9_900
    assert [step.fitted_at for step in steps_of(past, Plan(min_growth=0.0))][1:] == months[1:]


def test_weeks_begin_on_monday_and_months_follow_the_calendar_of_the_zone() -> None:
    values = [{"opened": at, "text": "a b", "category": "x"} for at in ("2026-01-31T23:30:00+00:00", "2026-02-02T00:00:00+00:00")]
    past = history(values)
    assert [step.name for step in steps_of(past, Plan())] == ["2026-01", "2026-02"]
    assert [step.name for step in steps_of(past, Plan(zone=ZoneInfo("Europe/Berlin")))] == ["2026-02"]
    weeks = steps_of(past, Plan(retrain=Retrain.WEEKLY))
    assert [(week.name, week.starts_at) for week in weeks] == [
        ("2026-W05", datetime(2026, 1, 26, tzinfo=UTC)),
        ("2026-W06", datetime(2026, 2, 2, tzinfo=UTC)),
    ]


def test_a_target_that_cannot_be_learnt_yet_is_named_and_does_not_stop_the_others() -> None:
    values = [{**row, "team": "a" if place < 59 else "ab"[place % 2]} for place, row in enumerate(rows())]
    steps = walked(history(values, replace(COLUMNS, targets={"category": "category", "team": "team"})), SpyTrainer())
    assert "one label only" in steps[2].refused["team"]
    assert set(steps[2].answers[0].guesses) == {"category"}
    assert not steps[3].refused


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"opened": "yesterday"}, "column 'opened': \"yesterday\" is no time"),
        ({"opened": ""}, "no time in column 'opened'"),
        ({"text": " "}, "no text"),
        ({"category": None}, "no label"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(changed: Mapping[str, str | None], reason: str) -> None:
    values: list[dict[str, str | None]] = [dict(row) for row in rows(20)]
    values[6] |= changed
    past = history(values)
    assert [line for line, _ in past.left_out] == [8]
    assert past.left_out[0][1].startswith(reason)
    assert len(past.at) == 19


def test_nothing_left_says_what_is_wrong_with_the_first_row() -> None:
    with pytest.raises(InvalidInput, match="None of the 1 rows can be used; line 2: no label"):
        history([{"opened": "2026-01-01", "text": "a", "category": ""}])


def test_columns_come_from_an_import_map_or_by_name() -> None:
    pairs = ["reported_at=Opened", "title=Short", "description=Long", "category=Cat", "custom.team=Team", "resolved_at=Closed"]
    chosen = Columns.chosen(pairs=pairs, time=None, texts=(), targets=(), known_at=None, resolution="Fix")
    assert chosen == Columns("Opened", ("Short", "Long"), {"category": "Cat", "team": "Team"}, "Closed", "Fix")
    named = Columns.chosen(pairs=pairs, time="T", texts=["X"], targets=["team", "Other"], known_at="K", resolution=None)
    assert named == Columns("T", ("X",), {"team": "Team", "Other": "Other"}, "K", None)
    for missing in ("reported_at=Opened", "title=Short", "category=Cat"):
        kept = [pair for pair in ("reported_at=Opened", "title=Short", "category=Cat") if pair != missing]
        with pytest.raises(InvalidInput, match="Name "):
            Columns.chosen(pairs=kept, time=None, texts=(), targets=(), known_at=None, resolution=None)
