"""What `tertulia doctor` says about media: its ports, and who reaches them."""

from __future__ import annotations

import socket

import pytest

from tertulia.cli.media_reach import describe_reach, media_ports, media_reach
from tertulia.errors import ConfigurationError
from tertulia.settings import Settings


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["127.0.0.1"], "this machine only"),
        (["10.0.0.5", "127.0.0.1"], "10.0.0.5: a private network only, with UDP 7882 and TCP 7881 open."),
        (["1.1.1.1", "10.0.0.5"], "1.1.1.1, 10.0.0.5: everyone with IPv4, with UDP 7882 and TCP 7881 forwarded"),
        (["1.1.1.1", "2606:4700::1"], "everyone with IPv4 and IPv6"),
    ],
)
def test_it_says_who_reaches_the_addresses_and_what_has_to_be_open(addresses: list[str], expected: str) -> None:
    assert expected in describe_reach(addresses, 7882, 7881)


@pytest.mark.parametrize(
    ("kind", "name", "setting"),
    [(socket.SOCK_DGRAM, "UDP", "media_udp_port"), (socket.SOCK_STREAM, "TCP", "media_tcp_port")],
)
def test_a_port_that_is_taken_is_told(kind: socket.SocketKind, name: str, setting: str) -> None:
    usual = {"media_udp_port": 0, "media_tcp_port": 0, "media_addresses": ("127.0.0.1", "::1")}
    assert media_ports(Settings(**usual)) == "0 (UDP) and 0 (TCP) are free"
    with socket.socket(socket.AF_INET6, kind) as taken:
        taken.bind(("::1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"{port} \({name}\) cannot be used"):
            media_ports(Settings(**usual | {setting: port}))


def test_auto_needs_a_stun_server_that_answers() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{closed.getsockname()[1]}"
    settings = Settings(media_addresses=("auto",), media_stun_server=server)
    with pytest.raises(ConfigurationError, match="does not answer"):
        media_reach(settings)


def test_an_external_media_server_needs_nothing_here() -> None:
    settings = Settings(media_url="wss://livekit.example", media_api_key="key", media_api_secret="s" * 32)
    assert media_ports(settings) == media_reach(settings) == "not needed: media goes to wss://livekit.example"
