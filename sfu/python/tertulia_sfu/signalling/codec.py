"""Decoding of what clients send: signal requests, and the join request that travels in the URL."""

import base64
import binascii
import zlib
from typing import Final

from google.protobuf.message import DecodeError
from livekit.protocol.rtc import JoinRequest, SignalRequest, WrappedJoinRequest

from tertulia_sfu.errors import InvalidRequest

MAX_JOIN_REQUEST_BYTES: Final = 1024 * 1024
# gzip reaches a thousandth with a single repeated field. JSON and small offers shrink to a tenth; an offer with 100
# equal sections comes near to a hundredth, because a reference (2 bytes) stands for at most 258 bytes
MAX_COMPRESSION_RATIO: Final = 200
ALWAYS_ALLOWED_BYTES: Final = 256 * 1024
MAX_JOIN_TRACKS: Final = 32  # more than may wait for their media (MAX_PENDING_TRACKS)
MAX_FRAME_BYTES: Final = 2 * 1024 * 1024

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


def unwrap_join_request(text: str) -> JoinRequest:
    """Decode `join_request` of a `/rtc/v1` URL: base64url of a WrappedJoinRequest, gzipped or not.

    Raise InvalidRequest for anything else, for more than 1 MiB and for more than MAX_JOIN_TRACKS tracks.
    """
    if not text:
        raise InvalidRequest("The join_request is empty.")
    try:
        padded = text.replace("+", "-").replace("/", "_").rstrip("=")
        raw = base64.b64decode(padded + "=" * (-len(padded) % 4), altchars=b"-_", validate=True)
        wrapped = WrappedJoinRequest.FromString(raw)
        data = wrapped.join_request
        if wrapped.compression == WrappedJoinRequest.GZIP:
            data = _gunzip(data)
        if len(data) > MAX_JOIN_REQUEST_BYTES:
            raise InvalidRequest("The join_request is larger than 1 MiB.")
        request = JoinRequest.FromString(data)
    except (binascii.Error, ValueError, DecodeError, zlib.error):
        raise InvalidRequest("The join_request cannot be read.") from None
    if len(request.add_track_requests) > MAX_JOIN_TRACKS:
        raise InvalidRequest(f"The join_request adds more than {MAX_JOIN_TRACKS} tracks.")
    return request


def _gunzip(data: bytes) -> bytes:
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    limit = min(MAX_JOIN_REQUEST_BYTES, max(ALWAYS_ALLOWED_BYTES, MAX_COMPRESSION_RATIO * len(data)))
    inflated = inflater.decompress(data, limit + 1)
    if len(inflated) > limit:
        raise InvalidRequest(f"The join_request inflates to more than 1 MiB or {MAX_COMPRESSION_RATIO} times its size.")
    if not inflater.eof:
        raise zlib.error("truncated")
    return inflated


def parse_signal_request(frame: bytes | None) -> SignalRequest:
    """Decode one WebSocket frame; None stands for a text frame. Raise InvalidRequest if it is not a signal request."""
    if frame is None or len(frame) > MAX_FRAME_BYTES:
        raise InvalidRequest("Signalling messages are binary and at most 2 MiB large.")
    try:
        return SignalRequest.FromString(frame)
    except DecodeError:
        raise InvalidRequest("A signalling message cannot be read.") from None
