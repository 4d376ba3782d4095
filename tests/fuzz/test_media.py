"""Packets: RTP, RTCP, SCTP and data by a participant, STUN, DTLS and noise by strangers, against a live server.

Two clients of LiveKit's SDK are in the same room, receive what can be received, and must not be disturbed.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any, Final

import aiohttp
from livekit.protocol.models import DataPacket

from fuzz.conftest import Fuzzing
from fuzz.corpus import datagrams
from fuzz.mutation import mutate_message, mutated_bytes
from fuzz.packets import DATA_PACKETS, RTCP, Media, changed_sctp, sctp_chunks
from support.livekit_clients import LiveKitClient, joined
from support.raw_peer import UFRAG, RawPeer, binding_request, raw_peer
from support.rest import RestServer, TestRoom
from support.signal_connection import raw_connection

PACKETS_OF_A_PEER: Final = 400
AT_ONCE: Final = 20
LARGEST_DATA: Final = 8_000
"""In one chunk, in one datagram: on loopback that is no problem."""
STRANGERS: Final = 50


@asynccontextmanager
async def witnesses(server: RestServer, room: TestRoom) -> AsyncIterator[tuple[LiveKitClient, LiveKitClient]]:
    """Two participants who hear each other, before and after."""
    tokens = [server.token(room, name, "publisher") for name in ("Ann", "Bob")]
    clients: Any = server
    async with joined(clients, tokens[0]) as ann, joined(clients, tokens[1]) as bob:
        await ann.sounds()
        await bob.receives("Ann", 2)
        yield ann, bob
        assert await bob.wait_for_event("active_speakers_changed")
        for client in (ann, bob):
            assert client.room.isconnected()
            assert client.events_named("reconnecting") == client.events_named("disconnected") == []


@asynccontextmanager
async def fuzzing_peer(
    server: RestServer, token: str
) -> AsyncIterator[tuple[RawPeer, aiohttp.ClientWebSocketResponse]]:
    clients: Any = server
    async with raw_connection(clients, token) as signalling, raw_peer(signalling) as peer:
        yield peer, signalling


def send_something(random: Random, peer: RawPeer, media: Media) -> None:
    """Send a packet, often with changes, inside the session or beside it."""
    changed = lambda data: mutated_bytes(random, data, longest=1200) if random.random() < 0.6 else data  # noqa: E731
    match random.randrange(12):
        case 0 | 1 | 2 | 3:
            peer.send_rtp(changed(media.next_rtp()))
        case 4 | 5:
            peer.send_rtcp(changed(b"".join(random.choices(RTCP, k=random.choice((1, 1, 2, 5))))))
        case 6:
            chunks = random.choices(sctp_chunks(peer.tsn), k=random.choice((1, 1, 2)))
            peer.send_sctp(changed_sctp(random, peer.tag, changed(b"".join(chunks))))
        case 7 | 8 | 9:
            packet = DataPacket.FromString(random.choice(DATA_PACKETS).SerializeToString())
            if random.random() < 0.7:
                mutate_message(random, packet, known=["Ann", "Bob", "Fuzzer"])
            peer.send_data(
                random.randrange(2),
                changed(packet.SerializeToString()[:LARGEST_DATA]),
                random.choice((53, 53, 53, 51, 50)),
            )
        case 10:
            check = binding_request(f"{peer.remote_ufrag}:{UFRAG}", peer.remote_password)
            peer.send(mutated_bytes(random, check, datagrams()))
        case _:
            peer.send(mutated_bytes(random, random.choice(datagrams()), datagrams(), longest=1400))


async def test_packets_of_a_participant(unharmed: RestServer, fuzzing: Fuzzing) -> None:
    random, room = fuzzing.random, unharmed.create_room()
    token = unharmed.token(room, "Fuzzer", "publisher")
    async with witnesses(unharmed, room) as (ann, bob):
        rounds = fuzzing.rounds(4)
        for _ in rounds:
            media = Media(random)
            async with fuzzing_peer(unharmed, token) as (peer, signalling):
                peer.send_data(0, DATA_PACKETS[0].SerializeToString())
                for _ in range(10):
                    peer.send_rtp(media.next_rtp())
                for number in range(PACKETS_OF_A_PEER):
                    send_something(random, peer, media)
                    if number % AT_ONCE == 0:
                        peer.check()
                        await asyncio.sleep(0.01)
                    if signalling.closed:
                        break
        await bob.until(lambda: bob.events_named("data_received"), "data of the fuzzing peer")
        assert "Fuzzer" in {arguments[2].identity for arguments in ann.events_named("track_subscribed")}


async def test_packets_of_strangers(unharmed: RestServer, fuzzing: Fuzzing) -> None:
    """From many addresses, with the ufrag of a participant, and without."""
    random, room = fuzzing.random, unharmed.create_room()
    token = unharmed.token(room, "Fuzzer", "publisher")
    async with witnesses(unharmed, room), fuzzing_peer(unharmed, token) as (peer, _signalling):
        assert peer._transport is not None
        target = peer._transport.get_extra_info("peername")
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(STRANGERS)]
        known = [*datagrams(), binding_request(f"{peer.remote_ufrag}:x", "wrong"), *RTCP, Media(random).next_rtp()]
        for each in sockets:
            each.setblocking(False)
        for number in fuzzing.rounds(20_000):
            with suppress(BlockingIOError):
                random.choice(sockets).sendto(mutated_bytes(random, random.choice(known), known, longest=1400), target)
            if number % 50 == 0:
                await asyncio.sleep(0.002)
        for each in sockets:
            each.close()
