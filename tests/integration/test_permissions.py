"""The permission table, walked cell by cell.

Every operation of both base paths × everybody who could ask (`tertulia.domain.access`); the other half of the table is
walked in test_signal_permissions.py.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from support.participant_operations import ME, PARTICIPANT_OPERATIONS
from support.participant_operations import asked as asked_for
from support.rest import INTERNAL, PUBLIC, RestServer
from tertulia.domain.access import INTERNAL as INTERNAL_TABLE
from tertulia.domain.access import ONLY_ONESELF, Action, Actor
from tertulia.domain.access import PUBLIC as PUBLIC_TABLE

_OPERATION = {  # how an action is asked for, about things that do not exist: allowed means anything but 401 and 403
    Action.CREATE_ROOM: ("POST", "/rooms", {}),
    Action.LIST_ROOMS: ("GET", "/rooms?maxItems=1", None),
    Action.GET_ROOM: ("GET", "/rooms/{room}", None),
    Action.UPDATE_ROOM: ("PUT", "/rooms/{room}", {}),
    Action.DELETE_ROOM: ("DELETE", "/rooms/{spare}", None),
    Action.ROTATE_LINKS: ("POST", "/rooms/{spare}/rotate-links", None),
    Action.END_MEETING: ("POST", "/rooms/{room}/end", None),
    Action.LOCK_ROOM: ("PUT", "/rooms/{room}/lock", None),
    Action.UNLOCK_ROOM: ("DELETE", "/rooms/{room}/lock", None),
    Action.LIST_PARTICIPANTS: ("GET", "/rooms/{room}/participants", None),
    Action.DISCONNECT_PARTICIPANT: ("DELETE", "/participants/nobody?roomName={room}", None),
    Action.CHANGE_ROLE: ("PUT", "/rooms/{room}/participants/nobody", {"role": "viewer"}),
    Action.MUTE_PARTICIPANT: ("POST", "/rooms/{room}/participants/nobody/mute", None),
    Action.MUTE_ALL: ("POST", "/rooms/{room}/mute-all", None),
    Action.STOP_CAMERA: ("POST", "/rooms/{room}/participants/nobody/stop-camera", None),
    Action.ASK_TO_UNMUTE: ("POST", "/rooms/{room}/participants/nobody/ask-to-unmute", None),
    Action.RAISE_HAND: ("PUT", "/rooms/{room}/participants/{self}/hand", None),
    Action.LOWER_HAND: ("DELETE", "/rooms/{room}/participants/{self}/hand", None),
    Action.LOWER_ALL_HANDS: ("DELETE", "/rooms/{room}/hands", None),
    Action.REACT: ("POST", "/rooms/{room}/participants/{self}/reactions", {"reaction": "👍"}),
    Action.POST_MESSAGE: ("PUT", "/rooms/{room}/participants/{self}/messages/1", {"text": "hello"}),
    Action.LIST_MESSAGES: ("GET", "/rooms/{room}/messages", None),
    Action.ENTER_LOBBY: ("POST", "/rooms/{room}/lobby", {}),
    Action.ASK_LOBBY: ("POST", "/rooms/{room}/lobby/state", {}),
    Action.LIST_LOBBY: ("GET", "/rooms/{room}/lobby", None),
    Action.ADMIT_GUEST: ("PUT", "/rooms/{room}/lobby/nobody", None),
    Action.REFUSE_GUEST: ("DELETE", "/rooms/{room}/lobby/nobody", None),
    Action.ADMIT_ALL_GUESTS: ("POST", "/rooms/{room}/lobby/admit-all", None),
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
    Action.CHANGE_PASSWORD: ("PUT", "/auth/password", {}),
    Action.LIST_API_KEYS: ("GET", "/console/api-keys", None),
    Action.CREATE_API_KEY: ("POST", "/console/api-keys", {}),
    Action.ROTATE_API_KEY: ("POST", "/console/api-keys/none/rotate", None),
    Action.REVOKE_API_KEY: ("DELETE", "/console/api-keys/none", None),
    Action.SEARCH_ROOMS: ("GET", "/console/rooms", None),
    Action.DELETE_ROOMS: ("DELETE", "/console/rooms", {}),
    Action.SEND_NOTICE: ("POST", "/rooms/{room}/notices", {}),
    Action.SEARCH_RECORDINGS: ("GET", "/console/recordings", None),
    Action.REPAIR_RECORDINGS: ("POST", "/console/recordings/repair", None),
    Action.LIST_LOST_RECORDINGS: ("GET", "/console/lost-recordings", None),
    Action.ADOPT_RECORDING: ("POST", "/console/lost-recordings/none/adopt", None),
    Action.SEE_SETTINGS: ("GET", "/console/settings", None),
    Action.CHANGE_SETTINGS: ("PUT", "/console/settings", {}),
    Action.SEE_APPEARANCE: ("GET", "/appearance", None),
    Action.SEE_STATUS: ("GET", "/console/status", None),
    Action.SEE_INSIGHT: ("GET", "/console/insight", None),
    Action.SEE_QUALITY: ("GET", "/console/rooms/{room}/quality", None),
    Action.FOLLOW_EVENTS: ("GET", "/console/events", None),
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
    body = body and {name: room.name if value == "{room}" else value for name, value in body.items()}
    path = path.format(room=room.name, spare="none", self=f"The {actor}")
    has_end = action is not Action.FOLLOW_EVENTS
    answer = server.ask(method, path, body, base=base, key=None, stream=not has_end, **asked[actor])
    refusal = expected(table[action], actor)
    if action is Action.REFRESH_SESSION:
        assert answer.status_code == 401  # it takes a refresh token, which none of these is
    elif refusal is None:
        assert answer.status_code not in {401, 403, 405, 500}, answer.text if has_end else answer
    else:
        assert answer.status_code in refusal, answer.text
    answer.close()


@pytest.mark.parametrize("actor", sorted(_IN_ROOM))
@pytest.mark.parametrize("action", ONLY_ONESELF)
def test_for_another(server: RestServer, credentials, action, actor):
    """A hand is raised and a reaction shown by the participant itself; a moderator may lower the hands of others."""
    room, asked = credentials
    method, path, body = _OPERATION[action]
    answer = server.internal(method, path.format(room=room.name, self="nobody"), body, **asked[actor])
    may = (action, actor) == (Action.LOWER_HAND, Actor.MODERATOR)
    assert answer.status_code == (404 if may else 403), answer.text


def test_every_action_is_walked():
    """Nothing can be added to the table without being tested here."""
    assert set(_OPERATION) == set(Action) == set(PUBLIC_TABLE) | set(INTERNAL_TABLE)


# ── another room: whatever is wrong with the request, only 403 is told ──

_FORMS: Final[dict[str, dict[str, Any]]] = {
    "right": {},
    "unknown content type": {"content_type": "text/plain"},
    "no content type": {"content_type": None},
    "no body": {"body": None},
    "body that is not JSON": {"raw": b"{"},
    "unknown field": {"more": {"other": 1}},
    "wrong value": {"more": {"role": 5, "preset": "none"}},
    "bad range": {"headers": {"Range": "bytes=5-1"}},
    "bad key": {"headers": {"Idempotency-Key": "x" * 256}},
    "bad query": {"query": "maxItems=x&nextPageToken=y"},
    "repeated query": {"query": "roomName=none"},
}


@pytest.fixture(scope="module")
def elsewhere(server: RestServer) -> tuple[str, dict[str, str]]:
    """A moderator of one room; the name and a recording of another one."""
    other = server.create_room()
    named = {"room": other.name, "recording": server.add_recording(other.name).id}
    return server.token(server.create_room(), ME), named


_ELSEWHERE_FORMS: Final = [
    (action, form)
    for action in PARTICIPANT_OPERATIONS
    for form, options in _FORMS.items()
    # without a body, no room is named where the body names it: see the test after this one
    if action is not Action.START_RECORDING or {"body", "raw"}.isdisjoint(options)
]


@pytest.mark.parametrize(("action", "form"), _ELSEWHERE_FORMS)
def test_other_room_in_any_form(server: RestServer, elsewhere, action, form):
    """(issue 9) Permission is decided before content: a moderator of one room who sends anything to another room gets
    403 and learns nothing else."""
    bearer, named = elsewhere
    method, path, body = asked_for(PARTICIPANT_OPERATIONS[action], **named)
    options = dict(_FORMS[form])
    query = options.pop("query", "")
    path = path + (f"{'&' if '?' in path else '?'}{query}" if query else "")
    sent = options.pop("body", body)
    more = options.pop("more", None)
    answer = server.internal(method, path, sent if more is None else (sent or {}) | more, bearer=bearer, **options)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"{", "application/json", 422), (b"{", "text/plain", 415), (b"", "application/json", 422),
        (b'["{room}"]', "application/json", 422), (b'{"roomName": 5}', "application/json", 422),
        (b'{"roomId": "{room}", "roomName": "{own}"}', "application/json", 403),
        (b'{"roomId": "{own}", "roomName": "{room}"}', "text/plain", 403),
    ],
)  # fmt: skip
def test_room_that_cannot_be_read(server: RestServer, elsewhere, raw, content_type, status):
    """A body that names no room (no JSON, no text at the name's place) is refused for what is wrong with it, as for a
    moderator who forgot it. One that names two rooms must name the own one twice."""
    bearer, named = elsewhere
    own = server.claims(bearer)["video"]["room"]
    body = raw.replace(b"{room}", named["room"].encode()).replace(b"{own}", own.encode())
    answer = server.internal("POST", "/recordings", raw=body, content_type=content_type, bearer=bearer)
    assert answer.status_code == status


def test_every_action_of_a_moderator_is_tried_elsewhere():
    """Nothing can be added without being tried: a list of recordings names no room, it is the token's."""
    of_moderators = {action for action, allowed in INTERNAL_TABLE.items() if Actor.MODERATOR in allowed}
    assert of_moderators - {Action.LIST_RECORDINGS} == set(PARTICIPANT_OPERATIONS)
