"""The Python client, sync and async, against the real server."""

from __future__ import annotations

import asyncio
import io
import logging
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from support.cuttable_relay import relay_thread
from support.rest import API_KEY, FAR, RestServer
from tertulia_client import (
    AsyncClient,
    ChatPreferences,
    Client,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    NotFound,
    RoomPreferences,
    TimedOut,
    TooManyRequests,
    Unauthenticated,
)

on_sqlite = pytest.mark.parametrize("server", ["sqlite"], indirect=True)


class Losing(httpx.HTTPTransport):
    """Sends requests, and loses the first answers: the server has done what was asked."""

    def __init__(self, lost: int = 1, answers: list[httpx.Response] | None = None) -> None:
        super().__init__()
        self.requests: list[httpx.Request] = []
        self._lost = lost
        self._answers = answers or []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self._answers:
            return self._answers.pop(0)
        response = super().handle_request(request)
        if len(self.requests) <= self._lost:
            response.read()
            raise httpx.ReadError("the connection broke", request=request)
        return response


class LosingAsync(httpx.AsyncHTTPTransport):
    """The same for asyncio."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers["idempotency-key"])
        response = await super().handle_async_request(request)
        if len(self.keys) == 1:
            await response.aread()
            raise httpx.ReadError("the connection broke", request=request)
        return response


@pytest.fixture
def client(server: RestServer) -> Iterator[Client]:
    with Client(server.url, API_KEY) as made:
        yield made


@pytest.fixture
async def async_client(server: RestServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(server.url, API_KEY) as made:
        yield made


def prefix() -> str:
    return f"p{uuid.uuid4().hex[:12]}"


@on_sqlite
def test_rooms(client: Client):
    in_an_hour = datetime.fromtimestamp(time.time(), UTC) + timedelta(hours=1)
    preferences = RoomPreferences(chat_preferences=ChatPreferences(enabled=False))
    room = client.rooms.create(in_an_hour, room_name_prefix="standup", max_participants=4, preferences=preferences)
    assert room.room_name.startswith("standup-")
    assert (room.expiration_date, room.max_participants) == (int(in_an_hour.timestamp() * 1000), 4)
    assert room.preferences.chat_preferences
    assert room.preferences.chat_preferences.enabled is False
    assert client.rooms.get(room.room_name) == room
    changed = client.rooms.update(room.room_name, chat_preferences=ChatPreferences(enabled=True))
    assert changed.preferences.chat_preferences
    assert changed.preferences.chat_preferences.enabled is True
    assert client.rooms.rotate_links(room.room_name).moderator_url != room.moderator_url
    assert client.participants.list(room.room_name) == []
    client.rooms.delete(room.room_name)
    with pytest.raises(NotFound) as caught:
        client.rooms.get(room.room_name)
    assert (caught.value.status, caught.value.code) == (404, "room_not_found")
    assert caught.value.request_id


@on_sqlite
async def test_rooms_async(async_client: AsyncClient):
    room = await async_client.rooms.create(FAR, room_name_prefix="standup")
    assert await async_client.rooms.get(room.room_name) == room
    token = await async_client.participants.token(room.room_name, "Ana", room.publisher_url.partition("secret=")[2])
    assert token.token.count(".") == 2
    await async_client.rooms.delete(room.room_name)
    with pytest.raises(NotFound):
        await async_client.rooms.delete(room.room_name)


@on_sqlite
def test_a_list_comes_in_pages(client: Client):
    mine = prefix()
    made = [client.rooms.create(FAR, room_name_prefix=mine).room_name for _ in range(5)]
    found = [room.room_name for room in client.rooms.list(page_size=2) if room.room_name_prefix == mine]
    assert found == made[::-1]


@on_sqlite
async def test_a_list_comes_in_pages_async(async_client: AsyncClient):
    mine = prefix()
    made = await asyncio.gather(*(async_client.rooms.create(FAR, room_name_prefix=mine) for _ in range(5)))
    found = [room async for room in async_client.rooms.list(page_size=2) if room.room_name_prefix == mine]
    assert {room.room_name for room in found} == {room.room_name for room in made}
    assert len(found) == 5


@on_sqlite
def test_a_repetition_creates_nothing_twice(server: RestServer):
    mine, transport = prefix(), Losing()
    with Client(server.url, API_KEY, transport=transport) as client:
        room = client.rooms.create(FAR, room_name_prefix=mine)
        assert len(transport.requests) == 2
        assert [each.room_name for each in client.rooms.list() if each.room_name_prefix == mine] == [room.room_name]


@on_sqlite
async def test_a_repetition_creates_nothing_twice_async(server: RestServer):
    mine, transport = prefix(), LosingAsync()
    async with AsyncClient(server.url, API_KEY, transport=transport) as client:
        await client.rooms.create(FAR, room_name_prefix=mine)
    assert len(transport.keys) == 2
    assert len(set(transport.keys)) == 1
    async with AsyncClient(server.url, API_KEY) as client:
        assert len([each async for each in client.rooms.list() if each.room_name_prefix == mine]) == 1


@on_sqlite
def test_a_repeated_deletion_has_deleted(server: RestServer, client: Client):
    room = client.rooms.create(FAR)
    with Client(server.url, API_KEY, transport=Losing()) as other:
        other.rooms.delete(room.room_name)
        with pytest.raises(NotFound):
            other.rooms.delete(room.room_name)


@on_sqlite
def test_what_may_not_be_repeated_is_not(server: RestServer, client: Client):
    room, transport = client.rooms.create(FAR), Losing()
    with Client(server.url, API_KEY, transport=transport) as other, pytest.raises(ConnectionFailed):
        other.rooms.rotate_links(room.room_name)
    assert len(transport.requests) == 1


@on_sqlite
def test_retry_after_is_respected(server: RestServer, monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    busy = httpx.Response(429, json={"code": "too_many", "message": "Later"}, headers={"retry-after": "7"})
    with Client(server.url, API_KEY, transport=Losing(0, [busy])) as client:
        room = client.rooms.create(FAR)
        client.rooms.end(room.room_name)
    assert waits == [7]
    later = httpx.Response(429, json={"code": "too_many", "message": "Later"}, headers={"retry-after": "3600"})
    with Client(server.url, API_KEY, transport=Losing(0, [later])) as client, pytest.raises(TooManyRequests) as caught:
        client.rooms.get(room.room_name)
    assert caught.value.retry_after_s == 3600
    assert waits == [7]


@on_sqlite
def test_the_servers_own_429(server: RestServer, client: Client):
    """Wrong secrets are limited to thirty a minute and address: this test has an address of its own."""
    room, transport = client.rooms.create(FAR), httpx.HTTPTransport(local_address="127.0.0.77")
    with Client(server.url, API_KEY, retries=0, transport=transport) as eve:
        for _ in range(30):
            with pytest.raises(NotFound):
                eve.participants.token(room.room_name, "Eve", "wrong")
        with pytest.raises(TooManyRequests) as caught:
            eve.participants.token(room.room_name, "Eve", "wrong")
    assert caught.value.retry_after_s
    assert caught.value.retry_after_s > 0


@on_sqlite
def test_errors(server: RestServer, client: Client):
    with pytest.raises(InvalidRequest) as invalid:
        client.rooms.create(1)
    assert [each.field for each in invalid.value.details] == ["expirationDate"]
    with pytest.raises(Conflict):
        client.recordings.start(client.rooms.create(FAR).room_name)
    with Client(server.url, "wrong-key-0123456789") as other, pytest.raises(Unauthenticated):
        list(other.rooms.list())
    for name in ("", ".", ".."):
        with pytest.raises(ValueError, match="room_name"):
            client.rooms.get(name)
    with pytest.raises(NotFound):
        client.rooms.get("a/b?c#d%2e")
    with pytest.raises(ValueError, match="time zone"):
        client.rooms.create(datetime(2030, 1, 1))  # noqa: DTZ001


def test_nobody_listens():
    with Client("http://127.0.0.1:9", API_KEY, retries=1) as client, pytest.raises(ConnectionFailed) as caught:
        client.rooms.get("a")
    assert API_KEY not in str(caught.value)


@contextmanager
def stalled(server: RestServer) -> Iterator[str]:
    """A server that takes requests and does not answer."""
    with relay_thread(int(server.url.rpartition(":")[2])) as relay:
        relay.stall()
        yield f"http://127.0.0.1:{relay.port}"


@on_sqlite
def test_time_out(server: RestServer):
    with (
        stalled(server) as url,
        Client(url, API_KEY, timeout_s=0.3, retries=0) as client,
        pytest.raises(TimedOut),
    ):
        client.rooms.get("a")


@on_sqlite
def test_secrets_are_not_shown(server: RestServer, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    with Client(server.url, API_KEY) as client:
        room = client.rooms.create(FAR)
        secret = room.publisher_url.partition("secret=")[2]
        token = client.participants.token(room.room_name, "Ana", secret)
        shown = "".join(map(repr, (client, room, token, client._caller.settings))) + caplog.text
    assert "POST" in caplog.text
    assert room.room_name in repr(room)
    for each in (API_KEY, secret, token.token, room.moderator_url, room.viewer_url):
        assert each not in shown


@on_sqlite
def test_no_cookie_is_kept(client: Client):
    """The token's cookie would change who asks."""
    room = client.rooms.create(FAR)
    client.participants.token(room.room_name, "Ana", room.publisher_url.partition("secret=")[2])
    assert not client._caller.http.cookies


class Breaking(httpx.HTTPTransport):
    """Breaks the first download off in its middle."""

    def __init__(self) -> None:
        super().__init__()
        self.ranges: list[str | None] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.ranges.append(request.headers.get("range"))
        response = super().handle_request(request)
        if len(self.ranges) > 1:
            return response
        body = response.read()

        class Half(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                yield body[: len(body) // 2]
                raise httpx.ReadError("the connection broke")

        return httpx.Response(response.status_code, headers=response.headers, stream=Half())


@on_sqlite
def test_a_download_goes_on_where_it_broke_off(server: RestServer, client: Client):
    media = bytes(range(256)) * 400
    recording = server.add_recording(client.rooms.create(FAR).room_name, media=media)
    transport, file = Breaking(), io.BytesIO()
    with Client(server.url, API_KEY, transport=transport) as breaking:
        assert breaking.recordings.download(recording.id, file) == len(media)
    assert file.getvalue() == media
    assert transport.ranges == [None, f"bytes={len(media) // 2}-"]
    assert client.recordings.get(recording.id).status == "STOPPED"
    client.recordings.delete_many([recording.id])
    with pytest.raises(NotFound):
        client.recordings.download(recording.id, io.BytesIO())


@on_sqlite
async def test_a_download_async(server: RestServer, async_client: AsyncClient):
    recording = server.add_recording((await async_client.rooms.create(FAR)).room_name, media=b"film" * 1000)
    file = io.BytesIO()
    assert await async_client.recordings.download(recording.id, file) == 4000
    assert file.getvalue() == b"film" * 1000
