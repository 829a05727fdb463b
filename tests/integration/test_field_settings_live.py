"""Field settings in a service of its own: read at the start, served at once, kept by a reload, there after the end."""

from pathlib import Path

from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.domain.suggestion import FieldMode
from smarttriage.services.field_settings import FieldService, read_field_settings
from smarttriage.services.live import FieldSettings
from smarttriage.testing.fakes import ManualClock
from tests.integration.installation import a_caller, installation
from tests.integration.server import Server

REPORT = {"title": "VPN drops", "description": "Nobody in the whole company can work, there is no workaround."}


def test_a_start_reads_the_settings_and_a_reload_keeps_them(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    with installation(tmp_path) as before:
        store = SqlStore.open(data_dir / "smarttriage.db", clock=ManualClock())
        fields = FieldService(store=store, live=before.services.live)
        fields.put(a_caller(), "impact", FieldSettings(mode=FieldMode.OFF))
        store.close()
    server = Server(data_dir).start()
    try:
        assert server.must("GET", "/v1/fields/impact")["mode"] == "off"
        server.must("PUT", "/v1/fields/urgency", {"mode": "off"})
        server.must("POST", "/v1/admin/reload")
        answer = server.must("POST", "/v1/suggestions", REPORT)
        assert [answer[target]["reason"] for target in ("impact", "urgency")] == ["turned_off"] * 2
    finally:
        server.stop()
    store = SqlStore.open(data_dir / "smarttriage.db", clock=ManualClock())
    assert set(read_field_settings(store)) == {"impact", "urgency"}
    store.close()
