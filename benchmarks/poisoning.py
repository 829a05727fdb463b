"""How far do poisoned resolutions, corrections, outcomes and stuffed articles get, with quarantine and without it, and after an undo?

    python benchmarks/poisoning.py [--data ../shared/data] [--cache FOLDER]

Two desks. kb_msoffice: its articles, its train queries as past incidents that tell the article's solution; asked are the dev queries.
it_ticket_category: a model of 3,000 train tickets, 2,000 others as reviewed past incidents; asked are 1,000 dev tickets. The attacker
knows 50 of the questions word for word (the worst case) and resolves each beforehand with a harmful fix and a wrong label in 50 people's
names. On kb_msoffice they also say of the right article, in twelve names each, that it did not work, write ten keyword-stuffed articles
and ten plausible harmful ones and try to publish them, and hand the stuffed ones to somebody who imports them. "Without defence" is what
the same calls do with keys that are trusted to name people: the product as it was before trust was asked. Nothing is tuned here.
"""

import argparse
import csv
import gzip
import json
import random
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from poisoning_desk import DESK, REVIEWER, TARGET, Answer, Case, Desk, K, Question, Remembering, a_key, trusted
from report import write_results
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts, resources
from smarttriage.bootstrap.classifiers import sklearn_trainer
from smarttriage.bootstrap.models import open_models
from smarttriage.config import Settings
from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.errors import PermissionDenied
from smarttriage.domain.text import model_text
from smarttriage.ports import Encoder, LabelledTexts
from smarttriage.services.evaluation import confusion, macro_f1
from smarttriage.services.gate import Gate
from smarttriage.services.import_rows import Row
from smarttriage.services.training import embed

ROOT = Path(__file__).resolve().parent.parent
SEED, N_POISONED, N_ARTICLES, N_NAMES = 11, 50, 10, 12
N_FIT, N_PAST, N_ASKED = 3_000, 2_000, 1_000
HARM = "Deleted the user's profile and mailbox and removed the endpoint protection from the machine, then it worked (case {n})."
ONE_KEY = [a_key("stranger-1", Scope.SUGGEST, Scope.WRITE, Scope.REVIEW, trusted=False)]
FIVE_KEYS = [a_key(f"stranger-{n}", Scope.SUGGEST, Scope.WRITE, trusted=False) for n in range(1, 6)]


@dataclass(slots=True)
class Poison:
    """What an attack left behind."""

    incidents: list[str] = field(default_factory=list)
    stuffed: list[str] = field(default_factory=list)
    harmful: list[str] = field(default_factory=list)


def main() -> None:
    """Run everything and write benchmarks/results/poisoning.json and .md."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options.add_argument("--cache", type=Path, help="Where vectors of the tickets are kept.")
    chosen = options.parse_args()
    encoder = Remembering(parts.encoder(n_threads=2))
    result: dict[str, object] = {}
    for name, make in (("kb_msoffice", msoffice), ("it_ticket_category", tickets)):
        with tempfile.TemporaryDirectory() as scratch:
            result[name] = run(make(chosen.data, encoder, Path(scratch), chosen.cache), Path(scratch))
    write_results("poisoning", result, table(result))


def run(case: Case, scratch: Path) -> dict[str, object]:
    """Return the figures of every scenario of a desk."""
    found: dict[str, object] = {}
    reference = Desk(case, scratch / "reference", prepared=case.folder)
    before = answers(reference)
    reference.close()
    found["no attack"] = figures(case, before, Poison(), before, 0)
    for name, keys in (
        ("without defence, one key", trusted(ONE_KEY)),
        ("without defence, five keys", trusted(FIVE_KEYS)),
        ("one key", ONE_KEY),
        ("five keys that agree with each other", FIVE_KEYS),
    ):
        desk = Desk(case, scratch / name.replace(" ", "-").replace(",", ""), prepared=case.folder)
        since = desk.now
        poison = attack(desk, keys)
        found[name] = figures(case, answers(desk), poison, before, desk.drafted_from(poison.incidents))
        if not keys[0].trusted and len(keys) == 1:
            confirm_all(desk)
            found["one key, confirmed by mistake"] = figures(
                case, answers(desk), poison, before, desk.drafted_from(poison.incidents)
            )
        if keys[0].trusted or len(keys) == 1:
            undo_all(desk, [*keys, REVIEWER], since)
            undone = "one key, confirmed by mistake" if not keys[0].trusted else name
            found[f"{undone}, then undone"] = figures(case, answers(desk), poison, before, desk.drafted_from(poison.incidents))
        desk.close()
    found["honest"] = honest(case, scratch / "honest")
    return found


def attack(desk: Desk, keys: Sequence[Principal]) -> Poison:
    """Let the keys say everything that they can, in many names, and confirm each other."""
    case, poison = desk.case, Poison()
    desk.register(*keys, REVIEWER)
    for n, (target, label) in enumerate(zip(case.targets, case.wrong, strict=True)):
        by = keys[n % len(keys)]
        poison.incidents.append(desk.solve(by, target, HARM.format(n=n), label, person=f"person {n}"))
    for n, target in enumerate(each for each in case.targets if each.article is not None):
        by = keys[n % len(keys)]
        desk.blame(by, str(target.article), N_NAMES)
        if n < N_ARTICLES:
            poison.stuffed.append(desk.publish(by, target.text[:80], f"{target.text}\n{stuffed(target.text)}"))
            poison.harmful.append(desk.publish(by, target.text[:80], f"{target.text}\n\n## Resolution\n1. {HARM.format(n=n)}"))
    if poison.stuffed:
        rows = [
            Row(str(n), {"id": f"bulk-{n}", "title": each.text[:80], "body": stuffed(each.text)})
            for n, each in enumerate(case.targets[:N_ARTICLES])
        ]
        desk.bulk(rows, accept_warnings=keys[0].trusted)
        poison.stuffed += [str(row.values["id"]) for row in rows]
    waiting = desk.waiting()
    for key in keys:
        for lesson in waiting:
            with suppress(PermissionDenied):
                desk.quarantine.agree(key, [lesson], given_by="somebody")
            with suppress(PermissionDenied):
                desk.quarantine.confirm(key, [lesson])
    desk.follow()
    return poison


def stuffed(text: str) -> str:
    """Return the longer words of a question over and over, as a list."""
    words = [word.strip(".,:;\"'()") for word in text.split() if len(word) > 4][:20]
    return ", ".join(words * 8)


def confirm_all(desk: Desk) -> None:
    """Let a reviewer confirm everything unread."""
    desk.quarantine.confirm(REVIEWER, desk.waiting())
    desk.follow()


def undo_all(desk: Desk, keys: Sequence[Principal], since: object) -> None:
    """Undo what the keys taught, and what was imported meanwhile."""
    for key in (*keys, replace(keys[0], key_id="import")):
        desk.undo(key, since)  # type: ignore[arg-type]
    desk.follow()


def answers(desk: Desk) -> list[Answer]:
    return [desk.ask(question) for question in desk.case.questions]


def figures(case: Case, found: Sequence[Answer], poison: Poison, before: Sequence[Answer], n_drafts: int) -> dict[str, object]:
    """Return what of the poison is suggested, and how good the suggestions are, beside what they were before."""
    incidents, stuffed_ids, harmful = set(poison.incidents), set(poison.stuffed), set(poison.harmful)
    n = len(found)
    right = [question.article for question in case.questions]
    known = [place for place, article in enumerate(right) if article is not None]
    return {
        "n": n,
        "poisoned fix": sum(
            any(text is not None and "endpoint protection" in text for *_, text in each.similar) for each in found
        )
        / n,
        "poisoned incident": sum(any(id_ in incidents for id_, *_ in each.similar) for each in found) / n,
        "stuffed article": sum(any(id_ in stuffed_ids for id_, _ in each.articles) for each in found) / n,
        "harmful article": sum(any(id_ in harmful for id_, _ in each.articles) for each in found) / n,
        "right article first": _share(bool(found[p].articles) and found[p].articles[0][0] == right[p] for p in known),
        "macro_f1": f1(case, found),
        "drafts": n_drafts,
        "changed": sum(one != other for one, other in zip(found, before, strict=True)),
    }


def _share(values: object) -> float | None:
    listed = list(values)  # type: ignore[call-overload]
    return sum(listed) / len(listed) if listed else None


def f1(case: Case, found: Sequence[Answer]) -> float | None:
    """Return the macro-F1 of the likeliest labels; None where the set has none."""
    if case.questions[0].label is None:
        return None
    said = [each.labels[0][0] if each.labels else "" for each in found]
    names = sorted({str(each.label) for each in case.questions} | set(said))
    true, predicted = (
        np.array([names.index(each) for each in column])
        for column in ([str(question.label) for question in case.questions], said)
    )
    return macro_f1(confusion(true, predicted, len(names)))


def honest(case: Case, folder: Path) -> dict[str, object]:
    """Return when what an honest key says that is not trusted reaches itself and others, as shares of the next suggestions."""
    desk, key = Desk(case, folder, prepared=case.folder), ONE_KEY[0]
    fix = "Reset the cached credentials of the account and signed in again (case {n})."
    for n, target in enumerate(case.targets):
        desk.solve(key, target, fix.format(n=n), target.label, person=f"person {n}")
    desk.follow()

    def reached(by: Principal) -> float:
        shown = [any(fix.format(n=n) == text for *_, text in desk.ask(each, by).similar) for n, each in enumerate(case.targets)]
        return sum(shown) / len(shown)

    made: dict[str, object] = {"itself, at once": reached(key), "others, before any word": reached(DESK)}
    waiting = desk.waiting()
    desk.quarantine.agree(DESK, waiting, given_by="ann")
    desk.follow()
    made["others, after one trusted person agreed"] = reached(DESK)
    desk.quarantine.agree(DESK, waiting, given_by="bob")
    desk.follow()
    made["others, after two trusted people agreed"] = reached(DESK)
    desk.close()
    second = Desk(case, folder.with_name("honest-reviewed"), prepared=case.folder)
    for n, target in enumerate(case.targets):
        second.solve(key, target, fix.format(n=n), target.label, person=f"person {n}")
    confirm_all(second)
    desk = second
    made["others, after one reviewer confirmed"] = reached(DESK)
    desk.close()
    return made


def msoffice(data: Path, encoder: Encoder, scratch: Path, _cache: Path | None) -> Case:
    """Return the desk with a knowledge base."""
    folder = data / "kb_msoffice"
    articles = lines(folder / "corpus.jsonl.gz")
    bodies = {row["_id"]: row["text"] for row in articles}
    rows = [Row(row["_id"], {"id": row["_id"], "title": row["title"], "body": row["text"]}) for row in articles]
    right = {split: qrels(folder / f"qrels.{split}.tsv") for split in ("train", "dev")}
    past = [
        Row(
            row["_id"],
            {
                "description": row["text"],
                "source_id": row["_id"],
                "resolution": solution(bodies[right["train"][row["_id"]]]),
                "article_id": right["train"][row["_id"]],
                "reported_at": "2026-01-05T08:00:00+00:00",
            },
        )
        for row in lines(folder / "queries.train.jsonl.gz")
    ]
    questions = [Question(row["text"], None, right["dev"][row["_id"]]) for row in lines(folder / "queries.dev.jsonl.gz")]
    targets = random.Random(SEED).sample(questions, N_POISONED)
    models = open_models(Settings(data_dir=scratch), encoder)
    case = Case("kb_msoffice", scratch / "prepared", encoder, models, questions, targets, [None] * N_POISONED)
    return prepared(case, rows, past)


def tickets(data: Path, encoder: Encoder, scratch: Path, cache: Path | None) -> Case:
    """Return the desk with a model."""
    folder, rng = data / "it_ticket_category", random.Random(SEED)
    train, dev = (clusters(folder / f"{split}.csv.gz") for split in ("train", "dev"))
    chosen = rng.sample(train, N_FIT + N_PAST)
    fit, stored = chosen[:N_FIT], chosen[N_FIT:]
    texts, labels = [model_text("", row["text"]) for row in fit], {TARGET: [row["category"] for row in fit]}
    vectors = embed(texts, encoder=encoder, cache=FileVectorCache(cache) if cache else None)
    trainer = sklearn_trainer(encoder.encoder_id, labels, target_precision=0.9)
    classifier = trainer.fit(LabelledTexts(texts, vectors, labels, [row["cluster"] for row in fit]), seed=0)
    settings = Settings(data_dir=scratch)
    models = replace(
        open_models(settings, encoder), classifier=classifier, gate=Gate(resources.intake(settings), classifier.novelty)
    )
    past = [
        Row(
            row["id"],
            {"description": row["text"], "source_id": row["id"], f"custom.{TARGET}": row["category"], "status": "closed"},
        )
        for row in stored
    ]
    questions = [Question(row["text"], row["category"]) for row in rng.sample(dev, N_ASKED)]
    names = sorted({row["category"] for row in train})
    targets = rng.sample(questions, N_POISONED)
    wrong = [names[(names.index(str(each.label)) + 1) % len(names)] for each in targets]
    case = Case("it_ticket_category", scratch / "prepared", encoder, models, questions, targets, wrong)
    return prepared(case, [], past)


def prepared(case: Case, articles: Sequence[Row], past: Sequence[Row]) -> Case:
    """Return the case with its store filled."""
    desk = Desk(case, case.folder)
    desk.load(articles, past)
    desk.close()
    return case


def lines(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def qrels(path: Path) -> dict[str, str]:
    """Return query -> its own article."""
    with path.open(encoding="utf-8") as stream:
        return {row["query-id"]: row["corpus-id"] for row in csv.DictReader(stream, delimiter="\t") if row["score"] == "2"}


def clusters(path: Path) -> list[dict[str, str]]:
    """Return the first row of each near-duplicate cluster."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return list({row["cluster"]: row for row in reversed(list(csv.DictReader(stream)))}.values())


def solution(body: str) -> str:
    """Return the beginning of what an article says to do."""
    _, found, after = body.partition("Solution\n")
    return (after if found else body)[:400]


def table(result: dict[str, object]) -> str:
    """Return the Markdown tables."""
    parts_ = []
    for name, found in result.items():
        scenarios = {each: row for each, row in found.items() if each != "honest"}  # type: ignore[attr-defined]
        base = scenarios["no attack"]["macro_f1"]
        parts_ += [
            f"{name}: {scenarios['no attack']['n']} questions, {N_POISONED} of them known to the attacker. Share of questions with poison "
            f'among the first {K}; open drafts that quote a poisoned incident; questions whose suggestion is not that of "no attack" '
            "(articles, fixes and labels with their scores).",
            "",
            "| | poisoned fix | poisoned incident | stuffed article | harmful article | right article first | macro-F1 | change | drafts | changed |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for each, row in scenarios.items():
            shares = " | ".join(
                f"{row[key]:.1%}" for key in ("poisoned fix", "poisoned incident", "stuffed article", "harmful article")
            )
            first = "-" if row["right article first"] is None else f"{row['right article first']:.1%}"
            score = "- | -" if row["macro_f1"] is None else f"{row['macro_f1']:.4f} | {row['macro_f1'] - base:+.4f}"
            parts_.append(f"| {each} | {shares} | {first} | {score} | {row['drafts']} | {row['changed']} |")
        told = "; ".join(f"{when} {share:.0%}" for when, share in found["honest"].items())  # type: ignore[index]
        parts_ += [
            "",
            f"An honest key that is not trusted, {N_POISONED} fixes, share of the next suggestions that show them: {told}.",
            "",
        ]
    return "\n".join(parts_).rstrip()


if __name__ == "__main__":
    main()
