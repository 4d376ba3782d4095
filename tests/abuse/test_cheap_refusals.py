"""Requests without authority, as large and as odd as they may be, as fast as a stranger can send them."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Final
from urllib.parse import urlsplit

import pytest

from abuse.conftest import Victim
from support.rest import INTERNAL, PUBLIC, RestServer

ATTACK_S: Final = 3.0
CONNECTIONS: Final = 4
UNKNOWN_FIELDS: Final = json.dumps({f"field{number}": number for number in range(60_000)}).encode()


def _post(path: str, body: bytes) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _get(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()


REQUESTS: Final = {
    "unknown-fields-to-the-login": _post(f"{INTERNAL}/auth/login", UNKNOWN_FIELDS),
    "unknown-fields-for-a-token": _post(f"{PUBLIC}/participants/token", UNKNOWN_FIELDS),
    "query-of-60-kB": _get(f"{PUBLIC}/rooms?" + "&".join(f"a{number}=%41" for number in range(7_000))),
    "signalling-URL-of-267-kB": _get("/rtc/v1?access_token=x&join_request=" + "A" * 267_000),
    "link-of-an-unknown-room": _post(
        f"{PUBLIC}/participants/token",
        json.dumps({"roomName": "none", "participantName": "x", "secret": "x" * 32}).encode(),
    ),
}


async def _ask(server: RestServer, request: bytes) -> bytes:
    """Send a request on a connection of its own; return what was answered, cut off or not."""
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    answer = b""
    try:
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), ATTACK_S)
    except ConnectionError:  # refused before it was read to its end
        pass
    finally:
        writer.close()
    return answer


@pytest.mark.measures_time
@pytest.mark.parametrize("name", REQUESTS)
async def test_refusals_cost_the_others_nothing(victim: Victim, name: str):
    request, until = REQUESTS[name], time.monotonic() + ATTACK_S
    answers: list[bytes] = []

    async def attack() -> None:
        while time.monotonic() < until:
            answers.append(await _ask(victim.server, request))

    await victim.bystanders.start()
    await asyncio.gather(*(attack() for _ in range(CONNECTIONS)))
    victim.assert_unharmed(await victim.bystanders.report(), dropped_after_s=0.0)
    assert len(answers) > 10
    assert max(len(answer) for answer in answers) < 64 * 1024
    assert not any(answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5")) for answer in answers if answer)
