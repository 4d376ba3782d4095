"""LiveKit's limits for what participants and applications store in a room."""

from collections.abc import Mapping
from typing import Final

from tertulia_sfu.errors import InvalidRequest
from tertulia_sfu.tokens import MAX_NAME_LENGTH

MAX_METADATA_BYTES: Final = 512 * 1024
MAX_ATTRIBUTES_BYTES: Final = 64 * 1024


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
