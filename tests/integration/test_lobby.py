"""The lobby: guests wait without a token until a moderator lets them in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.livekit_clients import joined
from support.rest import RestServer, TestRoom


class _Lobby:
    """What guests and a moderator do, by the internal API."""

    def __init__(self, server: RestServer, room: TestRoom) -> None:
        self.server, self.room = server, room
        self.path = f"/rooms/{room.name}/lobby"
        self.moderator = server.token(room, "Mona")

    def enter(self, name: str, role: str = "publisher") -> Any:
        return self.server.internal("POST", self.path, {"participantName": name, "secret": self.room.secret(role)})

    def state(self, name: str, ticket: str) -> str | None:
        body = {"participantName": name, "lobbyTicket": ticket}
        answer = self.server.internal("POST", f"{self.path}/state", body)
        return answer.json()["state"] if answer.status_code == 200 else None

    def token(self, name: str, ticket: str | None = None, role: str = "publisher", **credential: Any) -> Any:
        body = {"roomName": self.room.name, "participantName": name, "secret": self.room.secret(role)}
        more = {} if ticket is None else {"lobbyTicket": ticket}
        return self.server.internal("POST", "/participants/token", body | more, **credential)

    def waiting(self) -> list[str]:
        listed = self.server.internal("GET", self.path, bearer=self.moderator).json()
        return [guest["participantName"] for guest in listed]

    def decide(self, method: str, name: str) -> int:
        return self.server.internal(method, f"{self.path}/{name}", bearer=self.moderator).status_code


@pytest.fixture
def lobby(server: RestServer, room: TestRoom) -> _Lobby:
    on = {"lobbyPreferences": {"enabled": True}}
    assert server.ask("PUT", f"/rooms/{room.name}", on).json()["preferences"]["lobbyPreferences"] == {"enabled": True}
    return _Lobby(server, room)


def test_a_guest_waits_and_is_let_in(lobby: _Lobby):
    assert (lobby.token("Pia").status_code, lobby.token("Pia").json()["code"]) == (403, "lobby")
    ticket = lobby.enter("Pia").json()["lobbyTicket"]
    assert lobby.state("Pia", ticket) == "waiting"
    assert lobby.token("Pia", ticket).status_code == 403
    assert lobby.waiting() == ["Pia"]
    assert lobby.decide("PUT", "Pia") == 204
    assert lobby.state("Pia", ticket) == "admitted"
    assert lobby.token("Pia", "another-ticket").status_code == 403
    answer = lobby.token("Pia", ticket)
    assert answer.status_code == 200
    assert lobby.token("Pia", bearer=answer.json()["token"]).status_code == 200, "a reload needs no second decision"
    assert lobby.waiting() == []
    assert lobby.decide("PUT", "Pia") == 404


def test_refused(lobby: _Lobby):
    ticket = lobby.enter("Pia", "viewer").json()["lobbyTicket"]
    assert lobby.decide("DELETE", "Pia") == 204
    assert lobby.state("Pia", ticket) == "refused"
    assert lobby.token("Pia", ticket, "viewer").status_code == 403
    assert lobby.enter("Pia", "viewer").status_code == 200, "may ask again"


def test_all_are_let_in(lobby: _Lobby):
    tickets = {name: lobby.enter(name).json()["lobbyTicket"] for name in ("Pia", "Paul", "Petra")}
    assert lobby.waiting() == ["Pia", "Paul", "Petra"]
    assert lobby.decide("POST", "admit-all") == 204
    assert [lobby.state(name, ticket) for name, ticket in tickets.items()] == ["admitted"] * 3


def test_what_a_guest_sees(lobby: _Lobby):
    """No names, no token, nothing about the room but that it is there; and moderators do not wait."""
    entered = lobby.enter("Pia")
    assert set(entered.json()) == {"lobbyTicket"}
    assert lobby.enter("Pia").status_code == 409, "another waits under that name"
    assert lobby.server.internal("GET", lobby.path).status_code == 401
    assert lobby.state("Pia", "guessed") is None
    assert lobby.token("Moritz", role="moderator").status_code == 200
    body = {"participantName": "Paul", "secret": "wrong"}
    assert lobby.server.internal("POST", lobby.path, body).status_code == 403


def test_without_a_lobby(server: RestServer, room: TestRoom):
    body = {"participantName": "Pia", "secret": room.secret("publisher")}
    answer = server.internal("POST", f"/rooms/{room.name}/lobby", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_lobby")
    assert "lobbyPreferences" not in server.ask("GET", f"/rooms/{room.name}").json()["preferences"]


async def test_moderators_are_told_and_nobody_else(lobby: _Lobby):
    server, room = lobby.server, lobby.room
    ticket = (await asyncio.to_thread(lobby.enter, "Pia")).json()["lobbyTicket"]
    await asyncio.to_thread(lobby.decide, "PUT", "Pia")
    token = (await asyncio.to_thread(lobby.token, "Pia", ticket)).json()["token"]
    async with joined(server, lobby.moderator) as mona, joined(server, token) as pia:
        await mona.sees("Pia")
        await asyncio.to_thread(lobby.enter, "Paul")
        (told,) = await mona.wait_for_event("data_received")
        assert (told.topic, told.participant, told.data) == ("tertulia.lobby", None, b"{}")
        assert pia.events_named("data_received") == []
        # who was removed has to ask again, ticket or not
        path = f"/participants/Pia?roomName={room.name}"
        assert (await asyncio.to_thread(server.internal, "DELETE", path, bearer=lobby.moderator)).status_code == 204
        await pia.wait_for_event("disconnected")
        assert (await asyncio.to_thread(lobby.token, "Pia", ticket)).status_code == 403
