"""Settings of the media server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tertulia_sfu.ids import ParticipantSid

CODECS: Final = ("video/VP8", "video/H264", "video/VP9", "video/AV1", "audio/opus", "audio/red")
"""All codecs that can be forwarded. Of those for videos, clients fall back to the first one."""


@dataclass(frozen=True)
class IceServer:
    """A STUN or TURN server for clients (RFC 8489, RFC 8656)."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""


def no_ice_servers(_participant: ParticipantSid) -> list[IceServer]:
    """Return an empty list: clients reach the media port directly."""
    return []


@dataclass(frozen=True)
class MediaConfig:
    """Settings of a media server.

    `keys`: API key → secret. `udp_port`, `tcp_port` 0: any free one. `tcp_port` None: it does not listen for TCP.
    `shared_tcp`: addresses and ports of another server that clients are offered for media over TCP
    (`MediaServer.take_over`). `addresses`: IP addresses offered to clients; empty: those of this machine. `bind`: where
    media arrives; empty: everywhere, in the families of `addresses`, or on loopback if they are there. `workers` 0: one
    for each core.
    `webhook_key`: the API key that signs webhooks; empty: the first of `keys`. `ice_servers`: called for each session.
    `empty_timeout_s` and `departure_timeout_s`: how long a room lives before its first and after its last participant.
    `join_timeout_s`: how long a new participant may take until its media is connected. `token_refresh_s`: how often a
    client receives a new token. `auto_create`: whether joining creates a missing room. `remote_unmute`: whether the
    server API may unmute tracks. `metrics_token`: who has it may read `/metrics`; empty: nobody. `codecs`: what
    participants may send and receive, in the order of `CODECS`.
    """

    keys: Mapping[str, str]
    udp_port: int = 7882
    tcp_port: int | None = None
    shared_tcp: tuple[tuple[str, int], ...] = ()
    bind: str = ""
    addresses: tuple[str, ...] = ()
    workers: int = 0
    webhook_urls: tuple[str, ...] = ()
    webhook_key: str = ""
    ice_servers: Callable[[ParticipantSid], list[IceServer]] = no_ice_servers
    empty_timeout_s: int = 300
    departure_timeout_s: int = 20
    join_timeout_s: float = 60.0
    token_refresh_s: float = 300.0
    auto_create: bool = True
    remote_unmute: bool = False
    metrics_token: str = ""
    codecs: tuple[str, ...] = CODECS
