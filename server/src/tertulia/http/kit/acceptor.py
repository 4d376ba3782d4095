"""Accepts connections, a few at each turn of the event loop, and refuses what is too much before it costs anything.

An asyncio server (uvloop's, too) accepts whatever waits in one go: after a burst of connections nothing else happens
until each of them has its objects. And a TLS handshake that does not end is nobody's connection there, so no limit
counts it, though it takes 70 KB.

The port may be shared with media over TCP (RFC 6544), which begins with a connectivity check, and TLS with a record of
its own: the first bytes tell them apart.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol, cast

import structlog

from tertulia.http.kit.connections import Connection, ConnectionLimits, ConnectionTimes

_log = structlog.get_logger(__name__)
_AT_ONCE: Final = 8
_FULL: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_AGAIN_AFTER_S: Final = 0.2
_TLS_SHUTDOWN_S: Final = 5.0
_HANDSHAKES_AT_ONCE: Final = 500
_HANDSHAKES_EACH_TURN: Final = 2
_RECORD_HEAD: Final = 5
_HANDSHAKE: Final = 22
_MEDIA_HEAD: Final = 10
_LONGEST_CHECK: Final = 2048
_RESET: Final = struct.pack("ii", 1, 0)


class OpeningConnection(Connection, Protocol):
    """A protocol of asyncio (BaseProtocol) that is counted before its transport is made."""

    def opens(self, address: str, abort: Callable[[], object]) -> bool:
        """Count the connection; False when there is no room for it. `abort` ends it before it is made."""
        ...


class Acceptor:
    """One listening socket that is being accepted from; what uvicorn needs of an asyncio server."""

    def __init__(
        self,
        listener: socket.socket,
        new_protocol: Callable[[], OpeningConnection],
        *,
        limits: ConnectionLimits,
        times: ConnectionTimes,
        tls: ssl.SSLContext | None,
        take_media: Callable[[socket.socket], object] | None = None,
    ) -> None:
        """`take_media`: with TLS, gets the connections that begin as media over TCP does."""
        self.sockets = (listener,)
        self._listener = listener
        self._new_protocol = new_protocol
        self._limits = limits
        self._take_media = take_media
        self._unread_ms = round(times.unread_s * 1000)
        self._tls: dict[str, Any] = {}
        if tls is not None:
            self._tls = {
                "ssl": tls,
                "ssl_handshake_timeout": times.handshake_s,
                "ssl_shutdown_timeout": _TLS_SHUTDOWN_S,
            }
        self._loop = asyncio.get_running_loop()
        self._hellos: deque[_ClientHello] = deque()
        self._opening: dict[asyncio.Task[Any], None] = {}
        self._handshake_s = times.handshake_s
        self._pause: asyncio.TimerHandle | None = None
        self._loop.add_reader(listener, self._accept)

    def close(self) -> None:
        """Accept nothing more; what is open stays open."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener)
        for task in tuple(self._opening):
            task.cancel()

    async def wait_closed(self) -> None:
        """Return at once: nothing is left to be waited for."""

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # of a connection that has gone already (accept(2)), or there is no room for one
                if error.errno in _FULL:
                    self._wait(error)
                return
            if self._limits.has_room(address[0]):
                self._open(connection, address[0])
            else:
                self._limits.log_dropped(address[0], "too_many_connections")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                connection.close()

    def _wait(self, error: OSError) -> None:
        _log.warning("no connection can be accepted", reason=error.strerror)
        self._loop.remove_reader(self._listener)
        self._pause = self._loop.call_later(_AGAIN_AFTER_S, self._loop.add_reader, self._listener, self._accept)

    def _open(self, connection: socket.socket, address: str) -> None:
        connection.setblocking(False)
        if self._tls:
            hello = _ClientHello(connection, address, self._limits, self._begins)
            hello.wait(self._loop, self._handshake_s)
        else:
            self._begin(connection, address)

    def _begins(self, hello: _ClientHello, head: bytes) -> None:
        if self._take_media is not None and is_media(head):
            if hello.ends():
                self._take_media(hello.connection)
            return
        self._hellos.append(hello)
        if len(self._hellos) == 1:
            self._loop.call_soon(self._shake_few_hands)

    def _shake_few_hands(self) -> None:
        """Begin a few handshakes, and the others at the next turns: each takes up to a millisecond."""
        for _ in range(_HANDSHAKES_EACH_TURN):
            hello = self._hellos.popleft()
            if hello.ends():
                self._begin(hello.connection, hello.address)
            if not self._hellos:
                return
        self._loop.call_soon(self._shake_few_hands)

    def _begin(self, connection: socket.socket, address: str) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # also where all is written and closed, and the other end takes none of it
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._unread_ms)
        protocol = self._new_protocol()
        opening = self._loop.connect_accepted_socket(lambda: cast("Any", protocol), connection, **self._tls)
        task = asyncio.ensure_future(opening)
        self._opening[task] = None
        if len(self._opening) > _HANDSHAKES_AT_ONCE:
            next(iter(self._opening)).cancel()
        task.add_done_callback(partial(self._has_opened, connection, protocol, address))
        if not protocol.opens(address, task.cancel):
            task.cancel()

    def _has_opened(
        self, connection: socket.socket, protocol: OpeningConnection, address: str, task: asyncio.Task[Any]
    ) -> None:
        self._opening.pop(task, None)
        if task.cancelled():  # for another connection
            self._limits.log_dropped(address, "too_many_connections")
        elif task.exception() is not None:  # no TLS, too late, or gone
            self._limits.log_dropped(address, "no_tls_handshake")
        else:
            return
        self._limits.release(protocol)
        connection.close()


class _ClientHello:
    """A connection whose first TLS record has not arrived in whole: it costs a socket and a timer, and nothing of TLS.

    The record is not read: the system says when it is there (SO_RCVLOWAT, socket(7)).
    """

    def __init__(
        self,
        connection: socket.socket,
        address: str,
        limits: ConnectionLimits,
        is_here: Callable[[_ClientHello, bytes], None],
    ) -> None:
        self.connection = connection
        self.address = address
        self._limits = limits
        self._is_here = is_here
        self._has_ended = False
        self._seen = 0

    def wait(self, loop: asyncio.AbstractEventLoop, deadline_s: float) -> None:
        """Wait for the record, if there is room for another connection."""
        self._loop = loop
        self._timer = loop.call_later(deadline_s, self._drop, "no_tls_handshake")
        loop.add_reader(self.connection, self._look)
        if not self._limits.admit(self, self.address):
            self.make_room()

    def make_room(self) -> None:
        """Close, because another connection needs the place."""
        self._drop("too_many_connections")

    def _look(self) -> None:
        try:
            head = self.connection.recv(_MEDIA_HEAD, socket.MSG_PEEK)
            needed = _needed(head)
            seen = len(self.connection.recv(needed, socket.MSG_PEEK))
            if seen >= needed:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
                self._loop.remove_reader(self.connection)
                self._is_here(self, head)
            elif seen == self._seen:  # it can be read, and there is nothing more: the other end has closed
                self._drop("no_tls_handshake")
            else:
                self._seen = seen
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, needed)
        except BlockingIOError:
            pass
        except OSError:
            self._drop("no_tls_handshake")

    def ends(self) -> bool:
        """Leave the connection to another; False when it has been closed meanwhile."""
        if self._has_ended:
            return False
        self._has_ended = True
        self._timer.cancel()
        self._loop.remove_reader(self.connection)
        self._limits.release(self)
        return True

    def _drop(self, reason: str) -> None:
        if self.ends():
            self._limits.log_dropped(self.address, reason)
            self.connection.close()


def _needed(head: bytes) -> int:
    """Return how many bytes tell what a connection is that begins so: a whole TLS record, or the head of a check."""
    if not head or head[0] == _HANDSHAKE:
        return _RECORD_HEAD + int.from_bytes(head[3:5]) if len(head) >= _RECORD_HEAD else _RECORD_HEAD
    return _MEDIA_HEAD if head[0] <= _LONGEST_CHECK >> 8 else 1


def is_media(head: bytes) -> bool:
    """Return whether a connection begins with a connectivity check behind its length (RFC 4571, RFC 8489 section 5)."""
    return int.from_bytes(head[:2]) <= _LONGEST_CHECK and head[2:4] == b"\0\1" and head[6:] == b"\x21\x12\xa4\x42"
