"""Pages of other sites, in the browser of a user who has our cookies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.rest import API_KEY, FAR, INTERNAL, PUBLIC, RestServer, running_server

ACCESS, REFRESH, PARTICIPANT = "OvMeetAccessToken", "OvMeetRefreshToken", "OvMeetParticipantToken"
EVIL = {"Origin": "https://evil.example"}
SAME_SITE = {"Sec-Fetch-Site": "same-site"}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestServer]:
    origins = {"TERTULIA_EMBED_ORIGINS": "*,https://embeds.example", "TERTULIA_CORS_ORIGINS": "https://calls.example"}
    folder = tmp_path_factory.mktemp("origins")
    with running_server(folder, TERTULIA_PUBLIC_URL="https://meet.example.com", **origins) as running:
        yield running


def requests_by_cookie(own: RestServer) -> list[tuple[str, str, str, Any, dict[str, str]]]:
    """One request of each credential and of each way in which a cookie is read."""
    room, session = own.create_room(), own.log_in()
    moderator = {PARTICIPANT: own.token(room, "Mona")}
    admin = {ACCESS: session["accessToken"]}
    body = {"roomName": room.name, "participantName": "Mona", "secret": room.secret("moderator")}
    return [
        (PUBLIC, "POST", "/rooms", {"expirationDate": FAR}, admin),
        (INTERNAL, "POST", "/rooms", {"expirationDate": FAR}, admin),
        (INTERNAL, "POST", f"/rooms/{room.name}/end", None, moderator),
        (INTERNAL, "DELETE", f"/participants/Nobody?roomName={room.name}", None, moderator),
        (INTERNAL, "POST", "/participants/token", body, moderator),
        (PUBLIC, "POST", "/participants/token", body, moderator),
        (INTERNAL, "POST", "/participants/token/refresh", body, moderator),
        (INTERNAL, "POST", "/auth/refresh", None, {REFRESH: session["refreshToken"]}),
        (INTERNAL, "POST", "/auth/logout", None, admin),
    ]


def test_foreign_pages(own: RestServer):
    """A request that changes something and is authenticated by a cookie needs an `Origin` (or, where there is none,
    `Sec-Fetch-Site: same-origin`) of the public URL, or of an allowed embedding or CORS origin: else 403."""
    for base, method, path, body, cookies in requests_by_cookie(own):
        for headers in (EVIL, SAME_SITE, EVIL | {"Sec-Fetch-Site": "same-origin"}, {"Origin": "null"}):
            answer = own.ask(method, path, body, base=base, key=None, cookies=cookies, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin"), (method, path, headers)
            assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://meet.example.com"},
        {"Origin": "https://embeds.example"},
        {"Origin": "https://calls.example"},
        {"Sec-Fetch-Site": "same-origin"},
        {},
    ],
)
def test_own_pages(own: RestServer, headers: dict[str, str]):
    """a client that sends neither header (no browser) is let through; and of an allowed embedding or CORS origin."""
    for base, method, path, body, cookies in requests_by_cookie(own):
        answer = own.ask(method, path, body, base=base, key=None, cookies=cookies, headers=headers)
        assert answer.status_code in {200, 204, 404, 409}, (method, path, answer.text)


def test_reading_and_other_credentials(own: RestServer):
    """Bearer tokens and the API key need none: no other site's page has them; and reading is not changing."""
    room = own.create_room()
    token, admin = own.token(room, "Mona"), own.log_in()["accessToken"]
    for headers in (EVIL, SAME_SITE):
        end = own.internal("POST", f"/rooms/{room.name}/end", bearer=token, headers=headers)
        assert end.status_code == 204
        both = {"bearer": token, "cookies": {PARTICIPANT: token}, "headers": headers}
        assert own.internal("POST", f"/rooms/{room.name}/end", **both).status_code == 204
        with_key = headers | {"X-API-KEY": API_KEY}
        created = own.ask("POST", "/rooms", {"expirationDate": FAR}, cookies={ACCESS: admin}, headers=with_key)
        assert created.status_code == 200
        by_cookie = {"cookies": {PARTICIPANT: token}, "headers": headers}
        assert own.internal("GET", f"/rooms/{room.name}", **by_cookie).status_code == 200
        body = {"roomName": room.name, "participantName": "Ana", "secret": room.secret("viewer")}
        assert own.ask("POST", "/participants/token", body, key=None, headers=headers).status_code == 200
