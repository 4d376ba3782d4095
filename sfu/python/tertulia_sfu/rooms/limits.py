"""LiveKit's limits for what participants and applications store in a room."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final, TypeVar

from tertulia_sfu.errors import InvalidRequest
from tertulia_sfu.ids import TrackSid
from tertulia_sfu.tokens import MAX_NAME_LENGTH

MAX_METADATA_BYTES: Final = 512 * 1024
MAX_ATTRIBUTES_BYTES: Final = 64 * 1024
# clients list at most the tracks of their room: 1,000 participants with camera, microphone, screen and its sound
MAX_LISTED_TRACKS: Final = 4_000
MAX_SID_LENGTH: Final = 64  # ours have 15 characters
# LiveKit's lists of enumerated values (capabilities, audio features …) have two to seven so far
MAX_ENUMERATED: Final = 32

T = TypeVar("T")


def check_sizes(
    *, name: str | None = None, metadata: str | None = None, attributes: Mapping[str, str] | None = None
) -> None:
    """Raise InvalidRequest for a value that is longer than LiveKit allows."""
    if name is not None and len(name) > MAX_NAME_LENGTH:
        raise InvalidRequest(f"The name is longer than {MAX_NAME_LENGTH} characters.")
    if metadata is not None and len(metadata.encode()) > MAX_METADATA_BYTES:
        raise InvalidRequest(f"The metadata is longer than {MAX_METADATA_BYTES} bytes.")
    size = sum(len(key.encode()) + len(value.encode()) for key, value in (attributes or {}).items())
    if size > MAX_ATTRIBUTES_BYTES:
        raise InvalidRequest(f"The attributes are longer than {MAX_ATTRIBUTES_BYTES} bytes.")


def distinct_tracks(sids: Iterable[str]) -> list[TrackSid]:
    """Return the different tracks that a request lists, in order. Those beyond MAX_LISTED_TRACKS are ignored."""
    return [TrackSid(sid) for sid in dict.fromkeys(islice(sids, MAX_LISTED_TRACKS)) if len(sid) <= MAX_SID_LENGTH]


def distinct_values(values: Iterable[T]) -> list[T]:
    """Return the different values of an enumeration, in order, and at most MAX_ENUMERATED of the list."""
    return list(dict.fromkeys(islice(values, MAX_ENUMERATED)))
