"""Many logins at once: a hash of a password costs what it should cost who guesses, and not the others."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Final
from urllib.parse import urlsplit

import pytest

from abuse.conftest import Victim, cpu_s
from support.rest import INTERNAL, RestServer

EACH_SECOND: Final = 200
SECONDS: Final = 4
_addresses: Final = count(1)


async def tries(server: RestServer, username: str, address: str) -> tuple[int, bool]:
    """Log in with a wrong password from an address: the status, and whether it says when to come again."""
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, local_addr=(address, 0))
    body = json.dumps({"username": username, "password": "a wrong one"}).encode()
    writer.write(
        f"POST {INTERNAL}/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    answer = await reader.read()
    writer.close()
    return int(answer.split(b" ")[1]), b"retry-after:" in answer.lower()


def strangers(usernames: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Names and addresses, all of them different machines."""
    for number in _addresses:
        yield next(usernames), f"127.9.{number // 250}.{number % 250 + 1}"


@pytest.mark.measures_time
@pytest.mark.parametrize("accounts", ["one", "many"])
async def test_many_logins_at_once(victim: Victim, accounts: str):
    """At most one core, little memory, and the administrator still gets in from where that was done before."""
    server = victim.server
    server.log_in()
    idle_from, seconds = cpu_s(server), asyncio.get_running_loop().time()
    await victim.bystanders.measure(2)
    idle = (cpu_s(server) - idle_from) / (asyncio.get_running_loop().time() - seconds)
    names = strangers(f"user{number}" if accounts == "many" else "admin" for number in count())
    await victim.bystanders.start()
    began, used = asyncio.get_running_loop().time(), cpu_s(server)
    async with asyncio.TaskGroup() as group:
        tasks = []
        for number in range(EACH_SECOND * SECONDS):
            await asyncio.sleep(max(0.0, began + number / EACH_SECOND - asyncio.get_running_loop().time()))
            tasks.append(group.create_task(tries(server, *next(names))))
            if number == EACH_SECOND:
                tasks.append(group.create_task(asyncio.to_thread(lambda: (bool(server.log_in()), False))))
    cores = (cpu_s(server) - used) / (asyncio.get_running_loop().time() - began) - idle
    during = await victim.bystanders.report()
    victim.assert_unharmed(during)
    assert cores < 1.1
    statuses = Counter(task.result() for task in tasks)
    print(accounts, statuses, f"{cores:.2f} cores", during)
    assert set(statuses) <= {(401, False), (429, True), (True, False)}
    assert statuses[429, True] > EACH_SECOND
