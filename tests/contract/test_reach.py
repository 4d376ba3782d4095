"""How clients reach the media server: by IPv6 alone, by TCP where UDP is blocked, by a TURN server."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from livekit import rtc
from livekit.protocol.rtc import SignalRequest

from support.blocked_udp import blocked_udp
from support.chatting import bot_in
from support.coturn import SECRET, Coturn, coturn
from support.cuttable_relay import cuttable_relay
from support.livekit_clients import RED, is_near, joined, mean_colour, token, tone
from support.media_server_process import MediaServerProcess
from support.media_servers import RunningServer, embedded
from support.network_namespace import run_in_network
from support.ports import free_port
from support.product import running_product
from support.signalling_relay import relayed_signalling
from support.tls import self_signed
from tertulia.domain.ids import Millis
from tertulia.services.turn import turn_login
from tertulia_sfu.config import IceServer
from tertulia_sfu.stun import public_address

CAMERA, MICROPHONE = rtc.TrackSource.SOURCE_CAMERA, rtc.TrackSource.SOURCE_MICROPHONE


@pytest.mark.parametrize("address", ["2001:db8::7", "192.0.2.7"])
async def test_clients_meet_at_one_address_of_either_family(address: str) -> None:
    received = await run_in_network(["2001:db8::7/64", "192.0.2.7/24"], "support.meeting_at_address", address)
    assert int(received.split()[-1]) > 20


@pytest.fixture
async def process() -> AsyncIterator[MediaServerProcess]:
    process = MediaServerProcess("tertulia")
    await process.start()
    yield process
    await process.kill()


async def test_clients_without_udp_meet_by_tcp(process: MediaServerProcess) -> None:
    async with blocked_udp(process) as relayed:
        server = RunningServer("relayed", relayed.port)
        async with (
            joined(server, token(server, "ann", "room")) as ann,
            joined(server, token(server, "bob", "room")) as bob,
        ):
            await ann.shows(RED, size=(1280, 720), simulcast=True)
            await ann.sounds(440)
            assert is_near(await mean_colour(await bob.receives("ann", CAMERA), RED), RED)
            assert await tone(await bob.receives("ann", MICROPHONE), 440) == pytest.approx(440, abs=20)


async def test_a_client_that_hides_its_addresses_is_found_by_its_checks(process: MediaServerProcess) -> None:
    """Browsers tell names of their addresses (mDNS), which the server neither looks up nor needs."""
    hidden: list[str] = []

    def hide(data: bytes) -> bytes:
        request = SignalRequest.FromString(data)
        if request.HasField("trickle"):
            name = rf"\1 {uuid.uuid4()}.local"
            candidate = re.sub(r"(candidate:\S+ 1 \w+ \d+) \S+", name, request.trickle.candidateInit)
            hidden.append(candidate)
            request.trickle.candidateInit = candidate
        return request.SerializeToString()

    async with relayed_signalling(process, up=hide) as relayed:
        server = RunningServer("relayed", relayed.port)
        async with (
            joined(server, token(server, "ann", "room")) as ann,
            joined(server, token(server, "bob", "room")) as bob,
        ):
            await ann.shows(RED)
            assert is_near(await mean_colour(await bob.receives("ann", CAMERA), RED), RED)
    assert any(".local" in candidate for candidate in hidden), hidden


async def test_a_client_that_takes_nothing_by_tcp_stalls_nobody(process: MediaServerProcess) -> None:
    async with cuttable_relay() as relay, blocked_udp(process, tcp_port=relay.port) as relayed:
        relay.target_port = process.tcp_port
        server, by_tcp = RunningServer("direct", process.port), RunningServer("relayed", relayed.port)
        async with (
            joined(server, token(server, "ann", "room")) as ann,
            joined(server, token(server, "bob", "room")) as bob,
            joined(by_tcp, token(server, "cat", "room")) as cat,
        ):
            await ann.shows(RED, size=(1280, 720))
            at_bob, at_cat = await bob.receives("ann", CAMERA), await cat.receives("ann", CAMERA)
            await _pictures(at_cat, 5)
            relay.stall()
            await _pictures(at_bob, 60)
            relay.resume()
            await _pictures(at_cat, 15)
            assert not cat.events_named("disconnected")


async def _pictures(track: rtc.Track, count: int) -> None:
    """Wait until so many more pictures were received."""
    stream = rtc.VideoStream(track)
    try:
        async with asyncio.timeout(20):
            for _ in range(count):
                await anext(stream)
    finally:
        await stream.aclose()


async def test_media_and_https_share_a_port(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    port = free_port()
    settings = {"TERTULIA_TLS_CERT": str(certificate), "TERTULIA_TLS_KEY": str(key)}
    async with running_product(
        tmp_path, settings=settings | {"TERTULIA_MEDIA_TCP_PORT": str(port)}, port=port
    ) as product:
        room = await product.create_room()
        # the SDK would not trust the certificate: signalling comes by the port that recorders use
        inside = MediaServerProcess("tertulia", int((tmp_path / "data" / "loopback-port").read_text()), tcp_port=port)
        async with blocked_udp(inside) as relayed:
            product.url = relayed.url
            async with bot_in(product, room, "Ann") as ann, bot_in(product, room, "Bob") as bob:
                await ann.shows(RED)
                assert is_near(await mean_colour(await bob.receives(ann.me.identity, CAMERA), RED), RED)
                assert (await product.ask("GET", f"/rooms/{room.name}"))["roomName"] == room.name, "HTTPS goes on"


@pytest.fixture
async def turn_server(tmp_path: Path) -> AsyncIterator[Coturn]:
    async with coturn(tmp_path) as running:
        yield running


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_clients_meet_by_a_turn_server_with_the_logins_that_we_issue(turn_server: Coturn, transport: str) -> None:
    def ice_servers(participant: str) -> list[IceServer]:
        login = turn_login(SECRET, participant, now_ms=Millis(int(time.time() * 1000)))
        return [IceServer((turn_server.url(transport),), login.username, login.credential)]

    relayed_only = rtc.RoomOptions(
        rtc_config=rtc.RtcConfiguration(ice_transport_type=rtc.IceTransportType.TRANSPORT_RELAY)
    )
    async with (
        embedded(ice_servers=ice_servers) as server,
        joined(server, token(server, "ann", "room"), options=relayed_only) as ann,
        joined(server, token(server, "bob", "room"), options=relayed_only) as bob,
    ):
        await ann.shows(RED)
        assert is_near(await mean_colour(await bob.receives("ann", CAMERA), RED), RED)


async def test_a_stun_server_tells_the_public_address(turn_server: Coturn) -> None:
    assert await public_address("127.0.0.1", turn_server.port) == "127.0.0.1"
