"""A server whose PostgreSQL stops answering, restarts or takes no writes, while requests come all the time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from support.cuttable_relay import RelayThread, relay_thread
from support.postgres import Postgres, running_postgres
from support.rest import API_KEY, FAR, PUBLIC, RestServer, TestRoom, running_server

pytestmark = [pytest.mark.measures_time, pytest.mark.timeout(120)]
ANSWERED_WITHIN_S = 5.0
BACK_WITHIN_S = 5.0
OF_EACH_KIND = 3


@dataclass(frozen=True)
class Parts:
    """A cluster, a network to it that can stall, and a server behind that network."""

    cluster: Postgres
    relay: RelayThread
    server: RestServer
    rooms: list[TestRoom]
    """One for each application: who gives a token holds the room's row, also while its connection hangs."""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    with running_postgres() as cluster, relay_thread(cluster.port) as relay:
        url = cluster.new_database().replace(f":{cluster.port}/", f":{relay.port}/")
        with running_server(tmp_path_factory.mktemp("outages"), TERTULIA_DATABASE_URL=url) as server:
            yield Parts(cluster, relay, server, [server.create_room() for _ in range(OF_EACH_KIND)])
            assert "Traceback" not in server.log(), server.log()


@dataclass(frozen=True)
class Answer:
    """What an application saw."""

    kind: str
    began_at_s: float
    took_s: float
    status: int
    code: str | None
    retry_after: str | None


class Applications:
    """Read, create and ask for tokens all the time."""

    def __init__(self, parts: Parts, http: aiohttp.ClientSession) -> None:
        self.kinds: dict[str, tuple[str, str, Callable[[TestRoom, int], object]]] = {
            "read": ("GET", "/rooms/{room}", lambda _room, _number: None),
            "create": ("POST", "/rooms", lambda _room, _number: {"expirationDate": FAR}),
            "token": (
                "POST",
                "/participants/token",
                lambda room, number: {
                    "roomName": room.name,
                    "secret": room.secret("publisher"),
                    "participantName": f"p{number}",
                },
            ),
        }
        self.rooms = parts.rooms
        self.answers: list[Answer] = []
        self.http = http

    async def ask(self, kind: str, room: TestRoom) -> None:
        number = 0
        while True:
            number += 1
            method, path, body = self.kinds[kind]
            began_at_s = time.monotonic()
            async with self.http.request(
                method, f"{PUBLIC}{path.format(room=room.name)}", json=body(room, number)
            ) as response:
                said = await response.json()
                took_s = time.monotonic() - began_at_s
            code, retry_after = said.get("code"), response.headers.get("retry-after")
            self.answers.append(Answer(kind, began_at_s, took_s, response.status, code, retry_after))
            await asyncio.sleep(0.03)

    async def until(self, is_so: Callable[[], bool], *, within_s: float) -> None:
        async with asyncio.timeout(within_s):
            while not is_so():
                await asyncio.sleep(0.02)

    async def readiness(self, status: int) -> dict[str, str]:
        """Wait until the server says whether it is ready, which it may say a second late."""
        async with asyncio.timeout(4):
            while True:
                async with self.http.get("/health/ready") as answer:
                    if answer.status == status:
                        return dict(await answer.json())
                await asyncio.sleep(0.05)

    async def all_answered(self, *, since_s: float, within_s: float = BACK_WITHIN_S) -> None:
        """Wait until every kind was answered by 200, several times in a row."""

        def is_so() -> bool:
            newest = [[each for each in self.answers if each.kind == kind][-5:] for kind in self.kinds]
            return all(
                len(kind) == 5 and all(each.status == 200 and each.began_at_s > since_s for each in kind)
                for kind in newest
            )

        await self.until(is_so, within_s=within_s)


@asynccontextmanager
async def applications(parts: Parts) -> AsyncIterator[Applications]:
    """Run three of each kind as long as the block lasts; then check what all of them were told."""
    headers, timeout = {"X-API-KEY": API_KEY}, aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(parts.server.url, headers=headers, timeout=timeout) as http:
        made = Applications(parts, http)
        asking = [asyncio.ensure_future(made.ask(kind, room)) for kind in made.kinds for room in made.rooms]
        try:
            await made.all_answered(since_s=0, within_s=20)
            yield made
            assert not any(each.done() for each in asking)
        finally:
            for each in asking:
                each.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
    assert {each.status for each in made.answers} == {200, 503}
    assert max(each.took_s for each in made.answers) < ANSWERED_WITHIN_S
    refused = {(each.code, each.retry_after) for each in made.answers if each.status == 503}
    assert refused == {("store_unavailable", "5")}


def stalled(parts: Parts) -> AbstractContextManager[None]:
    @contextmanager
    def outage() -> Iterator[None]:
        parts.relay.stall()
        try:
            yield
        finally:
            parts.relay.resume()

    return outage()


def stopped(parts: Parts) -> AbstractContextManager[None]:
    @contextmanager
    def outage() -> Iterator[None]:
        parts.cluster.stop("immediate")
        try:
            yield
        finally:
            parts.cluster.start()

    return outage()


@pytest.mark.parametrize("how", ["stalled", "frozen", "stopped"])
async def test_the_database_is_away(parts: Parts, how: str):
    """(issue 10) 503 within 5 s, `/health/ready` says so, and all is well 5 s after the database is."""
    made = {"stalled": stalled, "stopped": stopped, "frozen": lambda each: each.cluster.frozen(supervisor_too=True)}
    outage = made[how](parts)
    async with applications(parts) as asking:
        await asyncio.to_thread(outage.__enter__)
        try:
            kinds = set(asking.kinds)
            await asking.until(
                lambda: kinds == {each.kind for each in asking.answers if each.status == 503}, within_s=8
            )
            said = await asking.readiness(503)
            assert (said["status"], said["database"], said["media"]) == ("not_ready", "unavailable", "ok")
            async with asking.http.get("/health") as alive:
                assert alive.status == 200
        finally:
            await asyncio.to_thread(outage.__exit__, None, None, None)
        await asking.all_answered(since_s=time.monotonic())
        assert (await asking.readiness(200))["status"] == "ready"


async def test_some_backends_hang(parts: Parts):
    """Who meets one is refused in time, and the others are served by new connections while they hang."""
    async with applications(parts) as asking:
        with parts.cluster.frozen(supervisor_too=False):
            await asking.all_answered(since_s=time.monotonic(), within_s=ANSWERED_WITHIN_S + 2)
        await asking.all_answered(since_s=time.monotonic())


async def test_a_standby_takes_no_writes(parts: Parts):
    async with applications(parts) as asking:
        parts.cluster.set_read_only(read_only=True)
        try:
            await asking.until(
                lambda: {each.kind for each in asking.answers if each.status == 503} == {"create", "token"}, within_s=5
            )
            assert (await asking.readiness(503))["database"] == "unavailable"
        finally:
            parts.cluster.set_read_only(read_only=False)
        await asking.all_answered(since_s=time.monotonic())
    assert {each.status for each in asking.answers if each.kind == "read"} == {200}
