"""Decoding of what clients send: signal requests, and the join request that travels in the URL."""

import base64
import binascii
import zlib
from typing import Final

from google.protobuf.message import DecodeError
from livekit.protocol.rtc import JoinRequest, SignalRequest, WrappedJoinRequest

from tertulia_sfu.errors import InvalidRequest

MAX_JOIN_REQUEST_BYTES: Final = 1024 * 1024
MAX_FRAME_BYTES: Final = 2 * 1024 * 1024

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


def unwrap_join_request(text: str) -> JoinRequest:
    """Decode `join_request` of a `/rtc/v1` URL: base64url of a WrappedJoinRequest, gzipped or not, at most 1 MiB.

    Raise InvalidRequest for anything else.
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
        return JoinRequest.FromString(data)
    except (binascii.Error, ValueError, DecodeError, zlib.error):
        raise InvalidRequest("The join_request cannot be read.") from None


def _gunzip(data: bytes) -> bytes:
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    inflated = inflater.decompress(data, MAX_JOIN_REQUEST_BYTES + 1)
    if not inflater.eof and len(inflated) <= MAX_JOIN_REQUEST_BYTES:
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
