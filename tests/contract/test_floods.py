"""A participant that floods the signalling: slowed, then removed with a reason in the log; the others do not notice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import aiohttp
import pytest
import structlog
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import (
    Ping,
    PublishDataTrackRequest,
    SignalRequest,
    SignalResponse,
    UnpublishDataTrackRequest,
    UpdateDataSubscription,
    UpdateParticipantMetadata,
    UpdateSubscription,
)

from support.livekit_clients import joined, token
from support.media_servers import RunningServer
from support.signal_connection import legacy_connection, raw_connection, receive
from tertulia_sfu.rooms.budget import MESSAGES_BURST

pytestmark = [
    pytest.mark.only("embedded", "livekit-server has no such limits"),
    pytest.mark.measures_time,
]

OTHERS = 29
ENDED_WITHIN_S = 10.0  # the flooding client shares the event loop of the server here


def pings(_number: int) -> SignalRequest:
    return SignalRequest(ping_req=Ping(timestamp=1, rtt=1))


def huge_frames(_number: int) -> SignalRequest:
    return SignalRequest(subscription=UpdateSubscription(track_sids=["TR_abcdefghijkl"] * 120_000))


def metadata(number: int) -> SignalRequest:
    return SignalRequest(update_metadata=UpdateParticipantMetadata(metadata=str(number % 10) * 500_000))


def data_subscriptions(_number: int) -> SignalRequest:
    updates = [UpdateDataSubscription.Update(track_sid="DTR_abcdefghijkl", subscribe=True)] * 20_000
    return SignalRequest(update_data_subscription=UpdateDataSubscription(updates=updates))


def new_and_ended_data_tracks(number: int) -> SignalRequest:
    if number % 2:
        return SignalRequest(unpublish_data_track_request=UnpublishDataTrackRequest(pub_handle=1))
    return SignalRequest(publish_data_track_request=PublishDataTrackRequest(pub_handle=1, name="track"))


async def flood(connection: aiohttp.ClientWebSocketResponse, request: Callable[[int], SignalRequest]) -> None:
    frames = [request(number).SerializeToString() for number in range(10)]
    with suppress(ConnectionError, aiohttp.ClientError):
        while True:
            for frame in frames:
                await connection.send_bytes(frame)


async def leave_of(connection: aiohttp.ClientWebSocketResponse) -> DisconnectReason | None:
    reason = None
    async for message in connection:
        response = SignalResponse.FromString(message.data)
        if response.HasField("leave"):
            reason = response.leave.reason
    return reason


ONE, TWO = raw_connection, legacy_connection
FLOODS = [
    (ONE, pings),
    (ONE, huge_frames),
    (ONE, metadata),
    (TWO, data_subscriptions),
]
"""Signalling with one or two peer connections, and what it is flooded with: many messages, much to parse, much that
others are told, much to do."""


@pytest.mark.parametrize(("connect", "request_of"), FLOODS)
async def test_floods_end_the_flooder(
    server: RunningServer, room: str, connect: Callable[..., Any], request_of: Callable[[int], SignalRequest]
) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        mallory = token(server, "mallory", room, can_update_own_metadata=True)
        async with connect(server, mallory) as connection, raw_connection(server, token(server, "bob", room)):
            await receive(connection, "join")
            await ann.sees("mallory")
            started = time.monotonic()
            with structlog.testing.capture_logs() as logs:
                async with asyncio.TaskGroup() as tasks:
                    flooding = tasks.create_task(flood(connection, request_of), name="flood")
                    async with asyncio.timeout(ENDED_WITHIN_S):
                        assert await leave_of(connection) == DisconnectReason.STATE_MISMATCH
                    flooding.cancel()
                await ann.misses("mallory", within_s=5)
            assert time.monotonic() - started < ENDED_WITHIN_S
        (line,) = [each for each in logs if each["event"] == "participant removed: its requests exceed the budget"]
        assert (line["room"], line["identity"], line["address"]) == (room, "mallory", "127.0.0.1")
        assert ann.room.isconnected()
        assert ann.events_named("reconnecting") == []


async def test_what_all_others_are_told_of_counts_for_more(server: RunningServer, room: str) -> None:
    async with AsyncExitStack() as stack:
        for number in range(OTHERS):
            await stack.enter_async_context(raw_connection(server, token(server, f"guest-{number}", room)))
        connection = await stack.enter_async_context(raw_connection(server, token(server, "mallory", room)))
        await receive(connection, "join")
        answers = 0
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            flooding = tasks.create_task(flood(connection, new_and_ended_data_tracks), name="flood")
            async for message in connection:
                kind = SignalResponse.FromString(message.data).WhichOneof("message")
                answers += kind in {"publish_data_track_response", "unpublish_data_track_response"}
            flooding.cancel()
        assert kind == "leave"
        assert 1_000 < answers < MESSAGES_BURST / 2
