"""ASGI applications asked without a server in between."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Scope


def http_scope(
    path: str,
    *,
    method: str = "GET",
    query: str = "",
    headers: dict[str, str] | None = None,
    raw_path: str | None = None,
    http_version: str = "1.1",
) -> Scope:
    """A connection's scope as uvicorn makes it; names of headers in small letters."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": http_version,
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": (raw_path or path).encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {"request_id": "a-request"},
    }


async def response_of(app: ASGIApp, scope: Scope | None = None, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Send a request with a body and return what comes back: status, headers, body."""
    sent: list[Message] = []
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else await asyncio.Future[Any]()

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope or http_scope("/"), receive, send)
    headers = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    assert not sent[-1].get("more_body", False)
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])
