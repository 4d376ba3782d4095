"""What goes back to a client, on Starlette's responses: JSON, and bodies that are streamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

NO_STORE: Final = {"cache-control": "no-store"}
"""For responses that no cache keeps: they may hold links and tokens."""
_JSON_HEADERS: Final = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))


class JsonResponse(Response):
    """JSON that no cache keeps."""

    def render(self, content: object) -> bytes:
        """Encode with orjson."""
        return orjson.dumps(content)

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Add to the headers that are always the same, which Starlette would encode each time."""
        more = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()] if headers else []
        self.raw_headers = [*_JSON_HEADERS, (b"content-length", b"%d" % len(self.body)), *more]


class StreamedResponse(StreamingResponse):
    """A body of bytes that is made while it is sent; when the client leaves, nothing more is made."""

    def __init__(
        self, pieces: AsyncIterator[bytes], status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(pieces, status_code, headers)
        self._pieces = pieces

    async def prepare(self, scope: Scope) -> None:
        """Make the first piece, so that what fails before it is an error and not half a response.

        For HTTP/1.0, which has no chunks (RFC 9112, section 6.1), make all of a body whose length is not known.
        """
        if scope["http_version"] == "1.0" and "content-length" not in self.headers:
            whole = b"".join([piece async for piece in self._pieces])
            self.headers["content-length"] = str(len(whole))
            self._pieces = _chained(whole, None)
        else:
            first = await anext(self._pieces, b"")
            self._pieces = _chained(first, None if scope["method"] == "HEAD" else self._pieces)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces. Starlette's own way to notice that the client has left costs a short list half its time."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        left = asyncio.Event()

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            left.set()

        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(watch(), name="watch whether the client is still there")
            async for piece in self._pieces:
                if left.is_set():
                    break
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            watching.cancel()
        await send({"type": "http.response.body", "body": b""})


class EventStreamResponse(StreamedResponse):
    """Server-sent events (HTML, section 9.2): a body without an end, of which no proxy keeps a part back."""

    def __init__(self, pieces: AsyncGenerator[bytes]) -> None:
        headers = {"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no", **NO_STORE}
        super().__init__(pieces, headers=headers)
        self._events = pieces

    async def prepare(self, scope: Scope) -> None:
        """Make the first piece, as every streamed body does. HTTP/1.0 has no chunks: its body ends with the connection.

        uvicorn closes the connection after a response whose length it does not know.
        """
        first = await anext(self._events, b"")
        self._pieces = _chained(first, None if scope["method"] == "HEAD" else self._events)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces as they come, until the client leaves: then end their making at once."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

        async def write() -> None:
            async for piece in self._pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            watching.cancel()

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            writing.cancel()

        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(write(), name="send events")
                watching = tasks.create_task(watch(), name="watch whether the client is still there")
        finally:
            await self._events.aclose()
        await send({"type": "http.response.body", "body": b""})


async def _chained(first: bytes, rest: AsyncIterator[bytes] | None) -> AsyncIterator[bytes]:
    yield first
    if rest is not None:
        async for piece in rest:
            yield piece


def no_content() -> Response:
    """Return 204."""
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=NO_STORE)


def json_array(pieces: AsyncIterator[list[Any]]) -> StreamedResponse:
    """Stream a bare array, piece by piece."""
    return StreamedResponse(_array(pieces), headers={"content-type": "application/json", **NO_STORE})


async def _array(pieces: AsyncIterator[list[Any]]) -> AsyncIterator[bytes]:
    opening = b"["
    async for piece in pieces:
        if piece:
            yield opening + orjson.dumps(piece)[1:-1]
            opening = b","
    yield b"[]" if opening == b"[" else b"]"
