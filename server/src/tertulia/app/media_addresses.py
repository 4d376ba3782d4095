"""The addresses that the embedded media server offers to clients."""

from __future__ import annotations

import re
from typing import Final

import structlog

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


def stun_server(settings: Settings) -> tuple[str, int]:
    """Return host and port of the server that `auto` asks: a TURN server answers these questions too."""
    server = _SERVER.fullmatch(settings.media_stun_server or settings.turn_urls[0])
    if server is None:
        raise ValueError(settings.media_stun_server)
    return server["host"].strip("[]"), int(server["port"] or DEFAULT_PORT)
