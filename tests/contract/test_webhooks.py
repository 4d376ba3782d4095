"""Webhooks: signed, in order, and retried."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from livekit import api
from livekit.protocol.webhook import WebhookEvent

from support.livekit_clients import joined, token
from support.media_servers import KEY, SECRET, RunningServer, embedded, find_livekit_server, livekit


@dataclass
class Receiver:
    """An application's webhook endpoint, which checks the signature with LiveKit's own code."""

    url: str = ""
    failures: int = 0
    events: list[WebhookEvent] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        if self.failures > 0:
            self.failures -= 1
            return web.Response(status=500)
        assert request.content_type == "application/webhook+json"
        receiver = api.WebhookReceiver(api.TokenVerifier(KEY, SECRET))
        self.events.append(receiver.receive(await request.text(), request.headers["Authorization"]))
        self.changed.set()
        return web.Response()

    async def until(self, *names: str) -> None:
        """Wait until all these events have come."""
        async with asyncio.timeout(40):
            while not set(names) <= {event.event for event in self.events}:
                self.changed.clear()
                await self.changed.wait()

    def names(self) -> list[str]:
        return [event.event for event in self.events]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@pytest.fixture(params=["embedded", *(["livekit"] if find_livekit_server() else [])])
async def reporting(request: pytest.FixtureRequest) -> AsyncIterator[tuple[RunningServer, Receiver]]:
    """A server that sends its webhooks to a receiver."""
    async with receiving() as receiver:
        if request.param == "embedded":
            async with embedded(webhook_urls=[receiver.url]) as server:
                yield server, receiver
        else:
            with livekit(webhook_urls=[receiver.url]) as process:
                await process.wait_until_alive()
                yield RunningServer("livekit", process.ports.http), receiver


async def test_a_meeting_is_reported_from_start_to_end(reporting: tuple[RunningServer, Receiver], room: str) -> None:
    server, receiver = reporting

    def short(made: api.AccessToken) -> None:
        made.with_room_config(api.RoomConfiguration(departure_timeout=1, empty_timeout=1))

    async with joined(server, token(server, "ann", room, change=short)) as ann:
        await receiver.until("room_started", "participant_joined")
        publication = await ann.sounds()
        await receiver.until("track_published")
        await ann.me.unpublish_track(publication.sid)
        await receiver.until("track_unpublished")
    await receiver.until("participant_left", "room_finished")
    assert receiver.names() == [
        "room_started",
        "participant_joined",
        "track_published",
        "track_unpublished",
        "participant_left",
        "room_finished",
    ]
    by_name = {event.event: event for event in receiver.events}
    assert {event.room.name for event in receiver.events} == {room}
    assert by_name["participant_joined"].participant.identity == "ann"
    assert by_name["track_published"].participant.identity == "ann"
    assert by_name["track_published"].track.sid == publication.sid
    assert all(event.id.startswith("EV_") and event.created_at > 1_700_000_000 for event in receiver.events)
    assert len({event.id for event in receiver.events}) == len(receiver.events)


async def test_an_event_that_failed_is_retried_in_order(reporting: tuple[RunningServer, Receiver], room: str) -> None:
    server, receiver = reporting
    receiver.failures = 2
    async with joined(server, token(server, "ann", room)):
        await receiver.until("room_started", "participant_joined")
    await receiver.until("participant_left")
    assert receiver.names() == ["room_started", "participant_joined", "participant_left"]


async def test_a_sink_in_the_same_process_receives_the_same(room: str) -> None:
    events: list[WebhookEvent] = []

    async def sink(event: WebhookEvent) -> None:
        events.append(event)

    async with embedded(webhook_sink=sink) as server, joined(server, token(server, "ann", room)):
        pass
    assert [event.event for event in events] == [
        "room_started",
        "participant_joined",
        "participant_left",
        "room_finished",
    ]
    assert json.loads(json.dumps(events[1].participant.identity)) == "ann"
