"""Settings that administrators change while servers run, on both databases and on several servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from support.postgres import Postgres
from support.rest import FAR, PUBLIC, RestServer, running_server
from support.waiting import until

PATH = "/console/settings"
PNG = "data:image/png;base64,iVBORw0KGgo="


class Admin:
    def __init__(self, server: RestServer) -> None:
        self.server = server
        self.bearer = server.log_in()["accessToken"]

    def change(self, **settings: Any) -> requests.Response:
        return self.server.internal("PUT", PATH, settings, bearer=self.bearer)

    def settings(self) -> dict[str, Any]:
        return dict(self.server.internal("GET", PATH, bearer=self.bearer).json())


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestServer]:
    """A server whose settings these tests may change."""
    settings = {"TERTULIA_EMBED_ORIGINS": "https://configured.example"}
    if request.param == "postgres":
        settings["TERTULIA_DATABASE_URL"] = request.getfixturevalue("postgres").new_database()
    with running_server(tmp_path_factory.mktemp("settings"), **settings) as running:
        yield running
        assert "Traceback" not in running.log(), running.log()


@pytest.fixture
def admin(server: RestServer) -> Iterator[Admin]:
    made = Admin(server)
    yield made
    made.change(
        participantAuth=None, embedOrigins=None, corsOrigins=None, appearance=None, roomDefaults=None, recordings=None
    )


def test_all_settings_and_their_sources(admin: Admin):
    found = admin.settings()
    by_name = {each["name"]: each for each in found["settings"]}
    embedding = by_name["TERTULIA_EMBED_ORIGINS"]
    assert (embedding["value"], embedding["source"]) == ("https://configured.example", "environment")
    assert embedding["changeableAs"] == "embedOrigins"
    assert by_name["TERTULIA_LOG_LEVEL"]["source"] == "default"
    assert by_name["TERTULIA_ADMIN_PASSWORD"]["value"] == by_name["TERTULIA_API_KEY"]["value"] == "<hidden>"
    assert "a-password-for-tests" not in str(found)
    assert found["stored"] == []
    assert found["values"]["embedOrigins"] == ["https://configured.example"]
    assert found["values"]["recordings"]["preset"] == "720p30"


def test_who_must_log_in(server: RestServer, admin: Admin):
    room = server.create_room()
    body = {"roomName": room.name, "participantName": "Pia", "secret": room.secret("publisher")}
    path = "/participants/token"
    assert admin.change(participantAuth="all_users").json()["stored"] == ["participantAuth"]
    assert server.ask("POST", path, body, key=None).status_code == 401
    assert admin.change(participantAuth=None).json()["stored"] == []
    assert server.ask("POST", path, body, key=None).status_code == 200


async def test_who_may_embed_the_meeting(server: RestServer, admin: Admin):
    async def says(ancestors: str) -> bool:
        page = requests.get(f"{server.url}/meet/room", timeout=10)
        return f"frame-ancestors {ancestors};" in page.headers["content-security-policy"]

    assert await says("https://configured.example")
    assert admin.change(embedOrigins=["https://a.example", "https://*.b.example:8443"]).status_code == 200
    await until("other origins", lambda: says("https://a.example https://*.b.example:8443"))
    assert admin.change(embedOrigins=[]).status_code == 200
    await until("no origins", lambda: says("'none'"))


def test_who_may_call_the_api(server: RestServer, admin: Admin):
    def allowed() -> str | None:
        headers = {"Origin": "https://a.example"}
        return server.ask("GET", "/rooms?maxItems=1", headers=headers).headers.get("access-control-allow-origin")

    assert allowed() is None
    admin.change(corsOrigins=["https://a.example"])
    assert allowed() == "https://a.example"
    admin.change(corsOrigins=None)
    assert allowed() is None


def test_cookies_of_named_origins(server: RestServer, admin: Admin):
    def log_out() -> int:
        cookies = {"OvMeetAccessToken": server.log_in()["accessToken"]}
        headers = {"Origin": "https://a.example"}
        return server.internal("POST", "/auth/logout", cookies=cookies, headers=headers).status_code

    assert log_out() == 403
    admin.change(embedOrigins=["https://a.example"])
    assert log_out() == 204


def test_appearance(server: RestServer, admin: Admin):
    def seen() -> dict[str, str]:
        return dict(server.internal("GET", "/appearance").json())

    assert seen() == {}
    look = {"name": "Café", "logo": PNG, "accentLight": "#0f6b63"}
    assert admin.change(appearance=look).status_code == 200
    assert seen() == look
    unreadable = admin.change(appearance={"accentLight": "#ffff00", "accentDark": "#202020"})
    assert unreadable.status_code == 422
    fields = {each["field"]: each["message"] for each in unreadable.json()["details"]}
    assert set(fields) == {"appearance.accentLight", "appearance.accentDark"}
    assert "1.07" in fields["appearance.accentLight"]
    assert seen() == look


def test_defaults_of_rooms(server: RestServer, admin: Admin):
    defaults = {
        "maxParticipants": 7,
        "lifetimeS": 3600,
        "preferences": {"chatPreferences": {"enabled": False}, "lobbyPreferences": {"enabled": True}},
    }
    shown = admin.change(roomDefaults=defaults).json()["values"]["roomDefaults"]
    assert shown["preferences"]["recordingPreferences"] == {"enabled": True}
    assert (shown["maxParticipants"], shown["lifetimeS"]) == (7, 3600)
    room = server.create_room().answer
    assert room["maxParticipants"] == 7
    assert room["preferences"]["chatPreferences"]["enabled"] is False
    assert room["preferences"]["lobbyPreferences"] == {"enabled": True}
    chosen = {"maxParticipants": 3, "preferences": {"chatPreferences": {"enabled": True}}}
    room = server.create_room(**chosen).answer
    assert room["maxParticipants"] == 3
    assert room["preferences"]["chatPreferences"]["enabled"] is True


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1}, {"participantAuth": "x"}, {"embedOrigins": ["a.example"]}, {"embedOrigins": "*"},
        {"embedOrigins": ["https://a.example/path"]}, {"embedOrigins": ["https://a.example; script-src *"]},
        {"corsOrigins": ["ftp://a.example"]}, {"appearance": {"logo": "https://a.example/x.png"}},
        {"appearance": {"logo": "data:text/html;base64,eA=="}}, {"appearance": {"logo": "data:image/png;base64,%"}},
        {"appearance": {"accentLight": "red"}}, {"appearance": {"name": 61 * "x"}}, {"appearance": {"name": "a\u0000"}},
        {"roomDefaults": {"maxParticipants": 0}}, {"roomDefaults": {"lifetimeS": 1}}, {"recordings": {"preset": "4k"}},
        {"recordings": {"preset": None}}, {"recordings": {"maxDurationS": 0}}, {"recordings": {"maxBytes": 0.5}},
    ],
)  # fmt: skip
def test_what_cannot_be(admin: Admin, change: dict[str, Any]):
    answer = admin.change(**change)
    assert answer.status_code == 422, answer.text
    assert admin.settings()["stored"] == []


def test_settings_outlive_a_restart_and_reach_other_servers(postgres: Postgres, tmp_path: Path):
    settings = {"TERTULIA_DATABASE_URL": postgres.new_database(), "TERTULIA_SECRET_KEY": "k" * 32}
    with running_server(tmp_path / "a", **settings) as one, running_server(tmp_path / "b", **settings) as other:
        Admin(one).change(roomDefaults={"maxParticipants": 5})
        Admin(other).settings()
        assert other.create_room().answer["maxParticipants"] == 5
    with running_server(tmp_path / "a", **settings) as again:
        assert again.ask("POST", "/rooms", {"expirationDate": FAR}, base=PUBLIC).json()["maxParticipants"] == 5
