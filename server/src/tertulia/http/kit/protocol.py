"""Uvicorn's HTTP/1.1 protocol with bounds for heads and for time, and errors in JSON also for bytes that are not HTTP.

Uvicorn promises nothing to subclasses: its version has an upper bound, and a test notices when it moves.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, Final, Literal

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tertulia.http.kit.connections import ConnectionLimits, ConnectionTimes

MAX_HEAD_BYTES: Final = 64 * 1024
"""More than any request line and headers need, but those of a join request."""
MAX_SIGNALLING_URL_BYTES: Final = 256 * 1024 - 64
"""The longest line that the WebSocket's own parser takes, without the method and version."""
_MAX_PATH_BYTES: Final = 8 * 1024
_MAX_HEADERS: Final = 128
_MAX_REST_BYTES: Final = 4 * 1024 * 1024
_LINGER_S: Final = 1.0
_SIGNALLING: Final = re.compile(rb"/rtc(?:[/?]|\Z)")


class _RefusalError(Exception):
    """Ends the parsing of bytes that are refused."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def _head_too_large() -> _RefusalError:
    return _RefusalError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", "The headers are too large")


def _too_many_connections() -> _RefusalError:
    return _RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_connections", "Too many connections")


def _counted(base: Any, release: Callable[[], None], **options: Any) -> asyncio.Protocol:  # noqa: ANN401 - uvicorn's own
    """Make a WebSocket's protocol that calls `release` when its connection is lost."""
    protocol: asyncio.Protocol = base(**options)
    lost = protocol.connection_lost

    def connection_lost(exc: Exception | None) -> None:
        release()
        lost(exc)

    protocol.connection_lost = connection_lost  # type: ignore[method-assign]
    return protocol


_Phase = Literal["head", "body", "rest", "served", "idle", "refused"]
"""What a connection is waiting for; not an Enum, whose members cost 0.1 µs each time.

`head`: the rest of a head, or the first byte of one after stray bytes. `body`: the rest of a body. `rest`: the rest of
a body that nothing needs any more. `served`: the response to a whole request. `idle`: another request; uvicorn's own
timer ends it. `refused`: the client, which reads the refusal only if what it sent meanwhile is read, too (RFC 9112,
section 9.6).
"""


class JsonHttpProtocol(HttpToolsProtocol):
    """Bounds the head of a request, its trailers included, and the time it takes; refuses with the same JSON as all.

    `limits`, those of WebSockets and `times` are attributes of the class that `bounded_protocol` makes, since uvicorn
    makes the instances.
    """

    limits: ClassVar[ConnectionLimits]
    websockets: ClassVar[ConnectionLimits]
    times: ClassVar[ConnectionTimes]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self.timeout_keep_alive = self.times.keep_alive_s
        self._address = "unknown"
        self._refusal: _RefusalError | None = None
        self._phase: _Phase | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._abort_opening: Callable[[], object] | None = None
        self._is_websocket = False
        self._is_in_head = False
        self._is_in_message = False
        self._head_bytes = 0
        self._unparsed_bytes = 0
        self._has_progressed = False
        self._received_bytes = 0
        self._received_before = 0

    # ── the connection ──

    def opens(self, address: str, abort: Callable[[], object]) -> bool:
        """Count a connection whose transport is not there yet."""
        self._abort_opening = abort
        return self.limits.admit(self, address)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, if there may be another connection."""
        super().connection_made(transport)
        self._abort_opening = None
        self._address = self.client[0] if self.client else "unknown"
        if self.limits.admit(self, self._address):
            self._enter("head")
        else:
            self._refuse(_too_many_connections())

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._leave()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to the WebSocket's protocol, if there may be another one."""
        if not self.websockets.admit(self, self._address):
            self._refuse(_too_many_connections())
            return
        self.websockets.is_served(self)
        self._leave()
        self._is_websocket = True
        self.ws_protocol_class = partial(_counted, self.ws_protocol_class, partial(self.websockets.release, self))  # type: ignore[assignment]
        super().handle_websocket_upgrade()

    def make_room(self) -> None:
        """Close, because another connection needs the place; at once, also where TLS would wait for the other end."""
        if self._abort_opening is not None:
            self._abort_opening()
            return
        self.limits.log_dropped(self._address, "too_many_connections")
        self.transport.abort()

    def pause_writing(self) -> None:
        """Note when the client has stopped to read."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.times.stall_s, self._stalls)

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        if self._phase == "served":
            self.limits.is_served(self)

    def _stalls(self) -> None:
        self.limits.waits(self)
        self._unread = self.loop.call_later(self.times.unread_s - self.times.stall_s, self._is_unread)

    def _is_unread(self) -> None:
        self.limits.log_dropped(self._address, "unread_response")
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes; refuse a head, trailers or extensions of chunks that grow beyond the bound."""
        if self.transport.is_closing():
            return
        self._received_bytes += len(data)
        if self._phase == "refused":
            if self._received_bytes - self._received_before > _MAX_REST_BYTES:
                self.transport.abort()
            return
        self._has_progressed = False
        super().data_received(data)
        if self._has_ended():
            return
        if self._is_in_message and not self._has_progressed:
            self._unparsed_bytes += len(data)
            if self._unparsed_bytes > self._head_limit:
                self._refuse(_head_too_large())
                return
        phase = self._awaited()
        self._enter("head" if phase == "idle" else phase)
        if phase == "rest" and self._received_bytes - self._received_before > _MAX_REST_BYTES:
            self._drop("endless body")

    # ── the parser's callbacks: what one raises ends the parsing, and send_400_response is called ──

    def on_message_begin(self) -> None:
        """Count from here on."""
        super().on_message_begin()
        self._is_in_head = self._is_in_message = True
        self._head_bytes = self._unparsed_bytes = 0
        self._has_progressed = True

    def on_url(self, url: bytes) -> None:
        """Count a piece of the URL."""
        super().on_url(url)
        self._head_bytes += len(url)
        if self._head_bytes > _MAX_PATH_BYTES:
            self._check_url()

    def _check_url(self) -> None:
        self._check_head()
        is_signalling = _SIGNALLING.match(self.url) is not None
        path_bytes = self.url.find(b"?") if b"?" in self.url else len(self.url)
        if path_bytes > _MAX_PATH_BYTES or (is_signalling and len(self.url) > MAX_SIGNALLING_URL_BYTES):
            self._end_parsing(_RefusalError(HTTPStatus.REQUEST_URI_TOO_LONG, "url_too_long", "The URL is too long"))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header, or a field of the trailers: those are dropped."""
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > MAX_HEAD_BYTES:
            self._check_head()
        if self._is_in_head:
            super().on_header(name, value)
            if len(self.headers) > _MAX_HEADERS:
                self._end_parsing(_head_too_large())

    def on_headers_complete(self) -> None:
        """End the head."""
        self._is_in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body: those have limits of their own."""
        self._unparsed_bytes = 0
        self._has_progressed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request."""
        self._is_in_message = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, or the rest of this one."""
        super().on_response_complete()
        if not self._has_ended():
            self._enter(self._awaited())

    def send_400_response(self, msg: str) -> None:
        """Refuse the connection's bytes and close it."""
        self._refuse(self._refusal or _RefusalError(HTTPStatus.BAD_REQUEST, "invalid_http", msg))

    # ── bounds ──

    @property
    def _head_limit(self) -> int:
        is_signalling = _SIGNALLING.match(self.url) is not None
        return MAX_HEAD_BYTES + (MAX_SIGNALLING_URL_BYTES if is_signalling else 0)

    def _check_head(self) -> None:
        if self._head_bytes > self._head_limit:
            self._end_parsing(_head_too_large())

    def _end_parsing(self, refusal: _RefusalError) -> None:
        self._refusal = refusal
        raise refusal

    def _has_ended(self) -> bool:
        return self._is_websocket or self._phase == "refused" or self.transport.is_closing()

    def _awaited(self) -> _Phase:
        is_served = self.cycle is not None and not self.cycle.response_complete
        if self._is_in_message and not self._is_in_head:
            return "body" if is_served else "rest"
        if is_served:
            return "served"
        return "head" if self._is_in_message else "idle"

    def _enter(self, phase: _Phase) -> None:
        if phase == self._phase:
            return
        self._phase = phase
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._received_before = self._received_bytes
        if phase == "served":
            self.limits.is_served(self)
            return
        self.limits.waits(self)
        if phase == "body":
            self._timer = self.loop.call_later(self.times.body_check_s, self._check_body)
        elif phase == "refused":
            self._timer = self.loop.call_later(_LINGER_S, self.transport.abort)
        elif phase != "idle":
            self._timer = self.loop.call_later(self.times.head_s, self._head_takes_too_long)

    def _leave(self) -> None:
        for timer in (self._timer, self._unread):
            if timer is not None:
                timer.cancel()
        self._timer = self._unread = None
        self.limits.release(self)

    def _head_takes_too_long(self) -> None:
        if self._is_in_head:
            self._refuse_late()
        else:
            self._drop("no request")

    def _check_body(self) -> None:
        """Refuse a body that comes too slowly, unless it is us who do not read it."""
        received, self._received_before = self._received_bytes - self._received_before, self._received_bytes
        is_ours = self.flow.read_paused or self.cycle.waiting_for_100_continue
        if is_ours or received >= self.times.body_rate * self.times.body_check_s:
            self._timer = self.loop.call_later(self.times.body_check_s, self._check_body)
        else:
            self._refuse_late()

    def _refuse_late(self) -> None:
        self._refuse(_RefusalError(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "The request takes too long"))

    def _drop(self, reason: str) -> None:
        self.limits.log_dropped(self._address, reason)
        self.transport.close()

    def _refuse(self, refusal: _RefusalError) -> None:
        """Answer and close; only close while the response to another request is due, which this would look like."""
        if self._has_ended():
            return
        is_own = self._phase == "body" and not self.pipeline and not self.cycle.response_started
        if not (self.cycle is None or self.cycle.response_complete or is_own):
            self._drop(refusal.code)
            return
        if is_own:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        request_id = secrets.token_hex(8)
        body = orjson.dumps({"code": refusal.code, "message": refusal.message, "requestId": request_id})
        head = (
            f"HTTP/1.1 {refusal.status} {refusal.status.phrase}\r\ncontent-type: application/json\r\n"
            f"x-request-id: {request_id}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.limits.log_dropped(self._address, refusal.code)
        self.transport.write(head.encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._enter("refused")
        else:
            self.transport.close()


def bounded_protocol(
    limits: ConnectionLimits, websockets: ConnectionLimits, times: ConnectionTimes
) -> type[JsonHttpProtocol]:
    """Return the class whose instances share these limits."""
    shared = {"limits": limits, "websockets": websockets, "times": times}
    return type("BoundedHttpProtocol", (JsonHttpProtocol,), shared)
