from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.installation import Installation, installation
from tests.integration.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with the seed, shared by the tests of a module; they use texts of their own."""
    running = Server(tmp_path_factory.mktemp("service") / "data").start()
    yield running
    running.stop()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Installation]:
    """The API alone, in this process, over an empty store."""
    with installation(tmp_path) as running:
        yield running
