"""The shipped encoders: each opens by its size, has a starter that reads its vectors, and names what it was made of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from smarttriage.bootstrap import parts
from smarttriage.bootstrap.models import open_models
from smarttriage.bootstrap.training import N_THREADS
from smarttriage.config import EncoderSize, Settings
from smarttriage.domain.errors import BundleError
from smarttriage.ports import Encoder, Vectors

# Three ways to say each of four problems; the encoder must see which belong together.
PROBLEMS = (
    ("Outlook asks for the password again and again", "mail client keeps prompting for credentials", "Outlook login loop, password not accepted"),
    ("VPN drops every ten minutes", "remote access tunnel disconnects all the time", "vpn connection unstable, reconnects constantly"),
    ("Printer on floor 3 prints blank pages", "empty paper comes out of the laser printer", "nothing on the page when I print"),
    ("disk /var is 97 % full on srv-db-02", "database server runs out of space", "filesystem usage alert: almost no free storage left on the db host"),
)  # fmt: skip


@pytest.mark.parametrize("size", EncoderSize)
def test_paraphrases_are_nearer_to_each_other_than_to_other_problems(size: EncoderSize) -> None:
    encoder = parts.encoder(size=size)
    groups = [_encoded(encoder, texts) for texts in PROBLEMS]
    for at, group in enumerate(groups):
        others = np.concatenate([each for place, each in enumerate(groups) if place != at])
        inside = (group @ group.T)[np.triu_indices(len(group), 1)]
        assert inside.mean() > (group @ others.T).max()


@pytest.mark.parametrize("size", EncoderSize)
def test_each_size_has_a_starter_that_reads_its_vectors(size: EncoderSize, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, encoder=size)
    models = open_models(settings, parts.encoder(size=size))
    text = "VPN drops every ten minutes for the whole sales team"
    probabilities = models.classifier.predict_proba([text], models.encoder.encode([text]))["category"][0]
    assert models.classifier.cards["category"].labels[int(probabilities.argmax())] == "network"


def test_a_model_of_the_other_encoder_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="set SMARTTRIAGE_ENCODER"):
        open_models(Settings(data_dir=tmp_path, encoder=EncoderSize.QUALITY), parts.encoder(size=EncoderSize.FAST))


def test_the_environment_chooses_the_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTTRIAGE_ENCODER", "fast")
    assert parts.encoder(n_threads=N_THREADS).encoder_id == parts.encoder(size=EncoderSize.FAST).encoder_id
    assert parts.encoder().encoder_id != parts.encoder(size=EncoderSize.QUALITY).encoder_id


@pytest.mark.parametrize("size", EncoderSize)
def test_the_notice_names_the_sources_of_the_texts(size: EncoderSize) -> None:
    notice = (parts.encoder_folder(size) / "NOTICE").read_text(encoding="utf-8")
    for source in ("MicrosoftDocs/OfficeDocs-Support, CC BY 4.0", "av9ash/gitbugs", "all-mpnet-base-v2"):
        assert source in " ".join(notice.split())


def _encoded(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    return encoder.encode(texts)
