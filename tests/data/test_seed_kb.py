"""The seed articles and incidents are complete, labelled by the taxonomy and written, not generated."""

import json
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from smarttriage.domain.taxonomy import Taxonomy

KB = Path(__file__).parents[2] / "kb"
SECTIONS = ["Symptoms", "Cause", "Resolution", "Verification", "When to escalate"]
KEYS = {"id", "title", "category", "sub_category", "keywords", "language", "status", "owner", "valid_until"}
# The month in which the seed was written: nothing in it may be out of date on the first day.
WRITTEN = date(2026, 11, 30)
LEVELS = ("low", "medium", "high")
STYLES = {"short", "rambling", "email", "alert", "chat", "phone_note", "form"}
INCIDENT_KEYS = {
    "id", "reported_at", "title", "description", "language", "style", "kind", "category", "sub_category", "impact", "urgency",
    "status", "resolution", "tone_misleads",
}  # fmt: skip
Row = dict[str, Any]


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return Taxonomy.from_mapping(tomllib.loads((KB / "taxonomy.toml").read_text(encoding="utf-8")))


def _article(path: Path) -> tuple[Row, str]:
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return {**yaml.safe_load(front), "file": path.name}, body


@pytest.fixture(scope="module")
def articles() -> list[tuple[Row, str]]:
    return [_article(path) for path in sorted((KB / "articles").glob("*.md"))]


@pytest.fixture(scope="module")
def incidents() -> list[Row]:
    lines = (KB / "incidents.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def text_of(row: Row) -> str:
    return f"{row['title']}\n{row['description']}"


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def shingles(words: list[str], n: int) -> set[tuple[str, ...]]:
    return set(zip(*(words[offset:] for offset in range(n)), strict=False))


def alike(texts: dict[str, str], limit: float) -> list[tuple[str, str]]:
    """Return the pairs whose shared word trigrams are more than `limit` of the shorter text's.

    An inverted index makes it linear in the trigrams; a trigram of 50 and more texts (a mail header) tells nothing.
    """
    grams = {name: shingles(words_of(text), 3) for name, text in texts.items()}
    holders: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, members in grams.items():
        for gram in members:
            holders[gram].append(name)
    shared = Counter(pair for names in holders.values() if len(names) < 50 for pair in _pairs(names))
    return sorted(pair for pair, n in shared.items() if n > limit * min(len(grams[pair[0]]), len(grams[pair[1]])))


def _pairs(names: list[str]) -> Iterable[tuple[str, str]]:
    return ((first, second) for position, second in enumerate(names) for first in names[:position])


def share(rows: Iterable[object], whole: list[Row]) -> float:
    return sum(1 for _ in rows) / len(whole)


def test_there_are_enough_articles_and_three_for_each_sub_category(articles: list[tuple[Row, str]], taxonomy: Taxonomy) -> None:
    assert len(articles) >= 80
    counts = Counter(front["sub_category"] for front, _ in articles)
    assert {name: counts[name] for name in taxonomy.parents if counts[name] < 3} == {}


def test_front_matter_is_complete_and_valid(articles: list[tuple[Row, str]], taxonomy: Taxonomy) -> None:
    for front, _ in articles:
        name = front["file"]
        assert set(front) == KEYS | {"file"}, name
        assert re.fullmatch(rf"{re.escape(front['id'])}-[a-z0-9-]+\.md", name), name
        assert taxonomy.parents.get(front["sub_category"]) == front["category"], name
        assert len(front["keywords"]) >= 3, name
        assert all(isinstance(word, str) and word for word in front["keywords"]), name
        assert re.fullmatch(r"[a-z]{2}", front["language"]), name
        assert front["status"] == "published", name
        assert all(isinstance(front[key], str) and front[key].strip() for key in ("title", "owner")), name
        assert type(front["valid_until"]) is date, name
        assert front["valid_until"] > WRITTEN, name


def test_article_ids_and_titles_are_unique(articles: list[tuple[Row, str]]) -> None:
    for key in ("id", "title"):
        assert [value for value, n in Counter(front[key] for front, _ in articles).items() if n > 1] == []


def test_article_has_the_five_sections_numbered_steps_and_substance(articles: list[tuple[Row, str]]) -> None:
    for front, body in articles:
        parts = re.split(r"^## (.+)\n", body, flags=re.MULTILINE)
        assert parts[1::2] == SECTIONS, front["file"]
        assert all(len(words_of(part)) >= 8 for part in parts[2::2]), front["file"]
        steps = [int(number) for number in re.findall(r"^(\d+)\. ", parts[6], flags=re.MULTILINE)]
        assert steps == list(range(1, len(steps) + 1)), front["file"]
        assert len(steps) >= 4, front["file"]
        assert len(body.split()) >= 150, front["file"]


def test_no_two_articles_are_nearly_the_same(articles: list[tuple[Row, str]]) -> None:
    assert alike({front["id"]: body for front, body in articles}, 0.2) == []


def test_articles_refer_to_articles_that_exist(articles: list[tuple[Row, str]]) -> None:
    known = {front["id"] for front, _ in articles}
    assert {
        (front["id"], other) for front, body in articles for other in re.findall(r"\bSTKB\d{4}\b", body) if other not in known
    } == set()


def test_there_are_enough_incidents_each_with_its_own_id_and_time(incidents: list[Row]) -> None:
    assert len(incidents) >= 700
    assert len({row["id"] for row in incidents}) == len(incidents)
    assert all(datetime.fromisoformat(row["reported_at"]).tzinfo is not None for row in incidents)


def test_labels_are_those_of_the_taxonomy(incidents: list[Row], taxonomy: Taxonomy) -> None:
    for row in incidents:
        assert set(row) == INCIDENT_KEYS, row["id"]
        assert row["kind"] in (taxonomy.names("kind") or ()), row["id"]
        assert {row["impact"], row["urgency"]} <= set(LEVELS), row["id"]
        assert row["style"] in STYLES, row["id"]
        assert isinstance(row["tone_misleads"], bool), row["id"]
        if row["kind"] in taxonomy.work_item_kinds:
            assert taxonomy.parents.get(row["sub_category"]) == row["category"], row["id"]
        else:
            assert (row["category"], row["sub_category"], row["impact"], row["urgency"]) == (None, None, "low", "low"), row["id"]


def test_status_and_resolution_agree(incidents: list[Row]) -> None:
    for row in incidents:
        assert row["status"] in ("open", "resolved"), row["id"]
        assert (row["resolution"] is not None) == (row["status"] == "resolved"), row["id"]
        if row["resolution"] is not None:
            assert set(row["resolution"]) == {"text", "article_id"}, row["id"]
            assert row["resolution"]["text"].strip(), row["id"]
        assert text_of(row).strip() or row["kind"] == "other", f"{row['id']} has no text"


def test_three_hundred_resolutions_link_an_article_of_the_same_category(
    incidents: list[Row], articles: list[tuple[Row, str]]
) -> None:
    category = {front["id"]: front["category"] for front, _ in articles}
    linked = [row for row in incidents if row["resolution"] and row["resolution"]["article_id"]]
    assert [row["id"] for row in linked if category.get(row["resolution"]["article_id"]) != row["category"]] == []
    assert len(linked) >= 300


def test_four_other_languages_are_there_and_make_up_fifteen_percent(incidents: list[Row]) -> None:
    counts = Counter(row["language"] for row in incidents)
    assert set(counts) == {"en", "fr", "de", "nl", "es"}
    assert (len(incidents) - counts["en"]) / len(incidents) >= 0.15


def test_every_cell_of_impact_and_urgency_is_written_about(incidents: list[Row], taxonomy: Taxonomy) -> None:
    work = [row for row in incidents if row["kind"] in taxonomy.work_item_kinds]
    cells = Counter((row["impact"], row["urgency"]) for row in work)
    assert {cell: cells[cell] / len(work) for cell in product(LEVELS, LEVELS) if cells[cell] < 0.02 * len(work)} == {}


def test_every_style_sub_category_and_both_tones_are_there(incidents: list[Row], taxonomy: Taxonomy) -> None:
    assert {row["style"] for row in incidents} == STYLES
    assert {row["sub_category"] for row in incidents} >= set(taxonomy.parents)
    assert 0.25 <= share((row for row in incidents if row["tone_misleads"]), incidents) <= 0.6


def test_incidents_are_not_copies_of_one_another(incidents: list[Row]) -> None:
    near = alike({row["id"]: text_of(row) for row in incidents}, 0.5)
    assert len({second for _, second in near}) < 0.01 * len(incidents), near


def test_no_frame_of_five_words_is_in_more_than_one_percent(incidents: list[Row]) -> None:
    frames = Counter(frame for row in incidents for frame in shingles(words_of(text_of(row)), 5))
    assert {" ".join(frame): n for frame, n in frames.most_common(20) if n > 0.01 * len(incidents)} == {}


def test_no_opening_of_four_words_is_in_more_than_one_percent(incidents: list[Row]) -> None:
    openings = Counter(tuple(words_of(row["description"])[:4]) for row in incidents if len(row["description"].split()) > 4)
    assert {" ".join(opening): n for opening, n in openings.most_common(20) if n > 0.01 * len(incidents)} == {}


SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}|\bxox[abprs]-[\w-]{10,}|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}"
)
MAIL = re.compile(r"[\w.+-]+@((?:[\w-]+\.)+[a-z]{2,})", re.IGNORECASE)
INVENTED = re.compile(r"(?:.*\.)?(?:example\.(?:com|net|org)|[\w-]+\.(?:example|test|invalid))", re.IGNORECASE)


@pytest.fixture(scope="module")
def everything(articles: list[tuple[Row, str]], incidents: list[Row]) -> dict[str, str]:
    rows = {row["id"]: f"{text_of(row)}\n{(row['resolution'] or {}).get('text', '')}" for row in incidents}
    return {front["id"]: f"{front['title']}\n{body}" for front, body in articles} | rows


def test_nothing_looks_like_a_real_secret(everything: dict[str, str]) -> None:
    assert [name for name, text in everything.items() if SECRETS.search(text)] == []


def test_mail_addresses_belong_to_nobody(everything: dict[str, str]) -> None:
    found = {(name, domain) for name, text in everything.items() for domain in MAIL.findall(text)}
    assert sorted((name, domain) for name, domain in found if not INVENTED.fullmatch(domain)) == []
