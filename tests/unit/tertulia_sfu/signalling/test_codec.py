"""Decoding of join requests and signal requests: what is accepted, what is refused."""

from __future__ import annotations

import base64
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.models import ClientInfo
from livekit.protocol.rtc import AddTrackRequest, JoinRequest, SessionDescription, WrappedJoinRequest

from tertulia_sfu.errors import InvalidRequest
from tertulia_sfu.signalling.codec import (
    ALWAYS_ALLOWED_BYTES,
    MAX_FRAME_BYTES,
    MAX_JOIN_TRACKS,
    parse_signal_request,
    unwrap_join_request,
)

REQUEST = JoinRequest(metadata="grüße", participant_sid="PA_x")

CAPABILITIES = JoinRequest(client_info=ClientInfo(capabilities=[ClientInfo.CAP_PACKET_TRAILER] * 880_000))


def encode(data: bytes, compression: WrappedJoinRequest.Compression = WrappedJoinRequest.NONE) -> str:
    wrapped = WrappedJoinRequest(compression=compression, join_request=data)
    return base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()


@pytest.mark.parametrize("padded", [True, False])
def test_both_compressions_padded_or_not(padded: bool) -> None:
    data = REQUEST.SerializeToString()
    for text in (encode(data), encode(gzip.compress(data), WrappedJoinRequest.GZIP)):
        assert unwrap_join_request(text if padded else text.rstrip("=")) == REQUEST


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ä",
        "%%%%",
        "abc d",
        encode(b"\xff" * 9),
        encode(b"not gzip", WrappedJoinRequest.GZIP),
        encode(gzip.compress(REQUEST.SerializeToString(), mtime=0)[:-9], WrappedJoinRequest.GZIP),
        encode(gzip.compress(bytes(1024 * 1024 + 1), mtime=0), WrappedJoinRequest.GZIP),
        encode(gzip.compress(bytes(200 * 1024 * 1024), mtime=0), WrappedJoinRequest.GZIP),
        encode(bytes(1024 * 1024 + 1)),
        encode(gzip.compress(CAPABILITIES.SerializeToString()), WrappedJoinRequest.GZIP),
        encode(JoinRequest(add_track_requests=[AddTrackRequest()] * (MAX_JOIN_TRACKS + 1)).SerializeToString()),
    ],
)
def test_what_is_not_a_join_request(text: str) -> None:
    with pytest.raises(InvalidRequest):
        unwrap_join_request(text)


def test_an_offer_of_100_sections_may_be_compressed() -> None:
    section = "".join(f"a=rtpmap:{number} VP8/90000\r\na=rtcp-fb:{number} goog-remb\r\n" for number in range(96, 156))
    sdp = "".join(f"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\n{section}" for mid in range(100))
    request = JoinRequest(publisher_offer=SessionDescription(type="offer", sdp=sdp))
    data = request.SerializeToString()
    assert len(data) > ALWAYS_ALLOWED_BYTES
    assert unwrap_join_request(encode(gzip.compress(data), WrappedJoinRequest.GZIP)) == request


@given(st.text(max_size=100))
def test_garbage_is_refused_or_empty(text: str) -> None:
    try:
        unwrap_join_request(text)
    except InvalidRequest:
        return


@pytest.mark.parametrize("frame", [None, b"\xff\xff", bytes(MAX_FRAME_BYTES + 1)], ids=["text", "garbage", "huge"])
def test_what_is_not_a_signal_request(frame: bytes | None) -> None:
    with pytest.raises(InvalidRequest):
        parse_signal_request(frame)
