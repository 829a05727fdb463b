"""`smarttriage serve` in a process of its own, asked over loopback as a platform would."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

KEY = "integration-key"
START_TIMEOUT_S = 60


class Server:
    """A running service over a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> "Server":
        environment = {**os.environ, "SMARTTRIAGE_BOOTSTRAP_KEY": KEY, "SMARTTRIAGE_HOLDOUT_SHARE": "0"}
        command = [sys.executable, "-c", "from smarttriage.cli import main; main()", "serve"]
        self.log = (self.data_dir.parent / f"{self.data_dir.name}.log").open("ab")
        self.process = subprocess.Popen(
            [*command, "--data-dir", str(self.data_dir), "--port", str(self.port), *options],
            env=environment,
            stdout=self.log,
            stderr=self.log,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, Path(self.log.name).read_text(encoding="utf-8")
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"not ready after {START_TIMEOUT_S} s: {Path(self.log.name).read_text(encoding='utf-8')}")

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self._reap()

    def stop(self) -> None:
        """End it as an administrator would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self._reap()

    def _reap(self) -> None:
        assert self.process is not None
        self.process.wait(START_TIMEOUT_S)
        self.log.close()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return status and parsed answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
            sent |= {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            raw = response.read()
            is_json = "json" in (response.getheader("Content-Type") or "")
            return response.status, json.loads(raw) if is_json else raw.decode()
        finally:
            connection.close()

    def must(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return the parsed answer of a request that has to succeed."""
        status, answer = self.ask(method, path, body, **headers)
        assert 200 <= status < 300, answer
        return answer


def within(seconds: float, condition: Any) -> Any:
    """Return the condition's first true value; fail if it stays false for that long."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            assert value, f"still not so after {seconds} s"
            return value
        time.sleep(0.05)
