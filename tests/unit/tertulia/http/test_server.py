"""The root: before it is open, after it is closed, and what it adds to each request."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from support.asgi import http_scope, response_of
from tertulia.http.kit.addresses import TrustedProxies
from tertulia.http.kit.errors import Endpoint
from tertulia.http.kit.routing import MethodRoute
from tertulia.http.pages import Pages
from tertulia.http.server import RootApp
from tertulia.services.readiness import PartState, Readiness


async def failing(_request: Request) -> Response:
    raise RuntimeError("a defect")


async def all_ok() -> Readiness:
    return Readiness(PartState.OK, PartState.OK, PartState.LOW)


@pytest.fixture
def root(tmp_path: Path) -> RootApp:
    app = RootApp(TrustedProxies(["127.0.0.1"]))
    served = {
        "/rtc": PlainTextResponse("signalling"),
        "/api": PlainTextResponse("api"),
        "/bad": Endpoint(Request, failing),
    }
    app.open(served, Pages(tmp_path, policy="default-src 'none'"), all_ok)
    return app


async def code(app: ASGIApp, path: str, **more: Any) -> tuple[int, str]:
    status, _headers, body = await response_of(app, http_scope(path, **more))
    return status, json.loads(body).get("code") or json.loads(body)["status"]


async def test_life(root: RootApp):
    starting = RootApp()
    assert await code(starting, "/health") == (503, "starting")
    assert await code(starting, "/health/ready") == (503, "starting")
    assert await code(starting, "/api/x") == (503, "not_ready")
    assert await code(root, "/health") == (200, "ok")
    assert await code(root, "/health/ready") == (200, "ready")
    assert (await response_of(root, http_scope("/api/x")))[2] == b"api"
    root.close()
    assert await code(root, "/health") == (503, "stopping")
    assert await code(root, "/health/ready") == (503, "stopping")
    assert await code(root, "/api/x") == (503, "not_ready")


async def test_stopping(root: RootApp):
    """While it drains, all is served and connections end; then what runs may go on, and use the media server."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(_request: Request) -> Response:
        entered.set()
        await leave.wait()
        return PlainTextResponse("done")

    root.router.routes.append(MethodRoute("/slow", {"GET": Endpoint(Request, slow)}))
    assert "connection" not in (await response_of(root, http_scope("/api/x")))[1]
    request = asyncio.ensure_future(response_of(root, http_scope("/slow")))
    await entered.wait()
    root.drain()
    finished = asyncio.ensure_future(root.running.finished())
    assert await code(root, "/health") == (503, "stopping")
    status, headers, _body = await response_of(root, http_scope("/api/x"))
    assert (status, headers["connection"]) == (200, "close")
    root.close()
    assert await code(root, "/api/x") == (503, "not_ready")
    assert (await response_of(root, http_scope("/rtc/validate")))[2] == b"signalling"
    assert (len(root.running), finished.done()) == (1, False)
    leave.set()
    assert (await request)[2] == b"done"
    await finished
    assert not len(root.running)


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        (("ok", "ok", "ok"), 200), (("ok", "ok", "low"), 200), (("ok", "ok", "full"), 503),
        (("unavailable", "ok", "ok"), 503), (("ok", "unavailable", "ok"), 503),
    ],
)  # fmt: skip
async def test_readiness_says_which_part(root: RootApp, parts, status):
    async def look() -> Readiness:
        return Readiness(*(PartState(part) for part in parts))

    root.health.look = look
    answered, _headers, body = await response_of(root, http_scope("/health/ready"))
    said = json.loads(body)
    assert (answered, said.pop("status")) == (status, "ready" if status == 200 else "not_ready")
    assert said == dict(zip(("database", "media", "disk"), parts, strict=True))
    assert await code(root, "/health") == (200, "ok"), "it is alive whatever it waits for"


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200), ("/meet/x", "GET", 200), ("/meet/x/", "HEAD", 200), ("/meet/x/y", "GET", 404),
        ("/meet/", "GET", 404), ("/", "POST", 404), ("/apis", "GET", 404), ("/health", "POST", 405),
        ("/health/ready", "HEAD", 200), ("/health/ready", "POST", 405), ("/health/x", "GET", 404),
        ("/health/", "GET", 404), ("/\n", "GET", 404), ("/bad", "GET", 500),
    ],
)  # fmt: skip
async def test_paths(root: RootApp, path, method, status):
    assert (await response_of(root, http_scope(path, method=method)))[0] == status


@pytest.mark.parametrize(("offered", "kept"), [("an-id.1", True), ("", False), ("no spaces", False), ("x" * 65, False)])
async def test_request_id(root: RootApp, offered, kept):
    scope = http_scope("/nothing", headers={"x-request-id": offered})
    _status, headers, body = await response_of(root, scope)
    assert headers["x-request-id"] == json.loads(body)["requestId"]
    assert (headers["x-request-id"] == offered) == kept


async def test_log_says_who_asked_what(root: RootApp):
    """With the address that a proxy tells, and the route without what fills it."""

    async def behind_proxy(request: Request) -> Response:
        assert request.client
        assert request.client.host == "192.0.2.1"
        structlog.get_logger("a part").warning("happened meanwhile")
        return PlainTextResponse("done")

    route = MethodRoute("/things/{name}", {"GET": Endpoint(Request, behind_proxy)})
    root.router.routes.append(route)
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        await response_of(root, http_scope("/things/a-secret-name", headers={"x-forwarded-for": "192.0.2.1"}))
        await response_of(root, http_scope("/" + "x" * 5000))
    inner, first, second = logs
    assert inner["request_id"] == first["request_id"] != second["request_id"]
    assert (first["address"], first["route"]) == ("192.0.2.1", "/things/{name}")
    assert (second["address"], second["route"], len(second["path"])) == ("127.0.0.1", None, 500)
    assert first["ms"] >= 0


async def test_log_has_no_query(root: RootApp):
    with capture_logs() as logs:
        await response_of(root, http_scope("/api/x", query="secret=1"))
        await response_of(root, http_scope("/bad"))
        await response_of(root, http_scope("/health"))
    lines = [line for line in logs if line["event"] == "request"]
    assert [(line["path"], line["status"], line["log_level"]) for line in lines] == [
        ("/api/x", 200, "info"), ("/bad", 500, "info"), ("/health", 200, "debug")
    ]  # fmt: skip
    assert "secret" not in str(logs)


@pytest.mark.parametrize(("path", "status"), [("/api/x", 200), ("/nothing", 404), ("/rtc/v1", None)])
async def test_handshake(root: RootApp, path, status):
    """Where there is no WebSocket, a handshake is answered as the GET that it also is."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await root(http_scope(path) | {"type": "websocket"}, receive, send)
    assert {message["type"] for message in sent} == {"websocket.http.response.start", "websocket.http.response.body"}
    assert status in {sent[0]["status"], None}
    if status is None:
        assert sent[1]["body"] == b"signalling"


async def test_middleware_can_be_added(root: RootApp):
    class Stamp:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def stamped(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], (b"x-stamp", scope["path"].encode())]
                await send(message)

            await self.app(scope, receive, stamped)

    root.add_middleware(Stamp)
    for path in ("/health", "/api/x", "/", "/nothing"):
        for _ in range(2):
            _status, headers, _body = await response_of(root, http_scope(path))
            assert headers["x-stamp"] == path


@pytest.mark.parametrize("path", ["/", "/api/x", "/bad", "/nothing", "/health"])
async def test_nothing_is_sniffed(root: RootApp, path: str):
    """What a browser takes a response for is its content type alone."""
    _, headers, _ = await response_of(root, http_scope(path))
    assert headers["x-content-type-options"] == "nosniff"


async def test_a_server_that_drains_is_alive_but_not_ready_and_serves_all(root: RootApp):
    meetings = ["one"]
    root.take_no_meetings(lambda: bool(meetings))
    assert await code(root, "/health") == (200, "draining")
    status, _headers, body = await response_of(root, http_scope("/health/ready"))
    assert (status, json.loads(body)) == (503, {"status": "draining", "meetings": "running"})
    meetings.clear()
    _status, _headers, body = await response_of(root, http_scope("/health/ready"))
    assert json.loads(body) == {"status": "draining", "meetings": "ended"}
    status, _headers, body = await response_of(root, http_scope("/api"))
    assert (status, body) == (200, b"api")
    root.drain()
    assert await code(root, "/health/ready") == (503, "stopping")
