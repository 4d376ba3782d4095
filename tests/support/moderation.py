"""What participants show one another and moderators ask of them, over any media server: the scenario of two suites."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

from support.livekit_clients import LiveKitClient, joined
from support.rest import RestServer, TestRoom

HAND = "tertulia.hand"
AT_ONCE_S = 5.0
"""Far more than the 300 ms in which all see a hand or a reaction: a busy machine is not a defect."""


class Where(Protocol):
    """Where clients connect."""

    ws_url: str


async def hands_and_reactions(server: RestServer, room: TestRoom, where: Callable[[str], Where]) -> None:
    """Raise, order and lower hands; react; be refused for others; and see that no client can pretend any of it."""
    tokens = {name: server.token(room, name, role) for name, role in _PARTICIPANTS.items()}
    path = f"/rooms/{room.name}/participants"

    def ask(who: str, method: str, path: str, body: Any = None) -> Awaitable[int]:
        return asyncio.to_thread(lambda: server.internal(method, path, body, bearer=tokens[who]).status_code)

    async with AsyncExitStack() as stack:
        clients = {name: await stack.enter_async_context(joined(where(token), token)) for name, token in tokens.items()}
        mona, pia, _ = (clients[name] for name in _PARTICIPANTS)
        await mona.sees("Vera")
        assert await ask("Vera", "PUT", f"{path}/Vera/hand") == 204
        assert await ask("Pia", "PUT", f"{path}/Pia/hand") == 204
        await _until_hands(mona, ["Vera", "Pia"])
        raised = _hands(mona)
        assert await ask("Vera", "PUT", f"{path}/Vera/hand") == 204, "a hand that is up stays up"
        listed = await asyncio.to_thread(lambda: server.ask("GET", path).json())
        assert {one["participantName"]: one.get("handRaisedAt") for one in listed} == {**raised, "Mona": None}
        assert await ask("Vera", "DELETE", f"{path}/Pia/hand") == 403
        assert await ask("Vera", "PUT", f"{path}/Pia/hand") == 403
        assert await ask("Mona", "DELETE", f"{path}/Vera/hand") == 204
        await _until_hands(mona, ["Pia"])
        assert await ask("Mona", "DELETE", f"/rooms/{room.name}/hands") == 204
        await _until_hands(mona, [])

        began = time.monotonic()
        assert await ask("Vera", "POST", f"{path}/Vera/reactions", {"reaction": "🎉"}) == 204
        for client in (mona, pia):
            await client.until(
                lambda client=client: _messages(client, "tertulia.reaction"), "a reaction", within_s=AT_ONCE_S
            )
            assert _messages(client, "tertulia.reaction") == [{"participantName": "Vera", "reaction": "🎉"}]
        assert time.monotonic() - began < AT_ONCE_S
        assert await ask("Vera", "POST", f"{path}/Pia/reactions", {"reaction": "🎉"}) == 403
        assert await ask("Vera", "POST", f"{path}/Vera/reactions", {"reaction": "<b>"}) == 422
        forged = json.dumps({"participantName": "Mona", "reaction": "👎"})
        await pia.me.publish_data(forged, topic="tertulia.reaction")
        await mona.until(lambda: _senders(mona, forged), "the forged message")
        assert _senders(mona, forged) == ["Pia"], "what a client sends is known as the client's"


async def microphones_and_cameras(server: RestServer, room: TestRoom, where: Callable[[str], Where]) -> None:
    """Mute all but the own, stop a camera, ask to unmute; and that only moderators may."""
    tokens = {name: server.token(room, name, role) for name, role in _PARTICIPANTS.items()}

    def ask(who: str, path: str) -> Awaitable[int]:
        path = f"/rooms/{room.name}{path}"
        return asyncio.to_thread(lambda: server.internal("POST", path, bearer=tokens[who]).status_code)

    async with (
        joined(where(tokens["Mona"]), tokens["Mona"]) as mona,
        joined(where(tokens["Pia"]), tokens["Pia"]) as pia,
    ):
        await mona.sounds()
        await pia.sounds()
        await pia.shows()
        await mona.until(lambda: len(mona.events_named("track_subscribed")) == 2, "Pia's tracks")
        for path in ("/mute-all", "/participants/Mona/stop-camera", "/participants/Mona/ask-to-unmute"):
            assert await ask("Vera", path) == 403
        assert await ask("Mona", "/mute-all") == 204
        await pia.wait_for_event("track_muted")
        assert [one.muted for one in mona.me.track_publications.values()] == [False], "not the one who asked"
        assert await ask("Mona", "/participants/Pia/stop-camera") == 204
        await mona.until(lambda: len(mona.events_named("track_muted")) == 2, "the camera to stop")
        assert await ask("Mona", "/participants/Pia/ask-to-unmute") == 204
        await pia.until(lambda: _messages(pia, "tertulia.ask-to-unmute"), "the question")
        assert _messages(mona, "tertulia.ask-to-unmute") == []
        assert await ask("Mona", "/participants/Nobody/ask-to-unmute") == 404


_PARTICIPANTS = {"Mona": "moderator", "Pia": "publisher", "Vera": "viewer"}


def _hands(client: LiveKitClient) -> dict[str, int]:
    others = client.room.remote_participants.values()
    return {other.identity: int(other.attributes[HAND]) for other in others if other.attributes.get(HAND)}


async def _until_hands(client: LiveKitClient, expected: list[str]) -> None:
    def in_order() -> bool:
        hands = _hands(client)
        return sorted(hands, key=lambda name: hands[name]) == expected

    await client.until(in_order, f"hands of {expected}", within_s=AT_ONCE_S)


def _messages(client: LiveKitClient, topic: str) -> list[Any]:
    """The server's own messages: those without a sender."""
    packets = [packet for (packet,) in client.events_named("data_received")]
    return [json.loads(packet.data) for packet in packets if packet.topic == topic and packet.participant is None]


def _senders(client: LiveKitClient, text: str) -> list[str | None]:
    packets = [packet for (packet,) in client.events_named("data_received")]
    return [packet.participant and packet.participant.identity for packet in packets if packet.data == text.encode()]
