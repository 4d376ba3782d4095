"""Data between participants: reliable, lossy, streams, calls, and what the server API sends."""

from __future__ import annotations

import asyncio

import pytest
from livekit import api, rtc
from livekit.protocol.models import DataPacket

from support.livekit_clients import LiveKitClient, joined, token
from support.media_servers import RunningServer


@pytest.mark.parametrize("reliable", [True, False], ids=["reliable", "lossy"])
async def test_packets_reach_everyone_else_with_their_true_sender(
    server: RunningServer, room: str, reliable: bool
) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.sees("bob")
        await bob.sees("ann")
        await ann.me.publish_data(b"hello", reliable=reliable, topic="chat")
        (packet,) = await bob.wait_for_event("data_received")
        assert (packet.data, packet.topic, packet.participant.identity) == (b"hello", "chat", "ann")
        await bob.me.publish_data(b"back", reliable=reliable)
        (packet,) = await ann.wait_for_event("data_received")
        assert packet.data == b"back"
        assert len(ann.events_named("data_received")) == 1, "no echo"


async def test_a_thousand_reliable_packets_arrive_once_and_in_order(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.sees("bob")
        for number in range(1000):
            await ann.me.publish_data(str(number).encode())
        await bob.until(lambda: len(bob.events_named("data_received")) >= 1000, "all packets")
        assert [int(packet.data) for (packet,) in bob.events_named("data_received")] == list(range(1000))


async def test_packets_for_one_reach_only_that_one(server: RunningServer, room: str) -> None:
    async with (
        joined(server, token(server, "ann", room)) as ann,
        joined(server, token(server, "bob", room)) as bob,
        joined(server, token(server, "eve", room)) as eve,
    ):
        await ann.sees("bob")
        await ann.sees("eve")
        await ann.me.publish_data(b"secret", destination_identities=["bob"])
        await ann.me.publish_data(b"for all")
        await eve.wait_for_event("data_received")
        await bob.until(lambda: len(bob.events_named("data_received")) == 2, "both packets")
        assert [packet.data for (packet,) in eve.events_named("data_received")] == [b"for all"]


async def _text_of(client: LiveKitClient, topic: str) -> asyncio.Future[tuple[str, str]]:
    received: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
    reading: list[asyncio.Future[None]] = []

    async def read(reader: rtc.TextStreamReader, identity: str) -> None:
        received.set_result((identity, await reader.read_all()))

    client.room.register_text_stream_handler(
        topic, lambda reader, identity: reading.append(asyncio.ensure_future(read(reader, identity)))
    )
    return received


@pytest.mark.parametrize("length", [5, 100_000])
async def test_text_streams_arrive_whole(server: RunningServer, room: str, length: int) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        received = await _text_of(bob, "lk.chat")
        await ann.sees("bob")
        text = ("grüß dich 👋 " * length)[:length]
        await ann.me.send_text(text, topic="lk.chat")
        async with asyncio.timeout(15):
            assert await received == ("ann", text)


async def test_calls_between_participants(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:

        async def welcome(call: rtc.RpcInvocationData) -> str:
            return f"hello {call.caller_identity}"

        bob.me.register_rpc_method("welcome", welcome)
        await ann.sees("bob")
        await bob.sees("ann")
        answer = await ann.me.perform_rpc(destination_identity="bob", method="welcome", payload="")
        assert answer == "hello ann"


async def test_the_server_api_sends_data(server: RunningServer, room: str, admin: api.LiveKitAPI) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.sees("bob")
        for data, to in ((b"all", []), (b"only bob", ["bob"])):
            request = api.SendDataRequest(
                room=room, data=data, kind=DataPacket.RELIABLE, topic="news", destination_identities=to
            )
            await admin.room.send_data(request)
        await bob.until(lambda: len(bob.events_named("data_received")) == 2, "both")
        (first,), (second,) = bob.events_named("data_received")
        assert (first.data, first.topic, first.participant) == (b"all", "news", None)
        assert second.data == b"only bob"
        await ann.wait_for_event("data_received")
        assert len(ann.events_named("data_received")) == 1
