"""What the knowledge base lacks and what is wrong with it, as the command line asks."""

from pathlib import Path

from smarttriage.bootstrap import parts
from smarttriage.bootstrap.indexing import INDEX_FOLDER, new_indexing
from smarttriage.bootstrap.models import open_models
from smarttriage.bootstrap.reembedding import index_encoder
from smarttriage.config import Settings
from smarttriage.services.gaps import GapService
from smarttriage.services.hygiene import HygieneService
from smarttriage.services.importing import importer
from smarttriage.services.knowledge_report import KnowledgeReport
from smarttriage.services.live import Live, State


def report_on_knowledge(*, data_dir: Path | None) -> KnowledgeReport:
    """Return the report on the articles and the newest incidents of the default tenant; a service may run beside it."""
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    store, encoder = parts.store(settings), parts.encoder()
    try:
        indexing = new_indexing(store=store, encoder=index_encoder(settings, store, encoder))
        indexing.open(settings.data_dir / INDEX_FOLDER)
        live = Live(State(open_models(settings, encoder), indexing.catalogue()))
        reader = importer("report")
        gaps = GapService(store=store, live=live, clock=parts.clock).report(reader)
        faults = HygieneService(store=store, live=live, clock=parts.clock).report(reader)
        return KnowledgeReport(parts.clock(), gaps, faults)
    finally:
        store.close()
