"""A customer's tree of three levels, from a table over the command line and the bundle to the answers of the service."""

import csv
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load, save

from smarttriage import cli
from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.sklearn import SklearnTrainer, TargetOptions
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.domain.errors import BundleError
from smarttriage.ports import LabelledTexts, Vectors
from smarttriage.services.training import TrainingRows, train
from tests.integration.installation import Installation, installation

WORDS = {
    "Hardware > Printer > Paper jam": ("paper jam", "crumpled sheet", "tray stuck"),
    "Hardware > Printer > Toner": ("toner empty", "faded print", "cartridge leaking"),
    "Hardware > Laptop > Battery": ("battery drained", "charger hot", "power gone"),
    "Hardware > Laptop > Screen": ("screen cracked", "display flickers", "panel black"),
    "Software > Mail > Mailbox full": ("mailbox full", "quota exceeded", "archive mails"),
    "Software > Mail > Calendar": ("calendar empty", "meeting lost", "invitation missing"),
    "Access": ("password expired", "account locked", "login refused"),
}
PLACES = ("in room", "on floor", "at desk", "near gate", "in hall", "for team")
PHRASES = ("since monday", "again", "please look", "every day", "after lunch")
LEVELS = ("path_1", "path_2", "path_3")


def rows() -> list[tuple[str, str]]:
    """Return 18 texts of each path."""
    return [
        (f"{word} {place} {phrase}", path)
        for path, words in WORDS.items()
        for word, (place, phrase) in itertools.product(words, zip(PLACES, itertools.cycle(PHRASES), strict=False))
    ]


def levels(path: str) -> list[str | None]:
    parts = path.split(" > ")
    return [" > ".join(parts[: depth + 1]) if depth < len(parts) else None for depth in range(3)]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["smarttriage", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tree") / "export.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["subject", "path", "category", "sub_category", "item"])
        for text, found in rows():
            parts = found.split(" > ")
            writer.writerow([text, found, *parts, *[""] * (3 - len(parts))])
    return path


def test_a_column_of_paths_becomes_levels_that_evaluate_scores_as_one_answer(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, data = tmp_path / "bundle", ["--data", table, "--text-column", "subject", "--tree-column", "path"]
    contract = ["--target-precision", "0.6", "--confidence", "0.5"]
    assert run(monkeypatch, "train", *data, *contract, "--model", bundle, "--json") == 0
    trained = json.loads(capsys.readouterr().out)
    assert list(trained["targets"]) == list(LEVELS)
    assert trained["parents"] == {"path_2": "path_1", "path_3": "path_2"}
    stored = {target["name"]: target for target in json.loads((bundle / "model.json").read_text())["targets"]}
    assert stored["path_3"]["parents"]["Hardware > Printer > Toner"] == "Hardware > Printer"
    assert run(monkeypatch, "evaluate", "classifier", "--model", bundle, *data, "--target", "path_3", "--json") == 0
    found = json.loads(capsys.readouterr().out)["hierarchy"]
    assert found["n"] == len(rows())
    assert [found["levels"][level]["n"] for level in LEVELS] == [126, 108, 108]
    assert found["consistent"] == 1.0
    assert found["whole"]["f1"] > 0.9
    assert found["stopped"]["precision"] >= found["whole"]["precision"]
    assert found["mean_depth"] == pytest.approx(sum(depth * share for depth, share in enumerate(found["depths"])))
    assert run(monkeypatch, "evaluate", "classifier", "--model", bundle, *data, "--target", "path_3") == 0
    printed = capsys.readouterr().out
    assert "levels path_1 > path_2 > path_3, 126 rows" in printed
    assert "answers without contradiction 100.0%" in printed


def test_a_column_for_each_level_takes_its_parent_from_the_command_line(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    targets = [part for target in ("item", "sub_category", "category") for part in ("--target", target)]
    options = ["--data", table, "--text-column", "subject", *targets, "--parent", "item=sub_category", "--json"]
    assert run(monkeypatch, "train", *options, "--model", tmp_path / "m") == 0
    trained = json.loads(capsys.readouterr().out)
    assert trained["parents"] == {"sub_category": "category", "item": "sub_category"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "item", "--parent", "item=team"], "'item' is below 'team', which is not trained with it"),
        (["--target", "item", "--parent", "team=item"], "'team' is put below 'item' but not trained"),
        (
            ["--target", "item", "--target", "category", "--parent", "item=category", "--parent", "category=item"],
            "'item' below 'category' below 'item' go round in a circle",
        ),
        (["--target", "item", "--parent", "item"], "'item' names no parent"),
        (["--tree-column", "path=a,,b"], "'path=a,,b' is no tree column"),
        (["--tree-column", "path", "--separator", " "], "The separator ' ' is blank"),
        (["--tree-column", "branch"], "no column 'branch'"),
    ],
)
def test_a_tree_that_cannot_be_is_refused_in_one_line(
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    assert run(monkeypatch, "train", "--data", table, "--text-column", "subject", *options, "--model", tmp_path / "m") == 1
    printed = capsys.readouterr()
    assert message in printed.err
    assert "Traceback" not in printed.err


@pytest.fixture(scope="module")
def model() -> SklearnClassifier:
    """A model of the tree beside a flat target, with thresholds that every sure answer reaches."""
    encoder, texts = HashingEncoder(), [text for text, _ in rows()]
    labels: dict[str, list[str | None]] = dict(
        zip(LEVELS, map(list, zip(*(levels(p) for _, p in rows()), strict=True)), strict=True)
    )
    options = {"path_2": TargetOptions(parent="path_1"), "path_3": TargetOptions(parent="path_2")}
    trainer = SklearnTrainer(encoder_id=encoder.encoder_id, targets=options, target_precision=0.6, confidence=0.5)
    fitted = trainer.fit(LabelledTexts(texts, encoder.encode(texts), labels), seed=0)
    return SklearnClassifier.from_files(fitted.to_files(), version="tree")


def activate(running: Installation, model: SklearnClassifier) -> None:
    running.services.live.update_models(lambda models: replace(models, classifier=model))


def ask(running: Installation, text: str, **labels: str) -> dict[str, Any]:
    """Return the levels' fields, for a stored incident where labels of it are known."""
    body = {"title": "", "description": text}
    if labels:
        body = {"incident_id": running.must("POST", "/v1/incidents", {**body, "custom": labels})["id"]}
    fields: dict[str, Any] = running.must("POST", "/v1/suggestions", body)["custom"]
    return {level: fields[level] for level in LEVELS}


def assert_consistent(fields: dict[str, Any]) -> None:
    for above, below in itertools.pairwise(LEVELS):
        if fields[below]["value"] is not None:
            assert fields[below]["value"].startswith(f"{fields[above]['value']} > ")
            assert fields[below]["confidence"] <= fields[above]["confidence"]
        if fields[above]["value"] is None:
            assert fields[below]["value"] is None
            assert fields[below]["reason"] in {"parent_unknown", "low_confidence", "nothing_below"}


def test_the_service_answers_level_by_level_and_stops_where_confidence_ends(tmp_path: Path, model: SklearnClassifier) -> None:
    with installation(tmp_path) as running:
        activate(running, model)
        sure = ask(running, "paper jam in room again")
        assert [sure[level]["value"] for level in LEVELS] == levels("Hardware > Printer > Paper jam")
        assert_consistent(sure)
        unsure = ask(running, "printer printer")
        assert unsure["path_3"]["value"] is None
        assert unsure["path_3"]["alternatives"]
        for text in ("toner calendar", "panel", "mailbox quota battery", "paper", "locked"):
            assert_consistent(ask(running, text))


def test_an_administrator_sees_which_field_stands_below_which(tmp_path: Path, model: SklearnClassifier) -> None:
    with installation(tmp_path) as running:
        activate(running, model)
        found = {row["target"]: row["parent"] for row in running.must("GET", "/v1/fields")["items"]}
        assert {level: found[level] for level in LEVELS} == {"path_1": None, "path_2": "path_1", "path_3": "path_2"}


def test_a_tree_that_ends_early_says_so_below(tmp_path: Path, model: SklearnClassifier) -> None:
    with installation(tmp_path) as running:
        activate(running, model)
        fields = ask(running, "account locked at desk please look")
        assert fields["path_1"]["value"] == "Access"
        assert [(fields[level]["value"], fields[level]["reason"]) for level in LEVELS[1:]] == [(None, "nothing_below")] * 2


def test_a_given_label_decides_the_levels_above_and_restricts_those_below(tmp_path: Path, model: SklearnClassifier) -> None:
    with installation(tmp_path) as running:
        activate(running, model)
        fields = ask(running, "paper jam in room again", path_2="Hardware > Laptop")
        assert (fields["path_1"]["value"], fields["path_1"]["reason"]) == ("Hardware", "given")
        assert {option["value"] for option in fields["path_3"]["alternatives"]} == {
            "Hardware > Laptop > Battery",
            "Hardware > Laptop > Screen",
        }


def test_a_correction_of_the_middle_level_is_learnt_and_moves_the_levels_around_it(
    tmp_path: Path, model: SklearnClassifier
) -> None:
    text = "paper jam in room again"
    with installation(tmp_path) as running:
        activate(running, model)
        first = running.must("POST", "/v1/suggestions", {"title": "", "description": text})
        judged = {"suggestion_id": first["id"], "action": "replaced", "field": "path_2", "value": "Software > Mail"}
        running.must("POST", "/v1/feedback", judged)
        fields = ask(running, text)
        assert fields["path_1"]["alternatives"][0]["value"] == "Software"
        assert fields["path_2"]["alternatives"][0]["value"] == "Software > Mail"
        assert fields["path_3"]["alternatives"][0]["value"].startswith("Software > Mail > ")
        assert_consistent(fields)


def test_a_label_that_only_people_know_stands_below_the_one_they_put_it_under(tmp_path: Path, model: SklearnClassifier) -> None:
    with installation(tmp_path) as running:
        activate(running, model)
        text = "the document scanner hums"
        decided = {"path_1": "Hardware", "path_2": "Hardware > Scanner"}
        running.must("POST", "/v1/incidents", {"title": "", "description": text, "custom": decided})
        fields = ask(running, text)
        assert fields["path_2"]["alternatives"][0]["value"] == "Hardware > Scanner"
        assert fields["path_3"]["value"] is None


class CountingEncoder(HashingEncoder):
    """Remembers how often each text was encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.seen.update(texts)
        return super().encode(texts)


def test_several_targets_of_one_training_encode_each_text_once() -> None:
    encoder = CountingEncoder()
    texts = [text for text, _ in rows()]
    labels: dict[str, list[str | None]] = {"path_1": [levels(p)[0] for _, p in rows()], "leaf": [p for _, p in rows()]}
    labels["service"] = ["it" if place % 2 else "hr" for place in range(len(texts))]
    done = train(
        TrainingRows([*texts, texts[0]], {name: [*column, column[0]] for name, column in labels.items()}, None, 0),
        encoder=encoder,
        trainer=SklearnTrainer(encoder_id=encoder.encoder_id),
        seed=0,
        timer=time.perf_counter,
    )
    assert list(done.classifier.cards) == ["path_1", "leaf", "service"]
    assert set(encoder.seen.values()) == {1}
    assert encoder.seen.keys() == set(texts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda targets: targets.reverse(), "which does not stand before it"),
        (lambda targets: targets[1]["parents"].popitem(), "are not each below one of 'path_1'"),
        (lambda targets: targets[1]["parents"].update({"Hardware > Laptop": "Heaven"}), "are not each below one of 'path_1'"),
        (lambda targets: targets[1].update(parent=None), "no target above it"),
    ],
)
def test_a_bundle_whose_tree_is_broken_is_refused(
    model: SklearnClassifier, change: Callable[[list[dict[str, Any]]], None], message: str
) -> None:
    files = model.to_files()
    content = json.loads(files["model.json"])
    change(content["targets"])
    if content["targets"][0]["name"] != "path_1":  # their arrays stand in the same order
        arrays = load(files["arrays.safetensors"])
        files["arrays.safetensors"] = save({_swapped(name): array for name, array in arrays.items()})
    with pytest.raises(BundleError, match=message):
        SklearnClassifier.from_files({**files, "model.json": json.dumps(content).encode()}, version="1")


def _swapped(name: str) -> str:
    return name.replace("target0.", "target9.").replace("target2.", "target0.").replace("target9.", "target2.")
