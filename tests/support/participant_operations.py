"""How participants ask for each thing that a role may do: method, path and body, about a room and a recording of it."""

from __future__ import annotations

from typing import Any, Final

from tertulia.domain.access import Action

ME: Final = "Max"
"""The participant who asks, where an operation is about oneself."""

PARTICIPANT_OPERATIONS: Final[dict[Action, tuple[str, str, Any]]] = {
    Action.GET_ROOM: ("GET", "/rooms/{room}", None),
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
    Action.RAISE_HAND: ("PUT", f"/rooms/{{room}}/participants/{ME}/hand", None),
    Action.LOWER_HAND: ("DELETE", f"/rooms/{{room}}/participants/{ME}/hand", None),
    Action.LOWER_ALL_HANDS: ("DELETE", "/rooms/{room}/hands", None),
    Action.REACT: ("POST", f"/rooms/{{room}}/participants/{ME}/reactions", {"reaction": "👍"}),
    Action.POST_MESSAGE: ("PUT", f"/rooms/{{room}}/participants/{ME}/messages/1", {"text": "hello"}),
    Action.LIST_MESSAGES: ("GET", "/rooms/{room}/messages", None),
    Action.LIST_LOBBY: ("GET", "/rooms/{room}/lobby", None),
    Action.ADMIT_GUEST: ("PUT", "/rooms/{room}/lobby/nobody", None),
    Action.REFUSE_GUEST: ("DELETE", "/rooms/{room}/lobby/nobody", None),
    Action.ADMIT_ALL_GUESTS: ("POST", "/rooms/{room}/lobby/admit-all", None),
    Action.START_RECORDING: ("POST", "/recordings", {"roomName": "{room}"}),
    Action.STOP_RECORDING: ("PUT", "/recordings/{recording}", None),
    Action.GET_RECORDING: ("GET", "/recordings/{recording}", None),
    Action.DELETE_RECORDING: ("DELETE", "/recordings/{recording}", None),
    Action.STREAM_RECORDING: ("GET", "/recordings/{recording}/stream", None),
    Action.TICKET: ("POST", "/recordings/{recording}/stream-ticket", None),
}
"""All that a moderator may do with a token for a room, but to list recordings: that names no room."""


def asked(operation: tuple[str, str, Any], **names: str) -> tuple[str, str, Any]:
    """Return an operation with the names of a room and a recording."""
    method, path, body = operation
    return method, path.format(**names), body and {name: value.format(**names) for name, value in body.items()}
