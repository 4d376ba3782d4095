"""The addresses that the media server offers: those that are configured, or what a STUN server tells."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from support.tls import self_signed
from tertulia.app.media_addresses import offered_addresses, shared_tcp, shares_https_port, stun_server
from tertulia.errors import ConfigurationError
from tertulia.settings import Settings, load_settings


async def test_configured_addresses_are_offered_as_they_are() -> None:
    assert await offered_addresses(Settings(media_addresses=("203.0.113.7",))) == ("203.0.113.7",)
    assert await offered_addresses(Settings()) == ()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"media_stun_server": "stun.example.com"}, ("stun.example.com", 3478)),
        ({"media_stun_server": "stun.example.com:19302"}, ("stun.example.com", 19302)),
        ({"media_stun_server": "[2001:db8::1]:5000"}, ("2001:db8::1", 5000)),
        (
            {"turn_urls": ("turn:turn.example.com:3479?transport=tcp",), "turn_secret": "secret"},
            ("turn.example.com", 3479),
        ),
        ({"turn_urls": ("turns:turn.example.com",), "turn_secret": "secret"}, ("turn.example.com", 3478)),
    ],
)
def test_auto_asks_the_server_that_is_named(settings: dict[str, object], expected: tuple[str, int]) -> None:
    assert stun_server(Settings.model_validate({"media_addresses": ("auto",)} | settings)) == expected


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"TERTULIA_MEDIA_ADDRESSES": "auto"}, "TERTULIA_MEDIA_STUN_SERVER"),
        ({"TERTULIA_MEDIA_ADDRESSES": "auto,10.0.0.1"}, "TERTULIA_MEDIA_ADDRESSES"),
        ({"TERTULIA_MEDIA_STUN_SERVER": "https://stun.example.com"}, "TERTULIA_MEDIA_STUN_SERVER"),
    ],
)
def test_what_makes_no_sense_is_refused(
    environment: dict[str, str], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=complaint):
        load_settings({})


def test_media_shares_the_port_of_https_alone(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    tls: dict[str, Any] = {"tls_cert": certificate, "tls_key": key}
    assert shares_https_port(Settings(port=443, media_tcp_port=443, **tls))
    assert not shares_https_port(Settings(port=443, **tls))
    assert not shares_https_port(Settings(port=0, media_tcp_port=0, **tls))
    with pytest.raises(ConfigurationError, match="TERTULIA_TLS_CERT"):
        shares_https_port(Settings(port=6080, media_tcp_port=6080))


@pytest.mark.parametrize(
    ("family", "expected"), [(socket.AF_INET, ["192.0.2.7"]), (socket.AF_INET6, ["192.0.2.7", "2001:db8::7"])]
)
def test_what_listens_for_ipv4_alone_is_offered_for_it_alone(family: socket.AddressFamily, expected: list[str]) -> None:
    with socket.socket(family) as listener:
        listener.bind(("", 0))
        port = listener.getsockname()[1]
        assert shared_tcp(("192.0.2.7", "2001:db8::7"), listener) == tuple((address, port) for address in expected)
