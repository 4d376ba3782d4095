"""Tokens of participants die with their membership and with their room, for every operation that takes them."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

from support.livekit_clients import joined
from support.participant_operations import ME, PARTICIPANT_OPERATIONS, asked
from support.rest import RestServer, TestRoom, now_ms
from support.waiting import until
from tertulia.domain.access import INTERNAL as INTERNAL_TABLE
from tertulia.domain.access import Action, Actor

_PARTICIPANTS: Final = {Actor.MODERATOR, Actor.PUBLISHER, Actor.VIEWER, Actor.HOLDER}
_OPERATIONS: Final[dict[Action, tuple[str, str, Any]]] = PARTICIPANT_OPERATIONS | {
    Action.LIST_RECORDINGS: ("GET", "/recordings", None),
    Action.REFRESH_TOKEN: (
        "POST",
        "/participants/token/refresh",
        {"roomName": "{room}", "participantName": ME, "secret": "{secret}"},
    ),
}


class Moderator:
    """A moderator with a token, a run-out token, and a ticket for a recording of the room."""

    def __init__(self, server: RestServer, room: TestRoom) -> None:
        self.server, self.room = server, room
        self.recording = server.add_recording(room.name).id
        self.token = server.token(room, ME)
        self.run_out = server.aged(self.token, exp=now_ms() // 1000 - 60)
        self.by_cookie = {"cookies": {"OvMeetParticipantToken": self.token}}
        answer = server.internal("POST", f"/recordings/{self.recording}/stream-ticket", bearer=self.token)
        self.ticket = answer.json()["ticket"]
        assert self.streams_by_ticket() == 200

    def streams_by_ticket(self) -> int:
        path = f"/recordings/{self.recording}/stream?ticket={self.ticket}"
        return self.server.internal("GET", path).status_code

    def _ask(self, action: Action, **credential: Any) -> int:
        names = {"room": self.room.name, "recording": self.recording, "secret": self.room.secret("moderator")}
        method, path, body = asked(_OPERATIONS[action], **names)
        return self.server.internal(method, path, body, **credential).status_code

    def refreshes_run_out(self) -> int:
        return self._ask(Action.REFRESH_TOKEN, bearer=self.run_out)

    def answers(self) -> dict[str, int]:
        """Every operation, by bearer and by cookie."""
        answers = {f"{action} by bearer": self._ask(action, bearer=self.token) for action in _OPERATIONS}
        answers |= {f"{action} by cookie": self._ask(action, **self.by_cookie) for action in _OPERATIONS}
        answers["stream by ticket"] = self.streams_by_ticket()
        return answers

    async def is_disconnected(self) -> None:
        async with joined(self.server, self.token) as max_:
            path = f"/participants/Max?roomName={self.room.name}"
            assert (await asyncio.to_thread(self.server.ask, "DELETE", path)).status_code == 204
            await max_.wait_for_event("disconnected")

    async def is_demoted(self) -> None:
        async with joined(self.server, self.token):
            path = f"/rooms/{self.room.name}/participants/Max"
            answer = await asyncio.to_thread(self.server.ask, "PUT", path, {"role": "viewer"})
            assert answer.status_code == 200

    def room_is_deleted(self) -> None:
        assert self.server.ask("DELETE", f"/rooms/{self.room.name}").status_code == 204


async def test_disconnected(server: RestServer, room: TestRoom):
    """The token of someone who was disconnected is dead (401 wherever it is shown); also when the room is deleted
    afterwards, and with it the memory of the disconnection."""
    max_ = Moderator(server, room)
    await max_.is_disconnected()
    answers = await asyncio.to_thread(max_.answers)
    assert set(answers.values()) == {401}, answers
    assert await asyncio.to_thread(max_.refreshes_run_out) == 401
    max_.room_is_deleted()
    answers = await asyncio.to_thread(max_.answers)
    assert set(answers.values()) == {401}, answers


def test_room_deleted(server: RestServer, room: TestRoom):
    """and every token dies with its room, deleted or expired: 401 on every participant operation, also for those who
    were never disconnected."""
    max_ = Moderator(server, room)
    max_.room_is_deleted()
    answers = max_.answers()
    assert set(answers.values()) == {401}, answers
    assert max_.refreshes_run_out() == 404, "the room is gone"


async def test_room_expired(server: RestServer):
    """and every token dies with its room, deleted or expired."""
    max_ = Moderator(server, server.create_room(expirationDate=now_ms() + 60_000))
    forever = server.aged(max_.token, exp=now_ms() // 1000 + 3600)  # as if only the room had expired
    server.write(lambda tx: tx.rooms.expire(max_.room.name, now_ms=now_ms()))
    max_.token, max_.by_cookie = forever, {"cookies": {"OvMeetParticipantToken": forever}}
    answers = await asyncio.to_thread(max_.answers)
    assert set(answers.values()) == {401}, answers

    async def is_closed() -> bool:
        return server.write(lambda tx: tx.rooms.find(max_.room.name)) is None

    await until("the room is closed", is_closed)
    answers = await asyncio.to_thread(max_.answers)
    assert set(answers.values()) == {401}, answers


async def test_demoted(server: RestServer, room: TestRoom):
    """it beats the role inside an older token: who is demoted may do what the new role may, and a ticket is no more."""
    max_ = Moderator(server, room)
    await max_.is_demoted()
    answers = await asyncio.to_thread(max_.answers)
    assert answers.pop("stream by ticket") == 401
    for action in (Action.GET_ROOM, Action.LIST_PARTICIPANTS):
        assert {answers.pop(f"{action} by {credential}") for credential in ("bearer", "cookie")} == {200}
    for credential in ("bearer", "cookie"):
        assert answers.pop(f"{Action.REFRESH_TOKEN} by {credential}") == 409, "it is valid: that of a viewer now"
        of_viewers = (Action.RAISE_HAND, Action.LOWER_HAND, Action.REACT, Action.POST_MESSAGE, Action.LIST_MESSAGES)
        for action in of_viewers:  # about oneself, or in the meeting
            assert answers.pop(f"{action} by {credential}") == 404, "allowed, but Max has left"
    assert set(answers.values()) == {403}, answers


def test_every_operation_is_tried():
    """Nothing can be added for participants without being tried here."""
    assert set(_OPERATIONS) == {action for action, allowed in INTERNAL_TABLE.items() if allowed & _PARTICIPANTS}


@pytest.mark.parametrize("role", ["publisher", "viewer"])
def test_lesser_roles(server: RestServer, room: TestRoom, role: str):
    """every token dies with its room, whatever the role."""
    token = server.token(room, "Pia", role)
    assert server.internal("GET", f"/rooms/{room.name}", bearer=token).status_code == 200
    assert server.ask("DELETE", f"/rooms/{room.name}").status_code == 204
    assert server.internal("GET", f"/rooms/{room.name}", bearer=token).status_code == 401
