"""Signalling: recorded sessions with changed messages, over the real endpoint. Other participants do not notice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from google.protobuf.message import DecodeError
from livekit.protocol.rtc import JoinRequest, Ping, SignalRequest, SignalResponse

from fuzz.conftest import Fuzzing
from fuzz.corpus import sessions
from fuzz.mutation import LARGE_NUMBERS, TEXTS, mutate_message, mutated_bytes
from support.raw_websocket import raw_websocket
from support.rest import RestServer
from support.signal_connection import JOIN, join_url, wrapped

ANSWERED_WITHIN_S: Final = 3.0
REJOIN_S: Final = 30.0
"""A client without media is removed after a minute."""
IDENTITIES: Final = 100
"""Each may join once a second."""
LEGACY_QUERY: Final = {
    "auto_subscribe": "1",
    "auto_subscribe_data_track": "true",
    "adaptive_stream": "0",
    "sdk": "go",
    "version": "2.18.1",
    "protocol": "15",
    "client_protocol": "1",
    "attributes": "eyJhIjoiYiJ9",
    "capabilities": "CAP_PACKET_TRAILER,CAP_COMPRESSION_DEFLATE_RAW",
}
REFUSED: Final = {400, 401, 403, 404, 414, 431, 503}


class Witness:
    """A participant of the same room who pings, and must always be answered soon."""

    def __init__(self, server: RestServer, token: str, http: aiohttp.ClientSession) -> None:
        self._url = join_url(server, token, wrapped(JOIN))  # type: ignore[arg-type]
        self._http = http
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._joined_at = 0.0

    async def is_served(self) -> None:
        """Check that a ping is answered."""
        if self._socket is None or time.monotonic() > self._joined_at + REJOIN_S:
            self._socket = await self._http.ws_connect(self._url, max_msg_size=0)
            self._joined_at = time.monotonic()
        await self._socket.send_bytes(SignalRequest(ping_req=Ping(timestamp=1)).SerializeToString())
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            while SignalResponse.FromString(await self._socket.receive_bytes()).WhichOneof("message") != "pong_resp":
                pass


class Fuzzer:
    """A client that sends changed messages."""

    def __init__(self, random: Random, server: RestServer, tokens: list[str], http: aiohttp.ClientSession) -> None:
        self._random = random
        self._server = server
        self._tokens = tokens
        self._http = http
        self._requests = [request for session in sessions() for request in session[1:]]
        self.joined = 0

    async def run(self) -> None:
        """Join, send some messages, and wait until the server has read them or closed."""
        token = self._random.choice(self._tokens)
        url = (
            self._legacy_url(token)
            if self._random.random() < 0.3
            else join_url(self._server, token, self._join_request())  # type: ignore[arg-type]
        )
        try:
            async with self._http.ws_connect(url, max_msg_size=0) as socket:
                await self._talk(socket)
        except aiohttp.WSServerHandshakeError as error:
            if error.status not in REFUSED:
                raise
        except (aiohttp.ClientError, ConnectionError):
            return

    def _legacy_url(self, token: str) -> str:
        """Return the URL of a client with two peer connections, with some values changed."""
        random = self._random
        query: dict[str, str] = {"access_token": token} | LEGACY_QUERY
        for name in random.sample([*LEGACY_QUERY, "reconnect", "sid"], random.randint(0, 4)):
            value = random.choice([random.choice(TEXTS), str(random.choice(LARGE_NUMBERS)), query.get(name, "1")])
            query[name] = value if random.random() < 0.7 else mutated_bytes(random, value.encode()).decode("latin-1")
        return f"{self._server.ws_url}/rtc?{urlencode(query)}"

    def _join_request(self) -> str:
        random = self._random
        request = JoinRequest.FromString(random.choice(sessions())[0])
        if random.random() < 0.6:
            mutate_message(random, request)
        data = request.SerializeToString()
        if random.random() < 0.1:
            data = mutated_bytes(random, data)
        text = wrapped(data, compress=random.random() < 0.3)
        return text if random.random() < 0.95 else mutated_bytes(random, text.encode()).decode("latin-1")

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with suppress(TypeError):  # closed, instead of a message
            first = SignalResponse.FromString(await asyncio.wait_for(socket.receive_bytes(), 5))
            self.joined += first.HasField("join")
            known = self._texts(first)
            for _ in range(self._random.randint(1, 15)):
                await socket.send_bytes(self._request(known))
                if socket._reader is not None and not self._random.randrange(4):
                    await asyncio.sleep(0)
            await socket.send_bytes(SignalRequest(ping=5).SerializeToString())
            async with asyncio.timeout(5):
                while SignalResponse.FromString(await socket.receive_bytes()).WhichOneof("message") != "pong":
                    pass

    def _texts(self, first: SignalResponse) -> list[str]:
        """Return sids and names that the server knows."""
        join = first.join
        people = [join.participant, *join.other_participants]
        tracks = [track.sid for person in people for track in person.tracks]
        return [
            join.room.sid,
            join.room.name,
            *(x for each in people for x in (each.sid, each.identity)),
            *tracks,
            "mic",
        ]

    def _request(self, known: list[str]) -> bytes:
        random = self._random
        data = random.choice(self._requests)
        if random.random() < 0.1:
            return mutated_bytes(random, data, self._requests)
        request = SignalRequest.FromString(data) if random.random() < 0.7 else SignalRequest()
        if request.WhichOneof("message") is None:
            self._begin(request)
        mutate_message(random, request, known=known)
        with suppress(DecodeError, ValueError):
            return request.SerializeToString()
        return data

    def _begin(self, request: SignalRequest) -> None:
        """Make it a request of any kind."""
        field: Any = self._random.choice(SignalRequest.DESCRIPTOR.fields)
        if field.message_type:
            getattr(request, field.name).SetInParent()
        else:
            setattr(request, field.name, 1)


@asynccontextmanager
async def meeting(server: RestServer) -> AsyncIterator[tuple[Witness, list[str], aiohttp.ClientSession]]:
    room = server.create_room()
    roles = ("moderator", "publisher", "viewer")
    tokens = [server.token(room, f"Fuzzer {number}", roles[number % 3]) for number in range(IDENTITIES)]
    async with aiohttp.ClientSession() as http:
        yield Witness(server, server.token(room, "Witness", "viewer"), http), tokens, http


async def test_sessions(unharmed: RestServer, fuzzing: Fuzzing) -> None:
    async with meeting(unharmed) as (witness, tokens, http):
        fuzzer = Fuzzer(fuzzing.random, unharmed, tokens, http)
        for number in fuzzing.rounds(300):
            await fuzzer.run()
            if number % 5 == 0:
                await witness.is_served()
        await witness.is_served()
    assert fuzzer.joined > 10


async def test_frames(unharmed: RestServer, fuzzing: Fuzzing) -> None:
    """Bytes of a WebSocket that no client's library would send."""
    random = fuzzing.random
    requests = [request for session in sessions() for request in session[1:] if len(request) < 126]
    kinds = (b"\x82", b"\x82", b"\x02", b"\x00", b"\x80", b"\x81", b"\x88", b"\x89", b"\x8a", b"\xc2", b"\x83")
    async with meeting(unharmed) as (witness, tokens, _http):
        for number in fuzzing.rounds(150):
            async with raw_websocket(unharmed, random.choice(tokens)) as connection:
                for _ in range(random.randint(1, 10)):
                    content = random.choice(requests)
                    frame = random.choice(kinds) + bytes([0x80 | len(content)]) + bytes(4) + content
                    with suppress(ConnectionError):
                        await connection.send(mutated_bytes(random, frame) if random.random() < 0.5 else frame)
            if number % 5 == 0:
                await witness.is_served()
        await witness.is_served()
