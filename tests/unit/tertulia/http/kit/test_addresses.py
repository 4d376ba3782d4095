"""The address of a client behind proxies."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from structlog.testing import capture_logs

from tertulia.http.kit.addresses import TrustedProxies


def request_from(client: str, headers: dict[str, str]) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "client": (client, 1), "headers": raw})


@pytest.mark.parametrize(
    ("trusted", "client", "headers", "expected"),
    [
        ((), "9.9.9.9", {"x_forwarded_for": "1.1.1.1"}, "9.9.9.9"),
        (("10.0.0.0/8",), "9.9.9.9", {"x_forwarded_for": "1.1.1.1"}, "9.9.9.9"),
        (("10.0.0.0/8",), "10.0.0.1", {"x_forwarded_for": "6.6.6.6, 1.1.1.1"}, "1.1.1.1"),
        (("10.0.0.0/8",), "10.0.0.1", {"x_forwarded_for": "6.6.6.6, 1.1.1.1, 10.0.0.2"}, "1.1.1.1"),
        (("10.0.0.0/8",), "10.0.0.1", {}, "10.0.0.1"),
        (("*",), "10.0.0.1", {"x_forwarded_for": "6.6.6.6, 1.1.1.1"}, "1.1.1.1"),
    ],
)
def test_client_address(trusted, client, headers, expected):
    assert TrustedProxies(trusted).client(request_from(client, headers)) == expected


@pytest.mark.parametrize(
    ("header", "headers", "expected"),
    [
        ("Forwarded", {"forwarded": 'for="[2001:db8::1]:80";proto=https, for=1.1.1.1:5'}, "1.1.1.1"),
        ("Forwarded", {"forwarded": 'for="[2001:db8::1]:80"'}, "2001:db8::1"),
        ("Forwarded", {"forwarded": "proto=https"}, "10.0.0.1"),
        ("Forwarded", {"x_forwarded_for": "6.6.6.6"}, "10.0.0.1"),
        ("Forwarded", {"forwarded": "for=1.1.1.1", "x_forwarded_for": "6.6.6.6"}, "1.1.1.1"),
        ("X-Forwarded-For", {"forwarded": "for=6.6.6.6"}, "10.0.0.1"),
        ("X-Forwarded-For", {"forwarded": "for=6.6.6.6", "x_forwarded_for": "1.1.1.1"}, "1.1.1.1"),
        ("X-Real-IP", {"x_real_ip": "1.1.1.1", "x_forwarded_for": "6.6.6.6"}, "1.1.1.1"),
    ],
)
def test_one_header_is_believed(header, headers, expected):
    """One forwarding header is believed, from trusted proxies, by a setting (`X-Forwarded-For` unless it names
    another)."""
    assert TrustedProxies(["10.0.0.0/8"], header=header).client(request_from("10.0.0.1", headers)) == expected


@pytest.mark.parametrize(
    ("trusted", "headers", "setting"),
    [
        ((), {"x_forwarded_for": "1.1.1.1"}, "TERTULIA_TRUSTED_PROXIES=10.0.0.1"),
        (("10.9.0.0/16",), {"forwarded": "for=1.1.1.1"}, "TERTULIA_TRUSTED_PROXIES=10.0.0.1"),
        (("10.0.0.0/8",), {"forwarded": "for=1.1.1.1"}, "TERTULIA_FORWARDING_HEADER=forwarded"),
        (("10.0.0.0/8",), {"forwarded": "for=1.1.1.1", "x_forwarded_for": "1.1.1.1"}, None),
        (("10.0.0.0/8",), {}, None),
        ((), {}, None),
    ],
)
def test_an_ignored_header_is_warned_of_once(trusted, headers, setting):
    proxies = TrustedProxies(trusted)
    with capture_logs() as logs:
        for _ in range(3):
            proxies.client(request_from("10.0.0.1", headers))
    assert [line["setting"] for line in logs] == ([setting] if setting else [])
