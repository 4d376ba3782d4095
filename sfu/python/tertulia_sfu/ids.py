"""Identifiers of LiveKit's protocol. Clients parse the prefixes, so they are fixed."""

import secrets
import string
from typing import NewType

ApiKey = NewType("ApiKey", str)
RoomName = NewType("RoomName", str)
RoomSid = NewType("RoomSid", str)
Identity = NewType("Identity", str)
ParticipantSid = NewType("ParticipantSid", str)
TrackSid = NewType("TrackSid", str)

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 12
_SPARE_BITS = 40


def _random(prefix: str) -> str:
    """Draw once: each of twelve draws would ask the system for random bytes."""
    value = secrets.randbits(_LENGTH * 6 + _SPARE_BITS)  # so many that no character is likelier by more than 2**-40
    characters = []
    for _ in range(_LENGTH):
        value, digit = divmod(value, len(_ALPHABET))
        characters.append(_ALPHABET[digit])
    return prefix + "".join(characters)


def new_room_sid() -> RoomSid:
    """Return a room's session id; a room that ends and is created again gets another one."""
    return RoomSid(_random("RM_"))


def new_participant_sid() -> ParticipantSid:
    """Return a participant's session id; each join and each full reconnect gets another one."""
    return ParticipantSid(_random("PA_"))


def new_track_sid() -> TrackSid:
    """Return the id of one published track."""
    return TrackSid(_random("TR_"))


def new_data_track_sid() -> TrackSid:
    """Return the id of one data track."""
    return TrackSid(_random("DTR_"))


def backup_track(track: TrackSid, codec: str) -> str:
    """Return what the media core calls a track in its second codec."""
    return f"{track}/{codec}"


def track_of(core_track: str) -> TrackSid:
    """Return the track that a track of the media core belongs to: itself, or that of a second codec."""
    return TrackSid(core_track.partition("/")[0])


def new_event_id() -> str:
    """Return the id of a webhook event: the same for every delivery attempt."""
    return _random("EV_")


def new_node_id() -> str:
    """Return the id of this server process."""
    return _random("ND_")


def new_rpc_id() -> str:
    """Return the id of a remote procedure call that the server API makes."""
    return _random("RPC_")
