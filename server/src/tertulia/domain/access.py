"""Who may do what: the one table of roles, keys, operations and grants.

Actor: what a client is after authentication. Action: what an operation of the REST API does.
Grants: what a role may do on the media server, whose half of the table is `tertulia_sfu.rooms.permissions`: the grant
that each signalling message and each data packet needs. Tests walk every cell of both:
tests/integration/test_permissions.py and test_signal_permissions.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tertulia.domain.ids import ApiKeyId, Identity, Millis, RecordingId, RoomName, SessionId


class Role(StrEnum):
    """What a participant is in a room."""

    MODERATOR = "moderator"
    PUBLISHER = "publisher"
    VIEWER = "viewer"

    @property
    def rank(self) -> int:
        """A number that is higher for a role that may do more."""
        return _RANK[self]


_RANK = {Role.VIEWER: 0, Role.PUBLISHER: 1, Role.MODERATOR: 2}


class Actor(StrEnum):
    """What a credential proves."""

    API_KEY = "api_key"
    ADMIN = "admin"
    MODERATOR = "moderator"
    PUBLISHER = "publisher"
    VIEWER = "viewer"
    TICKET = "ticket"
    """A client with a ticket for one recording's stream."""
    HOLDER = "holder"
    """A client with a participant token that may have expired: good only for a new one."""
    ANYONE = "anyone"


@dataclass(frozen=True, slots=True)
class Principal:
    """The client of a request. Participants are bound to their own room."""

    actor: Actor
    room: RoomName | None = None
    identity: Identity | None = None
    session: SessionId | None = None
    api_key: ApiKeyId | None = None
    recording: RecordingId | None = None
    token_issued_at_ms: Millis | None = None
    """When the participant token was issued that it came with."""


class Action(StrEnum):
    """What an operation does, under the name that the permission table uses."""

    CREATE_ROOM = "create_room"
    LIST_ROOMS = "list_rooms"
    GET_ROOM = "get_room"
    UPDATE_ROOM = "update_room"
    DELETE_ROOM = "delete_room"
    ROTATE_LINKS = "rotate_links"
    END_MEETING = "end_meeting"
    LOCK_ROOM = "lock_room"
    UNLOCK_ROOM = "unlock_room"
    LIST_PARTICIPANTS = "list_participants"
    DISCONNECT_PARTICIPANT = "disconnect_participant"
    CHANGE_ROLE = "change_role"
    MUTE_PARTICIPANT = "mute_participant"
    MUTE_ALL = "mute_all"
    STOP_CAMERA = "stop_camera"
    ASK_TO_UNMUTE = "ask_to_unmute"
    RAISE_HAND = "raise_hand"
    LOWER_HAND = "lower_hand"
    LOWER_ALL_HANDS = "lower_all_hands"
    REACT = "react"
    POST_MESSAGE = "post_message"
    LIST_MESSAGES = "list_messages"
    ENTER_LOBBY = "enter_lobby"
    ASK_LOBBY = "ask_lobby"
    LIST_LOBBY = "list_lobby"
    ADMIT_GUEST = "admit_guest"
    REFUSE_GUEST = "refuse_guest"
    ADMIT_ALL_GUESTS = "admit_all_guests"
    LOOK_AT_LINK = "look_at_link"
    TAKE_TOKEN = "take_token"
    REFRESH_TOKEN = "refresh_token"
    START_RECORDING = "start_recording"
    STOP_RECORDING = "stop_recording"
    LIST_RECORDINGS = "list_recordings"
    GET_RECORDING = "get_recording"
    DELETE_RECORDING = "delete_recording"
    DELETE_RECORDINGS = "delete_recordings"
    STREAM_RECORDING = "stream_recording"
    TICKET = "ticket"
    LOG_IN = "log_in"
    REFRESH_SESSION = "refresh_session"
    LOG_OUT = "log_out"
    PROFILE = "profile"
    CHANGE_PASSWORD = "change_password"
    LIST_API_KEYS = "list_api_keys"
    CREATE_API_KEY = "create_api_key"
    ROTATE_API_KEY = "rotate_api_key"
    REVOKE_API_KEY = "revoke_api_key"
    FOLLOW_EVENTS = "follow_events"
    SEE_STATUS = "see_status"
    SEE_INSIGHT = "see_insight"
    SEE_QUALITY = "see_quality"
    SEE_SETTINGS = "see_settings"
    CHANGE_SETTINGS = "change_settings"
    SEE_APPEARANCE = "see_appearance"
    SEARCH_RECORDINGS = "search_recordings"
    REPAIR_RECORDINGS = "repair_recordings"
    LIST_LOST_RECORDINGS = "list_lost_recordings"
    ADOPT_RECORDING = "adopt_recording"
    SEARCH_ROOMS = "search_rooms"
    DELETE_ROOMS = "delete_rooms"
    SEND_NOTICE = "send_notice"


_APPLICATION = frozenset({Actor.API_KEY, Actor.ADMIN})
_ADMIN = frozenset({Actor.ADMIN})
_MODERATOR = frozenset({Actor.MODERATOR})
_ADMIN_OR_MODERATOR = frozenset({Actor.ADMIN, Actor.MODERATOR})
_ANYONE = frozenset({Actor.ANYONE})
_IN_ROOM = frozenset({Actor.MODERATOR, Actor.PUBLISHER, Actor.VIEWER})

PUBLIC: Mapping[Action, frozenset[Actor]] = {
    Action.CREATE_ROOM: _APPLICATION,
    Action.LIST_ROOMS: _APPLICATION,
    Action.GET_ROOM: _APPLICATION,
    Action.UPDATE_ROOM: _APPLICATION,
    Action.DELETE_ROOM: _APPLICATION,
    Action.ROTATE_LINKS: _APPLICATION,
    Action.END_MEETING: _APPLICATION,
    Action.LOCK_ROOM: _APPLICATION,
    Action.UNLOCK_ROOM: _APPLICATION,
    Action.LIST_PARTICIPANTS: _APPLICATION,
    Action.DISCONNECT_PARTICIPANT: _APPLICATION,
    Action.CHANGE_ROLE: _APPLICATION,
    Action.MUTE_PARTICIPANT: _APPLICATION,
    Action.MUTE_ALL: _APPLICATION,
    Action.STOP_CAMERA: _APPLICATION,
    Action.ASK_TO_UNMUTE: _APPLICATION,
    Action.RAISE_HAND: _APPLICATION,
    Action.LOWER_HAND: _APPLICATION,
    Action.LOWER_ALL_HANDS: _APPLICATION,
    Action.REACT: _APPLICATION,
    Action.POST_MESSAGE: _APPLICATION,
    Action.LIST_MESSAGES: _APPLICATION,
    Action.ENTER_LOBBY: _ANYONE,
    Action.ASK_LOBBY: _ANYONE,
    Action.LIST_LOBBY: _APPLICATION,
    Action.ADMIT_GUEST: _APPLICATION,
    Action.REFUSE_GUEST: _APPLICATION,
    Action.ADMIT_ALL_GUESTS: _APPLICATION,
    Action.TAKE_TOKEN: _ANYONE,
    Action.START_RECORDING: _APPLICATION,
    Action.STOP_RECORDING: _APPLICATION,
    Action.LIST_RECORDINGS: _APPLICATION,
    Action.GET_RECORDING: _APPLICATION,
    Action.DELETE_RECORDING: _APPLICATION,
    Action.DELETE_RECORDINGS: _APPLICATION,
    Action.STREAM_RECORDING: _APPLICATION,
}
"""The public API, `/meet/api/v1`."""

INTERNAL: Mapping[Action, frozenset[Actor]] = {
    Action.CREATE_ROOM: _ADMIN,
    Action.LIST_ROOMS: _ADMIN,
    Action.GET_ROOM: _ADMIN | _IN_ROOM,
    Action.UPDATE_ROOM: _ADMIN,
    Action.DELETE_ROOM: _ADMIN,
    Action.ROTATE_LINKS: _ADMIN,
    Action.END_MEETING: _ADMIN_OR_MODERATOR,
    Action.LOCK_ROOM: _ADMIN_OR_MODERATOR,
    Action.UNLOCK_ROOM: _ADMIN_OR_MODERATOR,
    Action.LIST_PARTICIPANTS: _ADMIN | _IN_ROOM,
    Action.DISCONNECT_PARTICIPANT: _MODERATOR,
    Action.CHANGE_ROLE: _ADMIN_OR_MODERATOR,
    Action.MUTE_PARTICIPANT: _ADMIN_OR_MODERATOR,
    Action.MUTE_ALL: _ADMIN_OR_MODERATOR,
    Action.STOP_CAMERA: _ADMIN_OR_MODERATOR,
    Action.ASK_TO_UNMUTE: _ADMIN_OR_MODERATOR,
    Action.RAISE_HAND: _IN_ROOM,
    Action.LOWER_HAND: _ADMIN | _IN_ROOM,
    Action.LOWER_ALL_HANDS: _ADMIN_OR_MODERATOR,
    Action.REACT: _IN_ROOM,
    Action.POST_MESSAGE: _IN_ROOM,
    Action.LIST_MESSAGES: _ADMIN | _IN_ROOM,
    Action.ENTER_LOBBY: _ANYONE,
    Action.ASK_LOBBY: _ANYONE,
    Action.LIST_LOBBY: _ADMIN_OR_MODERATOR,
    Action.ADMIT_GUEST: _ADMIN_OR_MODERATOR,
    Action.REFUSE_GUEST: _ADMIN_OR_MODERATOR,
    Action.ADMIT_ALL_GUESTS: _ADMIN_OR_MODERATOR,
    Action.LOOK_AT_LINK: _ANYONE,
    Action.TAKE_TOKEN: _ANYONE,
    Action.REFRESH_TOKEN: frozenset({Actor.HOLDER}),
    Action.START_RECORDING: _ADMIN_OR_MODERATOR,
    Action.STOP_RECORDING: _ADMIN_OR_MODERATOR,
    Action.LIST_RECORDINGS: _ADMIN_OR_MODERATOR,
    Action.GET_RECORDING: _ADMIN_OR_MODERATOR,
    Action.DELETE_RECORDING: _ADMIN_OR_MODERATOR,
    Action.DELETE_RECORDINGS: _ADMIN,
    Action.STREAM_RECORDING: _ADMIN_OR_MODERATOR | {Actor.TICKET},
    Action.TICKET: _ADMIN_OR_MODERATOR,
    Action.LOG_IN: _ANYONE,
    Action.REFRESH_SESSION: _ANYONE,
    Action.LOG_OUT: _ANYONE,
    Action.PROFILE: _ADMIN,
    Action.CHANGE_PASSWORD: _ADMIN,
    Action.LIST_API_KEYS: _ADMIN,
    Action.CREATE_API_KEY: _ADMIN,
    Action.ROTATE_API_KEY: _ADMIN,
    Action.REVOKE_API_KEY: _ADMIN,
    Action.FOLLOW_EVENTS: _ADMIN,
    Action.SEE_STATUS: _ADMIN,
    Action.SEE_INSIGHT: _ADMIN,
    Action.SEE_QUALITY: _ADMIN,
    Action.SEE_SETTINGS: _ADMIN,
    Action.CHANGE_SETTINGS: _ADMIN,
    Action.SEE_APPEARANCE: _ANYONE,
    Action.SEARCH_RECORDINGS: _ADMIN,
    Action.REPAIR_RECORDINGS: _ADMIN,
    Action.LIST_LOST_RECORDINGS: _ADMIN,
    Action.ADOPT_RECORDING: _ADMIN,
    Action.SEARCH_ROOMS: _ADMIN,
    Action.DELETE_ROOMS: _ADMIN,
    Action.SEND_NOTICE: _ADMIN,
}
"""The internal API, `/meet/internal-api/v1`. Participants act only inside their own room."""

ONLY_ONESELF: Mapping[Action, frozenset[Actor]] = {
    Action.RAISE_HAND: _IN_ROOM,
    Action.LOWER_HAND: frozenset({Actor.PUBLISHER, Actor.VIEWER}),
    Action.REACT: _IN_ROOM,
    Action.POST_MESSAGE: _IN_ROOM,
}
"""The participants who may do this for no other than themselves."""


@dataclass(frozen=True, slots=True)
class Grants:
    """What a participant may do on the media server. Every other LiveKit grant stays off, for every role."""

    can_publish: bool
    can_subscribe: bool
    can_publish_data: bool


def grants_for(role: Role, *, chat_enabled: bool) -> Grants:
    """Return a role's grants. Data messages are chat: for every role while the room allows it, for none otherwise."""
    return Grants(can_publish=role is not Role.VIEWER, can_subscribe=True, can_publish_data=chat_enabled)
