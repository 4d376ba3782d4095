"""The addresses that the media server offers: those that are configured, or what a STUN server tells."""

from __future__ import annotations

import pytest

from tertulia.app.media_addresses import offered_addresses, stun_server
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
