"""A connection to a scripted signalling server: real WebSockets, no media."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import pytest
from livekit.protocol import models, rtc
from websockets.asyncio.server import Request, Response, ServerConnection, serve

from tertulia_recorder.job import STOP_ATTRIBUTE
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.receiving.connection import Connection, JoinError

ROOM_DELETED = models.DisconnectReason.ROOM_DELETED
LEAVE = rtc.SignalResponse(leave=rtc.LeaveRequest(reason=ROOM_DELETED))


def participant(sid: str, version: int = 1, **info: object) -> models.ParticipantInfo:
    return models.ParticipantInfo(sid=sid, identity=f"identity of {sid}", version=version, **info)  # type: ignore[arg-type]


class SignallingServer:
    """Sends its messages to each client, and keeps what the client asked for."""

    def __init__(self, *messages: rtc.SignalResponse) -> None:
        self.requests: list[Request] = []
        self.messages = messages
        self.status: HTTPStatus | None = None

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.requests.append(socket.request)
        for message in self.messages:
            await socket.send(message.SerializeToString())
        await socket.wait_closed()

    def check(self, connection: ServerConnection, _: Request) -> Response | None:
        return None if self.status is None else connection.respond(self.status, "no")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        async with serve(self.serve, "127.0.0.1", 0, process_request=self.check) as server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def connection(
    url: str, on_change: Callable[[], None] = lambda: None, on_stop: Callable[[float], None] = lambda _: None
) -> Connection:
    return Connection(url, "the-token", MediaBuffer(), on_change=on_change, on_stop=on_stop)


async def run(server: SignallingServer) -> tuple[Connection, rtc.LeaveRequest | None]:
    async with server.running() as url, asyncio.timeout(30):
        client = connection(url)
        return client, await client.run(lambda: None)


async def test_it_joins_with_an_offer_and_the_token():
    server = SignallingServer(LEAVE)
    _, leave = await run(server)
    assert leave is not None
    assert leave.reason == ROOM_DELETED
    (request,) = server.requests
    url = urlsplit(request.path)
    assert url.path == "/rtc/v1"
    assert request.headers["Authorization"] == "Bearer the-token"
    wrapped = rtc.WrappedJoinRequest.FromString(base64.urlsafe_b64decode(parse_qs(url.query)["join_request"][0]))
    join = rtc.JoinRequest.FromString(wrapped.join_request)
    assert join.publisher_offer.type == "offer"
    assert "a=recvonly" in join.publisher_offer.sdp
    assert not join.connection_settings.auto_subscribe


async def test_it_knows_the_other_participants():
    """A version that is older than the known one comes too late; one who leaves is removed."""
    own = participant("PA_me")
    join = rtc.JoinResponse(participant=own, other_participants=[participant("PA_a"), participant("PA_b")])
    gone = participant("PA_b", state=models.ParticipantInfo.DISCONNECTED)
    update = rtc.ParticipantUpdate(participants=[own, participant("PA_a", 3, name="new"), gone])
    late = rtc.ParticipantUpdate(participants=[participant("PA_a", 2, name="old")])
    speakers = [models.SpeakerInfo(sid=sid, active=True) for sid in ("PA_a", "PA_b")]
    client, _ = await run(
        SignallingServer(
            rtc.SignalResponse(join=join),
            rtc.SignalResponse(update=update),
            rtc.SignalResponse(update=late),
            rtc.SignalResponse(speakers_changed=rtc.SpeakersChanged(speakers=speakers)),
            LEAVE,
        )
    )
    assert {sid: each.name for sid, each in client.participants.items()} == {"PA_a": "new"}
    assert client.speaking == {"identity of PA_a"}


async def test_only_its_own_participant_can_carry_a_stop():
    """Others may set attributes of their own; only the media server's API sets the recorder's."""
    stop = {STOP_ATTRIBUTE: "2.500"}
    join = rtc.JoinResponse(participant=participant("PA_me"), other_participants=[participant("PA_a", attributes=stop)])
    others = rtc.ParticipantUpdate(participants=[participant("PA_a", 2, attributes=stop)])
    own = rtc.ParticipantUpdate(participants=[participant("PA_me", 2, attributes=stop)])
    for update, expected in ((others, []), (own, [2.5])):
        ages_s: list[float] = []
        messages = (rtc.SignalResponse(join=join), rtc.SignalResponse(update=update), LEAVE)
        async with SignallingServer(*messages).running() as url, asyncio.timeout(30):
            await connection(url, on_stop=ages_s.append).run(lambda: None)
        assert ages_s == expected


async def test_a_refusal_is_an_error_with_its_status():
    server = SignallingServer()
    server.status = HTTPStatus.UNAUTHORIZED
    with pytest.raises(JoinError, match="401 Unauthorized"):
        await run(server)


async def test_a_server_that_is_not_there_is_an_error():
    with pytest.raises(JoinError, match=r"[Cc]onnect"):
        await connection("ws://127.0.0.1:1").run(lambda: None)


async def test_without_media_it_did_not_join():
    unreadable = rtc.SignalResponse(trickle=rtc.TrickleRequest(candidateInit="not JSON"))
    with pytest.raises(JoinError, match="UDP"):
        await run(SignallingServer(unreadable))
