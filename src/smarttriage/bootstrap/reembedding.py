"""Which encoder the indexes of a data folder are of, and the way from one to the next without standing still."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from smarttriage.adapters.encoders.onnx import OnnxEncoder
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.indexing import INDEX_FOLDER, new_indexing
from smarttriage.config import Settings
from smarttriage.domain.errors import EncoderError
from smarttriage.ports import Encoder, Store
from smarttriage.services.index_follower import Follower
from smarttriage.services.indexing import IndexingService
from smarttriage.services.reembedding import Reembedding

log = structlog.get_logger("smarttriage")
ENCODERS_FOLDER = "encoders"
INDEX_ENCODER = "index_encoder"


def index_encoder(settings: Settings, store: Store, shipped: Encoder) -> Encoder:
    """Return the encoder that the data folder's indexes were made with, as it was kept there; the shipped one if that is it or none was."""
    with store.begin() as records:
        known = records.fact(INDEX_ENCODER)
    if known in (None, shipped.encoder_id):
        return shipped
    try:
        return OnnxEncoder.open(settings.data_dir / ENCODERS_FOLDER / str(known))
    except EncoderError as error:
        log.warning("the indexes are built anew before anything is served", encoder=known, error=str(error))
        return shipped


def keep_encoder(settings: Settings, store: Store, shipped: Encoder) -> None:
    """Keep the shipped encoder beside the indexes that are of it now: an update of the package takes it away."""
    root = settings.data_dir / ENCODERS_FOLDER
    kept = root / shipped.encoder_id
    if not kept.is_dir():
        scratch = root / f"{shipped.encoder_id}.{os.getpid()}.tmp"
        shutil.copytree(parts.encoder_folder(), scratch, copy_function=_link_or_copy, dirs_exist_ok=True)
        scratch.replace(kept)
    with store.begin(write=True) as records:
        records.put_fact(INDEX_ENCODER, shipped.encoder_id)
    for other in root.iterdir():
        if other != kept:
            shutil.rmtree(other, ignore_errors=True)


@contextmanager
def reembedding(settings: Settings, *, store: Store, shipped: Encoder, follower: Follower) -> Iterator[Reembedding]:
    """Yield what makes the indexes of the shipped encoder beside those that serve, at work until the end."""

    def swap(indexing: IndexingService) -> None:
        follower.switch(indexing)
        follower.save(settings.data_dir / INDEX_FOLDER)
        keep_encoder(settings, store, shipped)
        log.info("embedded anew", encoder=shipped.encoder_id)

    def progress(done: int, total: int) -> None:
        log.info("embedding anew", encoder=shipped.encoder_id, done=done, total=total)

    work = Reembedding(indexing=new_indexing(store=store, encoder=shipped), swap=swap, progress=progress, on_error=_report)
    work.start()
    try:
        yield work
    finally:
        work.stop()


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:  # another file system
        shutil.copyfile(source, target)


def _report(error: Exception) -> None:
    log.error("the indexes could not be embedded anew; the present ones go on serving", error=repr(error))
