"""The chat over any media server: the scenario of two suites."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from support.livekit_clients import LiveKitClient, joined
from support.moderation import Where
from support.rest import RestServer, TestRoom

LONGEST = "😀" * 4_000


async def messages_and_history(server: RestServer, room: TestRoom, where: Callable[[str], Where]) -> None:
    """Post as oneself alone, as the application for anyone; come later and see it; and nothing after the meeting."""
    tokens = {name: server.token(room, name, role) for name, role in {"Pia": "publisher", "Vera": "viewer"}.items()}
    path = f"/rooms/{room.name}"

    def put(who: str | None, author: str, message_id: str, text: str) -> Awaitable[int]:
        at = f"{path}/participants/{author}/messages/{message_id}"
        if who is None:
            return asyncio.to_thread(lambda: server.ask("PUT", at, {"text": text}).status_code)
        return asyncio.to_thread(lambda: server.internal("PUT", at, {"text": text}, bearer=tokens[who]).status_code)

    async def history(who: str) -> tuple[int, list[tuple[str, str]]]:
        answer = await asyncio.to_thread(server.internal, "GET", f"{path}/messages", bearer=tokens[who])
        found = answer.json() if answer.status_code == 200 else []
        return answer.status_code, [(one["participantName"], one["text"]) for one in found]

    async with joined(where(tokens["Pia"]), tokens["Pia"]) as pia:
        assert await put("Pia", "Pia", "m-1", "hello") == 204
        assert await put("Pia", "Pia", "m-1", "hello") == 204
        assert await put("Pia", "Vera", "m-1", "not mine") == 403
        assert await put("Vera", "Vera", "m-1", "not in the meeting") == 404
        assert (await history("Vera"))[0] == 404
        assert await put("Pia", "Pia", "m%201", "hello") == 422
        assert await put("Pia", "Pia", "m-2", LONGEST + "!") == 422
        assert await put(None, "Pia", "m-3", LONGEST) == 204
        await pia.until(lambda: len(_told(pia)) == 3, "the messages")
        assert [(one["messageId"], one["text"]) for one in _told(pia)][1:] == [("m-1", "hello"), ("m-3", LONGEST)]
        async with joined(where(tokens["Vera"]), tokens["Vera"]):
            assert await history("Vera") == (200, [("Pia", "hello"), ("Pia", LONGEST)])
        listed = await asyncio.to_thread(lambda: server.ask("GET", f"{path}/messages").json())
        assert [(one["messageId"], one["text"]) for one in listed] == [("m-1", "hello"), ("m-3", LONGEST)]

        off = {"chatPreferences": {"enabled": False}}
        assert (await asyncio.to_thread(server.ask, "PUT", path, off)).status_code == 200
        assert await put("Pia", "Pia", "m-4", "x") == 403
        assert (await history("Pia"))[0] == 403
        on = {"chatPreferences": {"enabled": True}}
        assert (await asyncio.to_thread(server.ask, "PUT", path, on)).status_code == 200
        assert len((await history("Pia"))[1]) == 2
        assert (await asyncio.to_thread(server.ask, "POST", f"{path}/end")).status_code == 204
        await pia.wait_for_event("disconnected")
    async with joined(where(tokens["Pia"]), tokens["Pia"]):
        assert await history("Pia") == (200, [])


def _told(client: LiveKitClient) -> list[Any]:
    packets = [packet for (packet,) in client.events_named("data_received")]
    return [json.loads(one.data) for one in packets if one.topic == "tertulia.chat" and one.participant is None]
