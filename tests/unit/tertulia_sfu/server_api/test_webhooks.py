"""Delivery of webhooks: in order for each room, no room waits for another, and dropped ones are counted."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest
from livekit.protocol.models import Room
from livekit.protocol.webhook import WebhookEvent

from tertulia_sfu.server_api.webhooks import MAX_QUEUED, Webhooks, WebhookSink
from tertulia_sfu.tokens import Tokens


def webhooks(sink: WebhookSink) -> Webhooks:
    return Webhooks(sink=sink, urls=(), key="k", tokens=Tokens({"k": "s" * 32}, lambda: 0.0), clock=lambda: 1000.0)


async def test_a_room_waits_for_its_own_failures_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia_sfu.server_api.webhooks.FIRST_RETRY_S", 0.01)
    received: dict[str, list[str]] = defaultdict(list)
    failures = {"slow": 3}

    async def sink(event: WebhookEvent) -> None:
        if failures.get(event.room.name, 0) > 0:
            failures[event.room.name] -= 1
            raise OSError("not now")
        received[event.room.name].append(event.event)

    hooks = webhooks(sink)
    for number in range(3):
        for room in ("slow", "quick"):
            hooks(str(number), room=Room(name=room))
    await hooks.stop(5)
    assert received == {"slow": ["0", "1", "2"], "quick": ["0", "1", "2"]}


async def test_a_receiver_that_never_answers_costs_a_bounded_queue() -> None:
    called, may_answer = asyncio.Event(), asyncio.Event()
    received: list[WebhookEvent] = []

    async def sink(event: WebhookEvent) -> None:
        called.set()
        await may_answer.wait()
        received.append(event)

    hooks = webhooks(sink)
    hooks("first", room=Room(name="r"))
    await called.wait()
    for number in range(MAX_QUEUED + 5):
        hooks(str(number), room=Room(name="r"))
    may_answer.set()
    await hooks.stop(5)
    assert len(received) == MAX_QUEUED + 1
    assert [event.num_dropped for event in received[:3]] == [0, 5, 0]
    assert received[1].event == "5", "the oldest are dropped first"


async def test_stopping_does_not_wait_for_ever() -> None:
    async def sink(_event: WebhookEvent) -> None:
        await asyncio.Event().wait()

    hooks = webhooks(sink)
    hooks("stuck", room=Room(name="r"))
    async with asyncio.timeout(5):
        await hooks.stop(0.01)
