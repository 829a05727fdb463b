"""How many real texts begin with a greeting or end with a closing that is taken out, how many cuts are right, and what it costs.

    python benchmarks/salutations.py [--data ../shared/data]

Writes benchmarks/results/salutations.json and .md. Right or wrong is decided by tests/data/salutations.jsonl: texts written for it in five
languages, half of them traps ("Thanks for the laptop, but ..."), and seed incidents drawn at random among those that are changed, each cut
looked at by eye. The part "choosing" was seen while the rules were written, the part "held_out" was not.
"""

import argparse
import csv
import gzip
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from report import write_results
from smarttriage.domain.salutations import without_salutations
from smarttriage.domain.text import MAX_READ_CHARS

ROOT = Path(__file__).resolve().parent.parent
LABELLED = ROOT / "tests" / "data" / "salutations.jsonl"
TABLES = ("it_ticket_category", "hadoop_priority", "status_page_impact", "alert_severity", "msoffice_symptom_product")
# Each stands for one way to make a pattern go back and forth.
MADE_UP = (
    "thanks ",
    "kind regards ",
    "hi ",
    "A ",
    " ",
    "\n",
    "thank you for your ",
    "danke im voraus ",
    "Kind regards\n",
    "@a",
    "merci beaucoup ",
)


def seed() -> dict[str, Mapping[str, Any]]:
    lines = (ROOT / "kb" / "incidents.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


def joined(row: Mapping[str, Any]) -> str:
    return f"{row['title']}\n{row['description']}" if row["title"] else str(row["description"])


def sources(data: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each source and its texts as they come."""
    yield "kb/incidents.jsonl", [joined(row) for row in seed().values()]
    yield "kb/incidents.jsonl, e-mails", [joined(row) for row in seed().values() if row["style"] == "email"]
    for name in TABLES:
        path = data / name / "train.csv.gz"
        if path.is_file():
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                yield f"{name}, train", [row["text"][:MAX_READ_CHARS] for row in csv.DictReader(lines)]
    if payloads := sorted((data.parent / "itsm" / "payloads").glob("*.json")):
        yield (
            "texts of the recorded webhooks",
            [text for path in payloads for text in long_strings(json.loads(path.read_bytes()))],
        )


def long_strings(value: Any) -> list[str]:
    """Return the texts of a payload that are no keys or marks: those with a blank."""
    if isinstance(value, str):
        return [value] if " " in value else []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in long_strings(each)]


def share(texts: Sequence[str]) -> dict[str, int]:
    """Return how many texts are changed, and how many words that costs them."""
    lost = [len(text.split()) - len(without_salutations(text).split()) for text in texts]
    return {"n": len(texts), "changed": sum(n > 0 for n in lost), "words_cut": sum(lost)}


def judged(part: str) -> dict[str, float | int | list[str]]:
    """Return how many words are cut rightly, wrongly and not at all, by the labels of a part."""
    incidents = seed()
    n = right = wrong = missed = 0
    bad: list[str] = []
    for row in map(json.loads, LABELLED.read_text(encoding="utf-8").splitlines()):
        if row["part"] != part:
            continue
        text = row["text"] if "text" in row else joined(incidents[row["seed"]])
        cut, meant = cut_places(text, without_salutations(text)), meant_places(text, row["cut"])
        n += 1
        right += bool(cut) and cut <= meant
        wrong += bool(cut - meant)
        missed += bool(meant - cut)
        bad += [text] if cut - meant else []
    return {"n": n, "right": right, "wrong": wrong, "missed": missed, "wrong_texts": bad}


def cut_places(text: str, left: str) -> set[int]:
    """Return the places of letters and digits that were blanked."""
    return {place for place, character in enumerate(text) if character != left[place] and character.isalnum()}


def meant_places(text: str, cuts: Sequence[str]) -> set[int]:
    """Return the places of letters and digits of the labelled cuts: each stands behind the one before, the last one as late as it can."""
    places: set[int] = set()
    start = 0
    for cut in cuts:
        at = text.rindex(cut) if cut == cuts[-1] and len(cuts) > 1 else text.index(cut, start)
        start = at + len(cut)
        places |= {place for place in range(at, start) if text[place].isalnum()}
    return places


def milliseconds(texts: Sequence[str], rounds: int = 5) -> float:
    """Return the least time per text of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        for text in texts:
            without_salutations(text)
        best = min(best, (time.perf_counter() - started) / len(texts) * 1000)
    return best


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    given = arguments.parse_args()
    found = list(sources(given.data))
    result = {
        "shares": {name: share(texts) for name, texts in found},
        "judged": {part: judged(part) for part in ("choosing", "held_out")},
        "ms_per_text": {name: milliseconds(texts[:500]) for name, texts in found},
        "ms_worst": max(milliseconds([(part * MAX_READ_CHARS)[:MAX_READ_CHARS]] * 20) for part in MADE_UP),
    }
    write_results("salutations", result, table(result))


def table(result: Mapping[str, Any]) -> str:
    """Return the text of the section."""
    lines = ["| texts | n | changed | words cut | ms per text |", "|---|---|---|---|---|"]
    for name, one in result["shares"].items():
        lines.append(
            f"| {name} | {one['n']} | {one['changed'] / one['n']:.1%} | {one['words_cut']} | {result['ms_per_text'][name]:.3f} |"
        )
    lines += [
        "",
        "| labelled | texts | cut, all of it courtesy | cut too much | left something | precision |",
        "|---|---|---|---|---|---|",
    ]
    for part, one in result["judged"].items():
        precision = one["right"] / max(1, one["right"] + one["wrong"])
        lines.append(
            f"| {part.replace('_', ' ')} | {one['n']} | {one['right']} | {one['wrong']} | {one['missed']} | {precision:.1%} |"
        )
    wrong = [text for one in result["judged"].values() for text in one["wrong_texts"]]
    lines += ["", f"Cut too much: {'; '.join(wrong) if wrong else 'none'}."]
    lines.append(
        f"The slowest of {len(MADE_UP)} texts of {MAX_READ_CHARS:,} characters made to be slow: {result['ms_worst']:.2f} ms."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
