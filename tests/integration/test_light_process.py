"""What a serving process carries: no training library, and no BLAS threads that spin beside the requests."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import json, sys
from pathlib import Path
from threadpoolctl import threadpool_info
from smarttriage.api.app import create_app
from smarttriage.bootstrap.serving import open_services
from smarttriage.config import Settings
from smarttriage.domain.access import EVERYONE, Principal, Scope
from smarttriage.services.matching import IncidentText

caller = Principal("test", "default", frozenset({EVERYONE}), frozenset(Scope))
with open_services(Settings(data_dir=Path(sys.argv[1])), say=lambda line: None, saves=False) as (services, _):
    create_app(services)
    services.triage.suggest(caller, IncidentText("VPN drops", "the whole sales team cannot work"))
    blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    print(json.dumps({"modules": sorted({name.partition(".")[0] for name in sys.modules}), "blas": blas}))
"""


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[object]]:
    """What a process of its own holds after one suggestion."""
    folder: Path = tmp_path_factory.mktemp("light") / "data"
    ran = subprocess.run([sys.executable, "-c", _SCRIPT, str(folder)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, list[object]] = json.loads(ran.stdout)
    return found


def test_a_suggestion_needs_no_training_library(carried: dict[str, list[object]]) -> None:
    assert not {"sklearn", "scipy", "torch", "pandas", "joblib"} & set(carried["modules"])


def test_blas_computes_on_the_thread_of_the_request(carried: dict[str, list[object]]) -> None:
    assert set(carried["blas"]) == {1}
