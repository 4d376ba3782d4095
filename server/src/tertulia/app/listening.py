"""How we listen: the socket, the certificate, and uvicorn without a mind of its own about signals."""

from __future__ import annotations

import resource
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import structlog
import uvicorn

from tertulia.errors import ConfigurationError
from tertulia.http.kit.acceptor import Acceptor
from tertulia.http.kit.connections import ArrivalRate, ConnectionLimits
from tertulia.http.kit.protocol import JsonHttpProtocol
from tertulia_sfu.serving import WaitingServer

_log = structlog.get_logger(__name__)
_MAX_CONNECTIONS: Final = 10_000
_MAX_CONNECTIONS_OF_ADDRESS: Final = 1000
_HANDSHAKES_EACH_SECOND: Final = 50.0
_HANDSHAKES_AT_ONCE: Final = 500.0
_MAX_FILES: Final = 65_536


class HttpServer(WaitingServer):
    """Uvicorn without its own signal handling (we tell the people in meetings first), and with our way to accept.

    `take_media` gets the connections that begin as media over TCP does, where both share a port.
    """

    def __init__(self, config: uvicorn.Config, *, take_media: Callable[[socket.socket], object] | None = None) -> None:
        super().__init__(config)
        self._take_media = take_media

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept."""
        await self.lifespan.startup()
        config = self.config
        protocol = cast("type[JsonHttpProtocol]", config.http_protocol_class)
        new = partial(protocol, config=config, server_state=self.server_state, app_state=self.lifespan.state)
        acceptors: list[Any] = [
            Acceptor(
                listener,
                new,
                limits=protocol.limits,
                times=protocol.times,
                tls=config.ssl,
                take_media=self._take_media,
            )
            for listener in sockets or ()
        ]
        self.servers = acceptors
        self.started = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the application."""
        yield


class CertificateWatch:
    """Takes a renewed certificate into use without a restart; connections that are open keep the old one."""

    def __init__(self, context: ssl.SSLContext, certificate: Path, key: Path) -> None:
        self._context = context
        self._certificate = certificate
        self._key = key
        self._seen = self._changed()

    def _changed(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns for path in (self._certificate, self._key))

    async def look(self) -> None:
        """Load the files when they have changed; a pair that does not fit yet is tried again."""
        try:
            changed = self._changed()
            if changed != self._seen:
                self._context.load_cert_chain(self._certificate, self._key)
                self._seen = changed
                _log.info("certificate renewed")
        except (OSError, ssl.SSLError) as error:
            _log.warning("certificate cannot be used: the old one stays", reason=str(error))


@dataclass(frozen=True)
class Limits:
    """The limits of one server: those of its connections, and of the WebSockets that some of them become."""

    connections: ConnectionLimits
    websockets: ConnectionLimits


def connection_limits(*, behind_proxy: bool, tls: bool = False) -> Limits:
    """Make the limits of a server's connections, with a part of the files that this process may open.

    The addresses behind a proxy are not seen before a request is, so a proxy has to count them itself. With TLS an
    address may only connect so often: each time costs a signature.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    files = _MAX_FILES if soft == resource.RLIM_INFINITY else soft
    total, of_websockets = (min(_MAX_CONNECTIONS, files // part) for part in (2, 4))
    for_address = None if behind_proxy else _MAX_CONNECTIONS_OF_ADDRESS
    arrivals = ArrivalRate(_HANDSHAKES_EACH_SECOND, burst=_HANDSHAKES_AT_ONCE) if tls and not behind_proxy else None
    return Limits(
        ConnectionLimits(total=total, for_address=for_address, arrivals=arrivals),
        ConnectionLimits(total=of_websockets, for_address=for_address),
    )


def listening_sockets(host: str, port: int) -> list[socket.socket]:
    """Take the port. Raises ConfigurationError naming it when it cannot be had."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f"TERTULIA_HOST: '{host}' is no address of this machine: {error.strerror}") from error
    try:
        return [_listening(listener, address)]
    except OSError as error:
        raise ConfigurationError(
            f"TERTULIA_PORT: {port} on {host} cannot be used: {error.strerror}. Stop what listens there"
        ) from error


def loopback_socket(remembered: Path) -> socket.socket:
    """Take a port that only this machine reaches; the same as last time if it is free.

    A recorder that outlived the last server comes back to where that one was. Raises ConfigurationError.
    """
    try:
        port = int(remembered.read_text("ascii"))
    except (OSError, ValueError):
        port = 0
    for wanted in (port, 0):
        try:
            listener = _listening(socket.socket(), ("127.0.0.1", wanted))
        except (OSError, OverflowError):
            continue
        remembered.write_text(str(listener.getsockname()[1]), "ascii")
        return listener
    raise ConfigurationError("No port of 127.0.0.1 can be had, by which recorders reach the meetings")


def _listening(listener: socket.socket, address: tuple[object, ...]) -> socket.socket:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except (OSError, OverflowError):
        listener.close()
        raise
    listener.setblocking(False)
    return listener
