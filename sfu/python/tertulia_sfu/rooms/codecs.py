"""Which codecs a room may use."""

from collections.abc import Mapping, Sequence
from typing import Final

from tertulia_sfu.config import CODECS
from tertulia_sfu.errors import InvalidRequest

CODECS_TAG: Final = "tertulia.codecs"
"""The tag of a room (`tags` of LiveKit's RoomConfiguration and CreateRoomRequest) that names its codecs: MIME types
separated by commas."""
_SHOWN_LENGTH: Final = 200


def room_codecs(tags: Mapping[str, str], allowed: Sequence[str]) -> tuple[str, ...]:
    """Return those of the server's codecs that a room may use: all, unless its tag names some.

    Raise InvalidRequest for a tag that names an unknown codec, or leaves no sound or no video.
    """
    named = tags.get(CODECS_TAG)
    if named is None:
        return tuple(allowed)
    wanted = {name.strip().lower() for name in named.split(",")}
    chosen = tuple(codec for codec in allowed if codec.lower() in wanted)
    has_video = any(codec.startswith("video/") for codec in chosen)
    if not (wanted <= {codec.lower() for codec in CODECS} and "audio/opus" in chosen and has_video):
        raise InvalidRequest(
            f"The room's tag {CODECS_TAG} is {named[:_SHOWN_LENGTH]!r}: it has to name audio/opus and a video codec, "
            f"of those that this server allows ({', '.join(allowed)})."
        )
    return chosen
