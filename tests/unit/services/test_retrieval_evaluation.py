import gzip
import json
from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smarttriage.adapters.beir import read_corpus, read_qrels, read_queries
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.adapters.indexes.exact import ExactIndex
from smarttriage.adapters.lexical.exact import ExactLexicalIndex
from smarttriage.bootstrap.retrieval import evaluate_search, read_documents, read_judged
from smarttriage.cli import app
from smarttriage.domain.errors import InvalidInput
from smarttriage.services.retrieval_evaluation import Document, JudgedQueries, SideScores, evaluate_retrieval

DATA = Path(__file__).parents[4] / "shared" / "data"
# Twice the standard error of the paired difference of hybrid and dense that benchmarks/retrieval.py prints for stackfaq_webapps.
CHANCE = 0.0044
KEYS = ["map", "mrr@10", "recall@10", "ndcg@10", "n_queries", "latency_ms_p50", "latency_ms_p95"]
DOCUMENTS = [
    Document("vpn", "VPN drops", "The tunnel closes every ten minutes. " * 60 + "Set the keepalive interval."),
    Document("mail", "Mail stuck", "The queue of the relay is full."),
    Document("disk", "Disk failing", "SMART reports reallocated sectors."),
]


def scored(queries: JudgedQueries, *, exclude_self: bool = False) -> dict[str, SideScores]:
    encoder, ticks = HashingEncoder(dim=128), count()
    return evaluate_retrieval(
        DOCUMENTS,
        queries,
        encoder=encoder,
        dense=ExactIndex(encoder_id=encoder.encoder_id, dim=128),
        lexical=ExactLexicalIndex(),
        exclude_self=exclude_self,
        timer=lambda: next(ticks) / 1_000,
    )


def test_the_three_sides_are_scored_with_their_usual_names() -> None:
    sides = scored(JudgedQueries({"q": "keepalive interval of the tunnel"}, {"q": {"vpn": 1}}))
    assert list(sides) == ["dense", "lexical", "hybrid"]
    assert [list(side.as_json()) for side in sides.values()] == [KEYS] * 3
    assert sides["lexical"].as_json()["ndcg@10"] == sides["hybrid"].as_json()["map"] == 1.0
    assert sides["hybrid"].latency_ms_p50 == pytest.approx(1.0)


def test_a_query_that_is_a_record_can_be_left_out_of_its_own_ranking() -> None:
    queries = JudgedQueries({"mail": "Mail stuck relay queue"}, {"mail": {"disk": 1}})
    left_out = {name: side.ranking.mrr for name, side in scored(queries, exclude_self=True).items()}
    kept = {name: side.ranking.mrr for name, side in scored(queries).items()}
    assert left_out["dense"] > kept["dense"] > 0


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / name for name in ("corpus.jsonl.gz", "queries.jsonl", "qrels.tsv")}
    corpus = [json.dumps({"_id": each.id, "title": each.title, "text": each.text}) for each in DOCUMENTS]
    paths["corpus.jsonl.gz"].write_bytes(gzip.compress("\n".join(corpus).encode()))
    queries = [{"_id": "q1", "text": "relay queue is full"}, {"_id": "unjudged", "text": "?"}]
    paths["queries.jsonl"].write_text("\n".join(map(json.dumps, queries)) + "\n\n")
    paths["qrels.tsv"].write_text("query-id\tcorpus-id\tscore\nq1\tmail\t2\nother\tvpn\t1\n")
    return paths


def test_the_command_prints_the_three_sides_as_json(files: dict[str, Path]) -> None:
    paths = [
        "--corpus", str(files["corpus.jsonl.gz"]), "--queries", str(files["queries.jsonl"]), "--qrels", str(files["qrels.tsv"]),
    ]  # fmt: skip
    result = CliRunner().invoke(app, ["evaluate", "retrieval", *paths, "--json"])
    assert result.exit_code == 0, result.output
    scores = json.loads(result.stdout)
    assert {name: list(side) for name, side in scores.items()} == dict.fromkeys(["dense", "lexical", "hybrid"], KEYS)
    assert scores["hybrid"]["ndcg@10"] == 1.0
    assert scores["hybrid"]["n_queries"] == 1


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("queries.jsonl", "no json", "line 1: not JSON"),
        ("queries.jsonl", "[1]", "line 1: expected an object"),
        ("queries.jsonl", '{"_id": "q1"}', "'text' is None"),
        ("queries.jsonl", '{"_id": "elsewhere", "text": "a"}', "None of the 1 queries is judged"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\tmail\tgood\n", "line 2: expected query-id"),
        ("qrels.tsv", "q1 mail 1\nq2 mail 1\n", "line 2: expected query-id"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_line(files: dict[str, Path], name: str, content: str, match: str) -> None:
    files[name].write_text(content)
    with pytest.raises(InvalidInput, match=match):
        read_judged([files["queries.jsonl"]], [files["qrels.tsv"]])


def test_a_missing_or_empty_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_corpus(tmp_path / "corpus.jsonl")
    (tmp_path / "corpus.jsonl").write_text("")
    with pytest.raises(InvalidInput, match="holds no record"):
        read_documents(tmp_path / "corpus.jsonl")


def test_several_files_are_read_as_one(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "more.jsonl").write_text('{"_id": "q2", "text": "b"}')
    (tmp_path / "more.tsv").write_text("query-id\tcorpus-id\tscore\nq2\tdisk\t1\n")
    assert set(read_queries([files["queries.jsonl"], tmp_path / "more.jsonl"])) == {"q1", "unjudged", "q2"}
    assert read_qrels([files["qrels.tsv"], tmp_path / "more.tsv"])["q2"] == {"disk": 1}


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
def test_on_real_paraphrases_the_hybrid_is_as_good_as_the_better_side_but_for_chance() -> None:
    folder = DATA / "stackfaq_webapps"
    scores = evaluate_search(
        corpus=folder / "corpus.jsonl.gz",
        queries=[folder / "queries.dev.jsonl.gz"],
        qrels=[folder / "qrels.dev.tsv"],
        exclude_self=False,
        cache=None,
        progress=lambda *_: None,
    )
    dense, lexical, hybrid = (scores[name].ranking.ndcg for name in ("dense", "lexical", "hybrid"))
    assert dense > 0.9
    assert lexical > 0.7
    assert hybrid >= max(dense, lexical) - CHANCE
