"""What is too much is turned away at the door, with a word on when to come again."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smarttriage.api.limits import LimitsMiddleware
from smarttriage.services.installation import Limits
from tests.integration.installation import ADMIN, installation

KEY = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}


def test_a_body_that_announces_no_length_is_cut_off_at_the_limit(tmp_path: Path) -> None:
    with installation(tmp_path, limits=Limits(max_body_bytes=1_000)) as api:
        for body in (b"x" * 1_001, _chunks(1_001)):
            response = api.client.post("/v1/suggestions", content=body, headers=KEY)
            assert (response.status_code, response.json()["code"]) == (413, "too_large")
        assert api.client.post("/v1/suggestions", content=_chunks(1_000), headers=KEY).status_code == 400
        assert api.client.post("/v1/suggestions", content=b'{"title": "VPN"}', headers=KEY).status_code == 200


def test_an_endless_body_is_not_read_to_its_end() -> None:
    read = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the request must not get here")

    async def endless() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 100, "more_body": True}

    status = asyncio.run(_answer(LimitsMiddleware(app, Limits(max_body_bytes=1_000)), endless))
    assert (status, read) == (413, 11)


@pytest.mark.parametrize(("length", "status"), [(b"1001", 413), (b"9" * 5_000, 413), (b"-1", 422), (b"many", 422), (b"0", 200)])
def test_an_announced_length_is_judged_before_the_body_comes(length: bytes, status: int) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def body() -> dict[str, Any]:
        assert status == 200, "nothing must be read"
        return {"type": "http.request", "body": b""}

    middleware = LimitsMiddleware(app, Limits(max_body_bytes=1_000))
    assert asyncio.run(_answer(middleware, body, headers=[(b"content-length", length)])) == status


def test_a_caller_that_hangs_up_is_not_answered() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the request must not get here")

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert asyncio.run(_answer(LimitsMiddleware(app, Limits()), gone)) is None


def test_more_requests_than_fit_are_sent_away_and_health_still_answers(tmp_path: Path) -> None:
    entered, leave = threading.Semaphore(0), threading.Event()

    def slow_reload() -> None:
        entered.release()
        assert leave.wait(20)

    with installation(tmp_path, limits=Limits(max_concurrent=2), reload=slow_reload) as api:
        statuses: list[int] = []
        clients = [
            threading.Thread(target=lambda: statuses.append(api.ask("POST", "/v1/admin/reload").status_code)) for _ in range(2)
        ]
        for client in clients:
            client.start()
        assert all(entered.acquire(timeout=20) for _ in clients)
        refused = api.ask("GET", "/v1/taxonomy")
        assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (503, "overloaded", "1")
        assert [api.ask("GET", path, key=None).status_code for path in ("/livez", "/readyz", "/metrics")] == [200] * 3
        leave.set()
        for client in clients:
            client.join()
        assert statuses == [200, 200]
        assert api.ask("GET", "/v1/taxonomy").status_code == 200


def _chunks(size: int) -> Iterator[bytes]:
    for _ in range(size):
        yield b"x"


async def _answer(middleware: LimitsMiddleware, receive: Any, headers: list[tuple[bytes, bytes]] | None = None) -> int | None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/suggestions", "headers": headers or []}
    await middleware(scope, receive, send)
    return sent[0]["status"] if sent else None
