"""Rooms in the console: searched, sorted, paged, deleted together; and a message to all who are in one."""

from __future__ import annotations

import asyncio
import json
import time
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert

from support.livekit_clients import joined
from support.rest import FAR, RestServer, TestRoom, now_ms
from tertulia.adapters.sql.tables import rooms
from tertulia.adapters.sql.transaction import SqlTransaction

PATH = "/console/rooms"


@pytest.fixture(scope="module")
def admin(server: RestServer) -> str:
    return server.log_in()["accessToken"]


def names(server: RestServer, admin: str, query: str, *, pages_of: int = 2) -> list[str]:
    """Walk all pages."""
    found: list[str] = []
    token = ""
    while True:
        answer = server.internal("GET", f"{PATH}?{query}&maxItems={pages_of}{token}", bearer=admin)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()) <= pages_of
        found += [room["roomName"] for room in answer.json()]
        if "x-next-page-token" not in answer.headers:
            return found
        token = f"&nextPageToken={answer.headers['x-next-page-token']}"


def test_search_and_sort(server: RestServer, admin: str):
    mark = uuid4().hex[:10]
    made = [
        server.create_room(roomNamePrefix=f"{letter} {mark}", expirationDate=FAR - number).name
        for number, letter in enumerate("bca")
    ]
    b, c, a = made
    assert names(server, admin, f"search={mark.upper()}") == [a, c, b]
    assert names(server, admin, f"search={mark}&order=asc") == [b, c, a]
    assert names(server, admin, f"search={mark}&sort=name&order=asc") == [a, b, c]
    assert names(server, admin, f"search={mark}&sort=name") == [c, b, a]
    assert names(server, admin, f"search={mark}&sort=expires&order=asc") == [a, c, b]
    assert names(server, admin, f"search={a[-15:]}") == [a]
    assert names(server, admin, f"search=c%20{mark}") == [c]  # the prefix as it was sent
    assert names(server, admin, f"search={mark}%25") == names(server, admin, "search=_" * 10) == []


def test_prefixes_in_any_language(server: RestServer, admin: str):
    room = server.create_room(roomNamePrefix='Sprechstunde "Ä" 日本\0').name
    assert names(server, admin, "search=%22%C3%84%22%20%E6%97%A5") == [room]


def test_who_is_in(server: RestServer, room: TestRoom, admin: str):
    def found(query: str = "") -> list[dict[str, Any]]:
        answer = server.internal("GET", f"{PATH}?search={room.name}{query}", bearer=admin)
        return list(answer.json())

    async def with_pia() -> list[list[dict[str, Any]]]:
        async with joined(server, server.token(room, "Pia")):
            return [await asyncio.to_thread(found), await asyncio.to_thread(found, "&live=true")]

    assert [each["participants"] for each in found()] == [0]
    assert found("&live=true") == []
    for listed in asyncio.run(with_pia()):
        assert [(each["roomName"], each["participants"]) for each in listed] == [(room.name, 1)]
        assert listed[0]["moderatorURL"] == room.answer["moderatorURL"]


@pytest.mark.parametrize(
    "query",
    ["sort=none", "order=none", "maxItems=0", "maxItems=101", "maxItems=x", "live=1", "nextPageToken=x", "search=%00",
     "search=" + 201 * "x", "nextPageToken=bnVsbA==", "nextPageToken=WyJuYW1lIiwxLCJ4Il0="],
)  # fmt: skip
def test_bad_queries(server: RestServer, admin: str, query: str):
    assert server.internal("GET", f"{PATH}?{query}", bearer=admin).status_code == 422


def test_deleting_several(server: RestServer, admin: str):
    gone, kept = [server.create_room().name for _ in range(3)], server.create_room().name
    body = {"roomNames": [*gone, gone[0], "unknown", "bad name"]}
    assert server.internal("DELETE", PATH, body, bearer=admin).status_code == 204
    assert [server.ask("GET", f"/rooms/{name}").status_code for name in gone] == [404] * 3
    assert server.ask("GET", f"/rooms/{kept}").status_code == 200
    assert server.internal("DELETE", PATH, {"roomNames": []}, bearer=admin).status_code == 204
    for bad in ({}, {"roomNames": "x"}, {"roomNames": [1]}, {"roomNames": ["x"] * 1001}):
        assert server.internal("DELETE", PATH, bad, bearer=admin).status_code == 422


async def test_a_message_to_all(server: RestServer, room: TestRoom, admin: str):
    def say(message: str, name: str = room.name) -> int:
        return server.internal("POST", f"/rooms/{name}/notices", {"message": message}, bearer=admin).status_code

    assert say("Hello?") == 409
    assert say("Hello?", "unknown") == 404
    assert (say(" "), say(501 * "x")) == (422, 422)
    async with joined(server, server.token(room, "Pia")) as client:
        assert await asyncio.to_thread(say, "In five minutes we end.") == 204
        (told,) = await client.wait_for_event("data_received")
        assert (told.topic, told.participant) == ("tertulia.notice", None)
        assert json.loads(told.data) == {"message": "In five minutes we end."}


@pytest.mark.measures_time
def test_a_hundred_thousand_rooms(server: RestServer, admin: str):
    """ "100,000 rooms …: any page, search or sort ≤ 300 ms" """

    began_ms = now_ms()

    def add(tx: SqlTransaction, numbers: range) -> None:
        tx._connection.execute(
            insert(rooms),
            [
                {
                    "name": f"many-{number:06}", "prefix_json": '"many"', "created_at_ms": began_ms - number,
                    "expires_at_ms": FAR - number, "chat_enabled": True, "recording_enabled": True,
                    "virtual_background_enabled": True, "moderator_secret": "m" * 32, "publisher_secret": "p" * 32,
                    "viewer_secret": "v" * 32,
                }
                for number in numbers
            ],
        )  # fmt: skip

    for first in range(0, 100_000, 10_000):  # as one write it may take longer than the database is given
        server.write(partial(add, numbers=range(first, first + 10_000)))
    try:
        took_ms = {}
        for query in (
            "", "search=many-0999", "search=nothing", "search=9", "sort=name&order=asc", "sort=expires",
            "sort=expires&search=77", "sort=name&search=MANY-05",
        ):  # fmt: skip
            token = ""
            for page in range(2):
                began = time.perf_counter()
                answer = server.internal("GET", f"{PATH}?maxItems=100&{query}{token}", bearer=admin)
                took_ms[query, page] = (time.perf_counter() - began) * 1000
                assert answer.status_code == 200
                token = f"&nextPageToken={answer.headers.get('x-next-page-token', '')}"
                if token.endswith("="):
                    break
        print({key: round(value, 1) for key, value in took_ms.items()})
        assert max(took_ms.values()) <= 300, took_ms
    finally:
        server.write(lambda tx: tx._connection.execute(rooms.delete().where(rooms.c.name.startswith("many-"))))
