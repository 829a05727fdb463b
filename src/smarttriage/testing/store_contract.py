"""What every `Store` promises, as suites: subclass `StoreContract` in a test module and give it a `store` fixture.

class TestMyStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        ...  # an empty store whose clock stands at factories.NOON
"""

from smarttriage.testing.store_articles_contract import ArticlesContract
from smarttriage.testing.store_clusters_contract import ClustersContract
from smarttriage.testing.store_cmdb_contract import CmdbContract
from smarttriage.testing.store_decisions_contract import DecisionsContract
from smarttriage.testing.store_history_contract import HistoryContract
from smarttriage.testing.store_incidents_contract import IncidentsContract
from smarttriage.testing.store_keys_contract import KeysContract
from smarttriage.testing.store_lessons_contract import LessonsContract
from smarttriage.testing.store_loop_contract import LoopContract
from smarttriage.testing.store_outcomes_contract import OutcomesContract
from smarttriage.testing.store_shadows_contract import ShadowsContract
from smarttriage.testing.store_suggestions_contract import SuggestionsContract
from smarttriage.testing.store_transactions_contract import TransactionsContract


class StoreContract(
    IncidentsContract,
    HistoryContract,
    ArticlesContract,
    OutcomesContract,
    LessonsContract,
    LoopContract,
    SuggestionsContract,
    DecisionsContract,
    ShadowsContract,
    ClustersContract,
    CmdbContract,
    KeysContract,
    TransactionsContract,
):
    """Everything the port says."""
