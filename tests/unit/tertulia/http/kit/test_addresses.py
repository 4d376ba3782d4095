"""The address of a client behind proxies."""

from __future__ import annotations

import pytest
from starlette.requests import Request

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
        (("10.0.0.0/8",), "10.0.0.1", {"forwarded": 'for="[2001:db8::1]:80";proto=https, for=1.1.1.1:5'}, "1.1.1.1"),
        (("10.0.0.0/8",), "10.0.0.1", {"forwarded": 'for="[2001:db8::1]:80"'}, "2001:db8::1"),
        (("10.0.0.0/8",), "10.0.0.1", {}, "10.0.0.1"),
        (("*",), "10.0.0.1", {"x_forwarded_for": "6.6.6.6, 1.1.1.1"}, "1.1.1.1"),
    ],
)
def test_client_address(trusted, client, headers, expected):
    assert TrustedProxies(trusted).client(request_from(client, headers)) == expected
