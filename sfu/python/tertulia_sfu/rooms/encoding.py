"""Signal messages made of parts that are serialised once: a part is a message with its length before it.

The wire format is that of protobuf (https://protobuf.dev/programming-guides/encoding/): a message is its fields one
after the other, in any order, and a repeated field is repeated.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from google.protobuf.message import Message
from livekit.protocol.room import ListParticipantsResponse
from livekit.protocol.rtc import ConnectionQualityUpdate, JoinResponse, ParticipantUpdate, SignalResponse

MAX_UPDATE_BYTES: Final = 128 * 1024

_LENGTH_DELIMITED: Final = 2
_MORE: Final = 0x80


def part(message: Message) -> bytes:
    """Return a message as a part of others."""
    return _delimited(message.SerializeToString())


def update_frames(participants: Iterable[bytes]) -> list[bytes]:
    """Return `update` messages of about 128 KiB at most with the state of these participants (parts), in this order."""
    frames: list[bytes] = []
    chunk: list[bytes] = []
    size = 0
    for each in participants:
        if chunk and size + len(each) > MAX_UPDATE_BYTES:
            frames.append(_UPDATE + _delimited(_repeated(_UPDATED, chunk)))
            chunk, size = [], 0
        chunk.append(each)
        size += len(each)
    if chunk:
        frames.append(_UPDATE + _delimited(_repeated(_UPDATED, chunk)))
    return frames


def quality_frame(qualities: Sequence[bytes]) -> bytes:
    """Return a `connection_quality` message with these ConnectionQualityInfo (parts)."""
    return _QUALITY + _delimited(_repeated(_QUALITIES, qualities))


def join_frame(message: SignalResponse, others: Sequence[bytes]) -> bytes:
    """Return a `join` message with the state of the other participants (parts) added."""
    return _JOIN + _delimited(message.join.SerializeToString() + _repeated(_OTHERS, others))


def participants_list(participants: Sequence[bytes]) -> ListParticipantsResponse:
    """Return the server API's list of these participants (parts)."""
    return ListParticipantsResponse.FromString(_repeated(_LISTED, participants))


def _delimited(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _varint(number: int) -> bytes:
    data = bytearray()
    while number >= _MORE:
        data.append(number % _MORE | _MORE)
        number >>= 7
    data.append(number)
    return bytes(data)


def _repeated(tag: bytes, parts: Sequence[bytes]) -> bytes:
    return tag.join([b"", *parts])


def _tag(message: type[Message], field: str) -> bytes:
    return _varint(message.DESCRIPTOR.fields_by_name[field].number << 3 | _LENGTH_DELIMITED)


_JOIN: Final = _tag(SignalResponse, "join")
_OTHERS: Final = _tag(JoinResponse, "other_participants")
_UPDATE: Final = _tag(SignalResponse, "update")
_UPDATED: Final = _tag(ParticipantUpdate, "participants")
_QUALITY: Final = _tag(SignalResponse, "connection_quality")
_QUALITIES: Final = _tag(ConnectionQualityUpdate, "updates")
_LISTED: Final = _tag(ListParticipantsResponse, "participants")
