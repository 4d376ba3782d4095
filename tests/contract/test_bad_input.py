"""Malformed input: refused or closed with a reason, and no effect on the server or on other participants."""

from __future__ import annotations

import asyncio
import base64
import os

import aiohttp
import pytest
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import (
    JoinRequest,
    LeaveRequest,
    Ping,
    RequestResponse,
    SessionDescription,
    SignalRequest,
    SignalResponse,
    TrickleRequest,
    WrappedJoinRequest,
)

from support.livekit_clients import LiveKitClient, joined, token
from support.media_servers import RunningServer
from support.signal_connection import JOIN, join_url, raw_connection, receive, receive_until, wrapped


async def close_code_of(connection: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read until the connection is closed. Return the code."""
    async with asyncio.timeout(15):
        async for _message in connection:
            pass
    return connection.close_code


async def still_works(server: RunningServer, room: str, witness: LiveKitClient) -> None:
    """Check that a new client can join, and that the witness was not affected."""
    async with joined(server, token(server, "newcomer", room)):
        await witness.sees("newcomer")
    assert witness.room.isconnected()
    assert witness.events_named("reconnecting") == []


@pytest.mark.parametrize("size", [1_000, 20_000, 100_000])
@pytest.mark.only("embedded", "livekit-server has its own limits")
async def test_long_request_lines_are_accepted(server: RunningServer, room: str, size: int) -> None:
    request = JoinRequest()
    request.CopyFrom(JOIN)
    request.client_info.other_sdks = base64.b64encode(os.urandom(size)).decode()
    async with raw_connection(server, token(server, "ann", room), request) as connection:
        assert (await receive(connection, "join")).join.participant.identity == "ann"


async def test_both_forms_of_join_request_are_accepted(server: RunningServer, room: str) -> None:
    for compress in (False, True):
        async with raw_connection(server, token(server, "ann", room), compress=compress) as connection:
            joined_as = (await receive(connection, "join")).join
            assert joined_as.participant.sid.startswith("PA_")
            assert joined_as.server_info.protocol >= 16
            assert joined_as.ping_interval > 0
            assert joined_as.ping_timeout > 0


@pytest.mark.parametrize(
    "join_request",
    [
        "",
        "%%%",
        base64.urlsafe_b64encode(os.urandom(300)).decode(),
        wrapped(b"\xff" * 40),
        base64.urlsafe_b64encode(
            WrappedJoinRequest(compression=WrappedJoinRequest.GZIP, join_request=b"not gzip").SerializeToString()
        ).decode(),
        wrapped(bytes(2 * 1024 * 1024), compress=True),
    ],
    ids=["empty", "not base64", "random", "not a message", "not gzip", "bomb"],
)
async def test_malformed_join_requests_are_refused(server: RunningServer, room: str, join_request: str) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(join_url(server, token(server, "ann", room), join_request))
        assert caught.value.status == 400


@pytest.mark.only("embedded", "livekit-server ignores such frames or closes differently")
@pytest.mark.parametrize(
    "frame", [b"\xff" * 100, b"\x0a\xff", "text", bytes(3 * 1024 * 1024)], ids=["garbage", "cut", "text", "huge"]
)
async def test_malformed_frames_end_the_session(server: RunningServer, room: str, frame: bytes | str) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        async with raw_connection(server, token(server, "mallory", room)) as connection:
            await receive(connection, "join")
            await ann.sees("mallory")
            if isinstance(frame, str):
                await connection.send_str(frame)
            else:
                await connection.send_bytes(frame)
            if len(frame) < 1000:
                left = (await receive(connection, "leave")).leave
                assert left.reason == DisconnectReason.STATE_MISMATCH
                assert await close_code_of(connection) == 1000
            else:
                assert await close_code_of(connection) == 1009
            await ann.misses("mallory", within_s=5)
        await still_works(server, room, ann)


@pytest.mark.only("embedded", "livekit-server waits for its negotiation timeout")
@pytest.mark.parametrize(
    "sdp", ["", "v=0", "garbage\r\n" * 1000, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio"]
)
async def test_malformed_offers_require_a_full_reconnect(server: RunningServer, room: str, sdp: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        async with raw_connection(server, token(server, "mallory", room)) as connection:
            await receive(connection, "join")
            offer = SessionDescription(type="offer", sdp=sdp, id=1)
            await connection.send_bytes(SignalRequest(offer=offer).SerializeToString())
            left = (await receive(connection, "leave")).leave
            assert (left.reason, left.action) == (DisconnectReason.STATE_MISMATCH, LeaveRequest.RECONNECT)
            assert await close_code_of(connection) == 1000
        await still_works(server, room, ann)


async def test_candidates_that_cannot_be_read_are_refused_and_bad_ones_ignored(
    server: RunningServer, room: str
) -> None:
    unreadable = ["", "{", "[]", '{"candidate": 5}']
    bad = ["null", '{"candidate": "garbage"}', '{"candidate": "candidate:x"}']
    async with raw_connection(server, token(server, "ann", room)) as connection:
        await receive(connection, "join")
        for init in (*unreadable, *bad):
            await connection.send_bytes(SignalRequest(trickle=TrickleRequest(candidateInit=init)).SerializeToString())
        answers = [(await receive(connection, "request_response")).request_response for _ in unreadable]
        assert {each.reason for each in answers} == {RequestResponse.UNCLASSIFIED_ERROR}
        assert [each.trickle.candidateInit for each in answers] == unreadable
        await connection.send_bytes(SignalRequest(ping_req=Ping(timestamp=7, rtt=1)).SerializeToString())
        told = await receive_until(connection, "pong_resp")
        assert told[-1].pong_resp.last_ping_timestamp == 7
        assert not [each for each in told if each.HasField("request_response")]


async def test_both_pings_are_answered(server: RunningServer, room: str) -> None:
    async with raw_connection(server, token(server, "ann", room)) as connection:
        await receive(connection, "join")
        await connection.send_bytes(SignalRequest(ping=12345).SerializeToString())
        assert (await receive(connection, "pong")).pong > 1_700_000_000_000


async def test_a_resume_without_a_session_requires_a_full_reconnect(server: RunningServer, room: str) -> None:
    request = JoinRequest()
    request.CopyFrom(JOIN)
    request.reconnect = True
    request.participant_sid = "PA_unknown"
    async with raw_connection(server, token(server, "ann", room), request) as connection:
        first = SignalResponse.FromString(await connection.receive_bytes())
        assert first.WhichOneof("message") == "leave"
        assert (first.leave.reason, first.leave.action) == (DisconnectReason.STATE_MISMATCH, LeaveRequest.RECONNECT)


async def test_a_connection_that_closes_before_media_is_up_ends_the_session(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        async with raw_connection(server, token(server, "bob", room)) as connection:
            await receive(connection, "join")
            await ann.sees("bob")
        await ann.misses("bob", within_s=20)
