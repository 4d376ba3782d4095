"""The addresses and ports that the embedded media server offers to clients."""

from __future__ import annotations

import re
import socket
from typing import Final

import structlog

from tertulia.errors import ConfigurationError
from tertulia.setting_values import AUTO_ADDRESSES
from tertulia.settings import Settings
from tertulia_sfu.addresses import own_addresses
from tertulia_sfu.stun import DEFAULT_PORT, public_address

_log = structlog.get_logger(__name__)

# RFC 7064, RFC 7065; a host with an optional port alone is fine too
_SERVER: Final = re.compile(r"(?:(?:stun|turn)s?:)?(?P<host>\[[^]]+\]|[^:?]+)(?::(?P<port>\d+))?(?:\?.*)?")


async def offered_addresses(settings: Settings) -> tuple[str, ...]:
    """Return the configured addresses, none to let the media server find them.

    `auto` asks the STUN server. Where that does not answer, those that the machine knows by itself are offered, so that
    a start does not depend on others.
    """
    if settings.media_addresses != AUTO_ADDRESSES:
        return settings.media_addresses
    host, port = stun_server(settings)
    try:
        public = await public_address(host, port)
    except OSError as error:
        _log.warning(
            "the STUN server does not tell the public address",
            setting="TERTULIA_MEDIA_ADDRESSES",
            server=f"{host}:{port}",
            error=str(error) or type(error).__name__,
        )
        return ()
    _log.info("public address found", address=public, server=f"{host}:{port}")
    return tuple(dict.fromkeys([public, *own_addresses()]))


def shares_https_port(settings: Settings) -> bool:
    """Return whether media over TCP comes to the port of HTTPS. Raise ConfigurationError if that port has no TLS."""
    if settings.media_url or settings.media_tcp_port == 0 or settings.media_tcp_port != settings.port:
        return False
    if settings.tls_cert is None:
        raise ConfigurationError(
            f"TERTULIA_MEDIA_TCP_PORT: {settings.port} is TERTULIA_PORT, too. Media shares a port with HTTPS only: "
            "configure TERTULIA_TLS_CERT, or another port"
        )
    return True


def shared_tcp(addresses: tuple[str, ...], listener: socket.socket) -> tuple[tuple[str, int], ...]:
    """Return where clients reach the port of HTTPS for media over TCP. It may listen for IPv4 only."""
    port = listener.getsockname()[1]
    is_for_all = listener.family is socket.AF_INET6
    return tuple((address, port) for address in addresses or own_addresses() if is_for_all or ":" not in address)


def stun_server(settings: Settings) -> tuple[str, int]:
    """Return host and port of the server that `auto` asks: a TURN server answers these questions too."""
    server = _SERVER.fullmatch(settings.media_stun_server or settings.turn_urls[0])
    if server is None:
        raise ValueError(settings.media_stun_server)
    return server["host"].strip("[]"), int(server["port"] or DEFAULT_PORT)
