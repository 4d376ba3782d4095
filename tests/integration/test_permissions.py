"""The permission table, walked cell by cell: every operation of both base paths × everybody who could ask."""

from __future__ import annotations

import pytest

from support.rest import INTERNAL, PUBLIC, RestServer
from tertulia.domain.access import INTERNAL as INTERNAL_TABLE
from tertulia.domain.access import PUBLIC as PUBLIC_TABLE
from tertulia.domain.access import Action, Actor

_OPERATION = {  # how an action is asked for, about things that do not exist: allowed means anything but 401 and 403
    Action.CREATE_ROOM: ("POST", "/rooms", {}),
    Action.LIST_ROOMS: ("GET", "/rooms?maxItems=1", None),
    Action.GET_ROOM: ("GET", "/rooms/{room}", None),
    Action.UPDATE_ROOM: ("PUT", "/rooms/{room}", {}),
    Action.DELETE_ROOM: ("DELETE", "/rooms/{spare}", None),
    Action.ROTATE_LINKS: ("POST", "/rooms/{spare}/rotate-links", None),
    Action.END_MEETING: ("POST", "/rooms/{room}/end", None),
    Action.LIST_PARTICIPANTS: ("GET", "/rooms/{room}/participants", None),
    Action.DISCONNECT_PARTICIPANT: ("DELETE", "/participants/nobody?roomName={room}", None),
    Action.CHANGE_ROLE: ("PUT", "/rooms/{room}/participants/nobody", {"role": "viewer"}),
    Action.TAKE_TOKEN: ("POST", "/participants/token", {}),
    Action.LOOK_AT_LINK: ("POST", "/participants/role", {}),
    Action.REFRESH_TOKEN: ("POST", "/participants/token/refresh", {}),
    Action.START_RECORDING: ("POST", "/recordings", {"roomName": "{room}"}),
    Action.STOP_RECORDING: ("PUT", "/recordings/none", None),
    Action.LIST_RECORDINGS: ("GET", "/recordings?maxItems=1", None),
    Action.GET_RECORDING: ("GET", "/recordings/none", None),
    Action.DELETE_RECORDING: ("DELETE", "/recordings/none", None),
    Action.DELETE_RECORDINGS: ("DELETE", "/recordings", {"recordingIds": []}),
    Action.STREAM_RECORDING: ("GET", "/recordings/none/stream", None),
    Action.TICKET: ("POST", "/recordings/none/stream-ticket", None),
    Action.LOG_IN: ("POST", "/auth/login", {}),
    Action.REFRESH_SESSION: ("POST", "/auth/refresh", None),
    Action.LOG_OUT: ("POST", "/auth/logout", None),
    Action.PROFILE: ("GET", "/auth/profile", None),
}
_IN_ROOM = {Actor.MODERATOR, Actor.PUBLISHER, Actor.VIEWER}
_CELLS = [
    pytest.param(base, table, action, actor, id=f"{name}-{action}-{actor}")
    for name, base, table in (("public", PUBLIC, PUBLIC_TABLE), ("internal", INTERNAL, INTERNAL_TABLE))
    for action in table
    for actor in (Actor.API_KEY, Actor.ADMIN, *sorted(_IN_ROOM), Actor.ANYONE)
]


@pytest.fixture(scope="module")
def credentials(server: RestServer):
    room = server.create_room()
    asked = {Actor.API_KEY: {"headers": {"X-API-KEY": "an-api-key-for-tests-0123456789"}}, Actor.ANYONE: {}}
    asked[Actor.ADMIN] = {"bearer": server.log_in()["accessToken"]}
    for actor in _IN_ROOM:
        asked[actor] = {"bearer": server.token(room, f"The {actor}", actor.value)}
    return room, asked


def expected(allowed: frozenset[Actor], actor: Actor) -> set[int] | None:
    """The statuses of a refusal, or None when the action is allowed."""
    if actor in allowed or Actor.ANYONE in allowed:
        return None
    if actor in _IN_ROOM and Actor.HOLDER in allowed:
        return None
    if actor in _IN_ROOM and allowed & _IN_ROOM:
        return {403}
    return {401}


@pytest.mark.parametrize(("base", "table", "action", "actor"), _CELLS)
def test_cell(server: RestServer, credentials, base, table, action, actor):
    """(issue 4) The permission matrix (role or key × endpoint) is one table in the code."""
    room, asked = credentials
    if (action, actor) == (Action.LOG_OUT, Actor.ADMIN):  # it ends the session: one of its own
        asked = asked | {actor: {"bearer": server.log_in()["accessToken"]}}
    method, path, body = _OPERATION[action]
    if body:
        body = {name: room.name if value == "{room}" else value for name, value in body.items()}
    answer = server.ask(method, path.format(room=room.name, spare="none"), body, base=base, key=None, **asked[actor])
    refusal = expected(table[action], actor)
    if action is Action.REFRESH_SESSION:
        assert answer.status_code == 401  # it takes a refresh token, which none of these is
    elif refusal is None:
        assert answer.status_code not in {401, 403, 405, 500}, answer.text
    else:
        assert answer.status_code in refusal, answer.text


def test_every_action_is_walked():
    """Nothing can be added to the table without being tested here."""
    assert set(_OPERATION) == set(Action) == set(PUBLIC_TABLE) | set(INTERNAL_TABLE)
