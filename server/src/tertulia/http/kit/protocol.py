"""Uvicorn's HTTP/1.1 protocol with a bound for heads, and errors in JSON also for bytes that are not HTTP.

Uvicorn promises nothing to subclasses: its version has an upper bound, and a test notices when it moves.
"""

from __future__ import annotations

import secrets
from typing import Final

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 512 * 1024
"""More than any request line and headers need; a join request may be half of it."""


class JsonHttpProtocol(HttpToolsProtocol):
    """Bounds the head of a request, and refuses bytes that are not one with the same body as everything else."""

    _head_bytes: int | None = None

    def on_message_begin(self) -> None:
        """Count from here on."""
        super().on_message_begin()
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """Stop counting: bodies have their own limit."""
        self._head_bytes = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take bytes; refuse a head that grows beyond the bound."""
        super().data_received(data)
        if self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self._refuse("431 Request Header Fields Too Large", "headers_too_large", "The headers are too large")

    def send_400_response(self, msg: str) -> None:
        """Refuse the connection's bytes and close it."""
        self._refuse("400 Bad Request", "invalid_http", msg)

    def _refuse(self, status: str, code: str, message: str) -> None:
        request_id = secrets.token_hex(8)
        body = orjson.dumps({"code": code, "message": message, "requestId": request_id})
        head = (
            f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-request-id: {request_id}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
