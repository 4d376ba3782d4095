"""Garbage on the wire: refused or closed with a reason, the server goes on, and nobody else notices."""

from __future__ import annotations

import asyncio
import base64
import os

import aiohttp
import pytest
from livekit import rtc
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import (
    JoinRequest,
    LeaveRequest,
    Ping,
    SessionDescription,
    SignalRequest,
    SignalResponse,
    TrickleRequest,
    WrappedJoinRequest,
)

from support.livekit_clients import Person, joined, token
from support.media_servers import RunningServer
from support.signal_connection import JOIN, join_url, raw_line, receive, wrapped


async def close_of(line: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read on until the line is closed; the code."""
    async with asyncio.timeout(15):
        async for _message in line:
            pass
    return line.close_code


async def still_works(server: RunningServer, room: str, witness: Person) -> None:
    """Somebody new can join, and the witness was not touched."""
    async with joined(server, token(server, "newcomer", room)):
        await witness.sees("newcomer")
    assert witness.room.isconnected()
    assert witness.heard("reconnecting") == []


@pytest.mark.parametrize("size", [1_000, 20_000, 100_000])
@pytest.mark.only("embedded", "livekit-server has its own limits")
async def test_long_request_lines_are_taken(server: RunningServer, room: str, size: int) -> None:
    request = JoinRequest()
    request.CopyFrom(JOIN)
    request.client_info.other_sdks = base64.b64encode(os.urandom(size)).decode()
    async with raw_line(server, token(server, "ann", room), request) as line:
        assert (await receive(line, "join")).join.participant.identity == "ann"


async def test_both_forms_of_join_request_are_taken(server: RunningServer, room: str) -> None:
    for compress in (False, True):
        async with raw_line(server, token(server, "ann", room), compress=compress) as line:
            joined_as = (await receive(line, "join")).join
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
            WrappedJoinRequest(compression=WrappedJoinRequest.GZIP, join_request=b"no gzip").SerializeToString()
        ).decode(),
        wrapped(bytes(2 * 1024 * 1024), compress=True),
    ],
    ids=["empty", "no base64", "random", "no message", "no gzip", "bomb"],
)
async def test_join_requests_that_are_none(server: RunningServer, room: str, join_request: str) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(join_url(server, token(server, "ann", room), join_request))
        assert caught.value.status == 400


@pytest.mark.only("embedded", "what livekit-server does here is its own affair")
@pytest.mark.parametrize(
    "frame", [b"\xff" * 100, b"\x0a\xff", "text", bytes(3 * 1024 * 1024)], ids=["garbage", "cut", "text", "huge"]
)
async def test_frames_that_are_no_messages_end_the_session(
    server: RunningServer, room: str, frame: bytes | str
) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        async with raw_line(server, token(server, "mallory", room)) as line:
            await receive(line, "join")
            await ann.sees("mallory")
            if isinstance(frame, str):
                await line.send_str(frame)
            else:
                await line.send_bytes(frame)
            if len(frame) < 1000:
                left = (await receive(line, "leave")).leave
                assert left.reason == DisconnectReason.STATE_MISMATCH
                assert await close_of(line) == 1000
            else:
                assert await close_of(line) == 1009
            await ann.misses("mallory", within_s=5)
        await still_works(server, room, ann)


@pytest.mark.only("embedded", "livekit-server waits for its negotiation timeout")
@pytest.mark.parametrize(
    "sdp", ["", "v=0", "garbage\r\n" * 1000, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio"]
)
async def test_offers_that_are_none_make_the_client_start_over(server: RunningServer, room: str, sdp: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        async with raw_line(server, token(server, "mallory", room)) as line:
            await receive(line, "join")
            offer = SessionDescription(type="offer", sdp=sdp, id=1)
            await line.send_bytes(SignalRequest(offer=offer).SerializeToString())
            left = (await receive(line, "leave")).leave
            assert (left.reason, left.action) == (DisconnectReason.STATE_MISMATCH, LeaveRequest.RECONNECT)
            assert await close_of(line) == 1000
        await still_works(server, room, ann)


async def test_candidates_that_are_none_are_ignored(server: RunningServer, room: str) -> None:
    async with raw_line(server, token(server, "ann", room)) as line:
        await receive(line, "join")
        for init in (
            "",
            "{",
            "[]",
            "null",
            '{"candidate": 5}',
            '{"candidate": "garbage"}',
            '{"candidate": "candidate:x"}',
        ):
            await line.send_bytes(SignalRequest(trickle=TrickleRequest(candidateInit=init)).SerializeToString())
        await line.send_bytes(SignalRequest(ping_req=Ping(timestamp=7, rtt=1)).SerializeToString())
        assert (await receive(line, "pong_resp")).pong_resp.last_ping_timestamp == 7


async def test_both_pings_are_answered(server: RunningServer, room: str) -> None:
    async with raw_line(server, token(server, "ann", room)) as line:
        await receive(line, "join")
        await line.send_bytes(SignalRequest(ping=12345).SerializeToString())
        assert (await receive(line, "pong")).pong > 1_700_000_000_000


async def test_a_resume_without_a_session_starts_over(server: RunningServer, room: str) -> None:
    request = JoinRequest()
    request.CopyFrom(JOIN)
    request.reconnect = True
    request.participant_sid = "PA_nobody"
    async with raw_line(server, token(server, "ann", room), request) as line:
        first = SignalResponse.FromString(await line.receive_bytes())
        assert first.WhichOneof("message") == "leave"
        assert (first.leave.reason, first.leave.action) == (DisconnectReason.STATE_MISMATCH, LeaveRequest.RECONNECT)


async def test_a_line_that_closes_before_media_was_there_ends_the_session(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        async with raw_line(server, token(server, "bob", room)) as line:
            await receive(line, "join")
            await ann.sees("bob")
        await ann.misses("bob", within_s=20)


@pytest.mark.only("embedded", "v0, which livekit-server has, comes later")
async def test_the_older_path_says_what_is_missing(server: RunningServer, room: str) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(f"{server.ws_url}/rtc?access_token={token(server, 'ann', room)}")
        assert caught.value.status == 404
        assert caught.value.headers is not None
        assert caught.value.headers["Access-Control-Allow-Origin"] == "*"
    person = Person(rtc.Room())
    with pytest.raises(rtc.ConnectError):
        async with asyncio.timeout(20):
            await person.room.connect(
                server.ws_url, token(server, "ann", room), rtc.RoomOptions(single_peer_connection=False)
            )
