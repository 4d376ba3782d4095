"""Bytes to messages and back: the signalling frames and the join request that travels in the URL."""

import base64
import binascii
import json
import zlib
from typing import Final

from google.protobuf.message import DecodeError
from livekit.protocol.rtc import JoinRequest, SignalRequest, WrappedJoinRequest

from tertulia_sfu.errors import InvalidRequest

MAX_JOIN_REQUEST_BYTES: Final = 1024 * 1024
MAX_FRAME_BYTES: Final = 2 * 1024 * 1024
MAX_CANDIDATE_CHARS: Final = 1024

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


def unwrap_join_request(text: str) -> JoinRequest:
    """The join request of a `/rtc/v1` URL: base64url of a wrapper whose content may be gzipped (1 MiB at most).

    Raises InvalidRequest for everything that is not one.
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
    """One signalling frame; None stands for a text frame. Raises InvalidRequest if it is not one."""
    if frame is None or len(frame) > MAX_FRAME_BYTES:
        raise InvalidRequest("Signalling messages are binary and at most 2 MiB large.")
    try:
        return SignalRequest.FromString(frame)
    except DecodeError:
        raise InvalidRequest("A signalling message cannot be read.") from None


def candidate_line(candidate_init: str) -> str | None:
    """The candidate of a trickled RTCIceCandidateInit (JSON), or None where there is nothing to use in it."""
    try:
        init = json.loads(candidate_init)
    except (ValueError, RecursionError):
        return None
    line = init.get("candidate") if isinstance(init, dict) else None
    if not isinstance(line, str) or not line or len(line) > MAX_CANDIDATE_CHARS:
        return None
    return line
