"""Every encoder passes the one contract; the serving encoder refuses files that are not what the manifest says."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from onnxruntime import InferenceSession

from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.adapters.encoders.onnx import OnnxEncoder, feed
from smarttriage.adapters.encoders.remembered import RememberingEncoder
from smarttriage.adapters.encoders.sentence_transformers import SentenceTransformerEncoder
from smarttriage.domain.errors import EncoderError, InvalidInput
from smarttriage.ports import Encoder
from smarttriage.testing.encoder_contract import TEXTS, EncoderContract

SHIPPED = sorted((Path(__file__).parents[2] / "models" / "encoders").glob("*/"))[0]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "printer", "is", "offline", "the", "again", "salary", "question", "for", "hr", "vpn"]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "encoder"))


class TestOnnxEncoder(EncoderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def encoder(cls) -> Encoder:
        return OnnxEncoder.open(SHIPPED)


class TestHashingEncoder(EncoderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def encoder(cls) -> Encoder:
        return HashingEncoder(dim=256)


class TestRememberingEncoder(EncoderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def encoder(cls) -> Encoder:
        return RememberingEncoder(HashingEncoder(dim=256), n_remembered=3)


class TestSentenceTransformerEncoder(EncoderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def encoder(cls, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
        return SentenceTransformerEncoder.open(tiny_model(tmp_path_factory.mktemp("tiny") / "tiny-bert"))


def tiny_model(folder: Path) -> Path:
    """A BERT of one layer over 14 words with random weights: real enough for the contract, built in a second."""
    pytest.importorskip("sentence_transformers", reason="needs pip install smarttriage[train]")
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    part = folder.parent / "part"
    BertModel(
        BertConfig(
            vocab_size=len(WORDS),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=64,
        )
    ).save_pretrained(part)
    (part / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(vocab={word: row for row, word in enumerate(WORDS)}, model_max_length=32).save_pretrained(part)
    transformer = Transformer(str(part), max_seq_length=32)
    SentenceTransformer(modules=[transformer, Pooling(16)], device="cpu").save(str(folder))
    return folder


def test_threads_side_by_side_change_no_row() -> None:
    np.testing.assert_array_equal(OnnxEncoder.open(SHIPPED, n_threads=3).encode(TEXTS), OnnxEncoder.open(SHIPPED).encode(TEXTS))


def test_more_than_128_tokens_are_read() -> None:
    start = "mail " * 200
    first, second = OnnxEncoder.open(SHIPPED).encode([start, start + "ransomware on the file server"])
    assert not np.array_equal(first, second)


def test_a_short_text_is_not_padded() -> None:
    encoder = OnnxEncoder.open(SHIPPED)
    assert len(encoder._tokenizer.encode("printer").ids) == len(["[CLS]", "printer", "[SEP]"])


def test_meaning_counts_more_than_words() -> None:
    query, near, far = OnnxEncoder.open(SHIPPED).encode(
        ["I cannot log in to my computer", "account locked, sign-in fails on the laptop", "I cannot log the new timber prices"]
    )
    assert query @ near > query @ far


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "NOTICE"])
def test_an_altered_file_is_refused_by_name(copied: Path, name: str) -> None:
    with (copied / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(EncoderError, match=rf"{name} is altered.*export_encoder"):
        OnnxEncoder.open(copied)


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json", "LICENSE"])
def test_a_missing_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(EncoderError, match=rf"{name} is missing"):
        OnnxEncoder.open(copied)


def test_an_id_that_does_not_follow_from_the_files_is_refused(copied: Path) -> None:
    manifest = json.loads((copied / "manifest.json").read_text())
    (copied / "manifest.json").write_text(json.dumps(manifest | {"max_tokens": 128}))
    with pytest.raises(EncoderError, match="does not follow"):
        OnnxEncoder.open(copied)


@pytest.mark.parametrize("content", ["{}", "[]", "no json", '{"files": {"model.onnx": "", "tokenizer.json": "", "../x": ""}}'])
def test_a_manifest_that_is_none_is_refused(copied: Path, content: str) -> None:
    (copied / "manifest.json").write_text(content)
    with pytest.raises(EncoderError, match="not an encoder manifest"):
        OnnxEncoder.open(copied)


def test_a_file_that_matches_its_hash_but_is_no_model_is_refused(copied: Path) -> None:
    from smarttriage.adapters.encoders.manifest import content_id, sha256_of

    (copied / "model.onnx").write_bytes(b"no model")
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["files"]["model.onnx"] = sha256_of(copied / "model.onnx")
    manifest["id"] = content_id(manifest["name"], manifest["files"], manifest["max_tokens"], manifest["max_chars"])
    (copied / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(EncoderError, match="cannot be loaded"):
        OnnxEncoder.open(copied)


def test_the_shipped_encoder_states_licence_origin_and_measured_cosine() -> None:
    manifest = json.loads((SHIPPED / "manifest.json").read_text())
    assert manifest["id"] == SHIPPED.name
    assert manifest["licence"] == "Apache-2.0"
    assert manifest["source"]["sha256"]
    assert manifest["measured"]["cosine_to_fp32_mean"] >= 0.985
    assert "Changes made" in (SHIPPED / "NOTICE").read_text()


def test_an_unknown_sentence_transformers_model_is_named(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="needs pip install smarttriage[train]")
    with pytest.raises(EncoderError, match="nowhere"):
        SentenceTransformerEncoder.open(tmp_path / "nowhere")


def test_missing_torch_is_said_with_the_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(EncoderError, match=r"pip install smarttriage\[train\]"):
        SentenceTransformerEncoder.open("anything")


def test_a_vector_of_no_length_is_refused() -> None:
    with pytest.raises(InvalidInput, match="dim is 0"):
        HashingEncoder(dim=0)


@dataclass(frozen=True)
class Graph:
    """What `feed` asks of a session."""

    inputs: tuple[str, ...]

    def get_inputs(self) -> tuple[str, ...]:
        return self.inputs


def test_a_graph_for_one_text_is_run_with_its_ids_alone_and_one_for_batches_with_their_mask() -> None:
    ids = np.array([[101, 7, 102]])
    assert list(feed(cast(InferenceSession, Graph(("input_ids",))), ids)) == ["input_ids"]
    masked = feed(cast(InferenceSession, Graph(("input_ids", "attention_mask"))), ids)
    assert masked["attention_mask"].tolist() == [[1, 1, 1]]
