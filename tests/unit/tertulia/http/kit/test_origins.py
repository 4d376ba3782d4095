"""Which pages may change something by cookie."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from support.asgi import http_scope
from tertulia.errors import Forbidden
from tertulia.http.kit.origins import CookieOrigins

ORIGINS = CookieOrigins(
    "https://meet.example.com", lambda: ("*", "https://embeds.example", "http://calls.example:8080")
)


def request(headers: dict[str, str], *, method: str = "POST") -> Request:
    return Request(http_scope("/", method=method, headers={"host": "10.0.0.1:6080"} | headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://meet.example.com"},
        {"origin": "https://meet.example.com:443"},
        {"origin": "https://embeds.example", "sec-fetch-site": "cross-site"},
        {"origin": "http://calls.example:8080"},
        {"origin": "http://10.0.0.1:6080"},
        {"sec-fetch-site": "same-origin"},
    ],
)
def test_allowed(headers: dict[str, str]):
    ORIGINS.check(request(headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
        {"origin": "https://evil.meet.example.com", "sec-fetch-site": "same-site"},
        {"origin": "http://meet.example.com"},
        {"origin": "https://meet.example.com:8443"},
        {"origin": "http://10.0.0.1:6081"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "*"},
        {"origin": "https://meet.example.com, https://evil.example"},
        {"origin": "https://[broken"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "none"},
    ],
)
def test_refused(headers: dict[str, str]):
    with pytest.raises(Forbidden) as refusal:
        ORIGINS.check(request(headers))
    assert refusal.value.code == "foreign_origin"
    ORIGINS.check(request(headers, method="GET"))
