"""One stay in a meeting as a participant that only listens: LiveKit's signalling, version 1 (`/rtc/v1`).

One peer connection, for which the client makes every offer: the media server says how many receiving sections it needs
(`media_sections_requirement`), and each answer says which of them carries which track (`mid_to_track_id`).
"""

import asyncio
import base64
import json
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc

from tertulia_recorder.ids import Identity
from tertulia_recorder.pipeline.pipeline import MediaBuffer
from tertulia_recorder.receiving.decoding import Decoding, DecodingThread
from tertulia_recorder.scene import TrackSid
from tertulia_sfu.receiver import Receiver, receive_from

log = logging.getLogger(__name__)

_PROTOCOL: Final = 17
_CONNECT_TIMEOUT_S: Final = 10.0
_CLOSE_TIMEOUT_S: Final = 2.0
_POLL_S: Final = 0.02
_PING_S: Final = 2.0
_SILENCE_S: Final = 16.0
"""A signalling connection without even an answer to pings is dead (LiveKit's own timeout is 15 s)."""


class JoinError(Exception):
    """The meeting cannot be joined now; says why."""


class Connection:
    """Joins, keeps what the media server says of the meeting, and ends. Never used again after that."""

    def __init__(self, url: str, token: str, media_buffer: MediaBuffer, on_change: Callable[[], None]) -> None:
        self.participants: dict[str, models.ParticipantInfo] = {}
        """Everybody else, by SID."""
        self.speaking: frozenset[Identity] = frozenset()
        self._url = url
        self._token = token
        self._media_buffer = media_buffer
        self._on_change = on_change
        self._me = ""
        self._levels: set[str] = set()
        self._outbox: asyncio.Queue[rtc.SignalRequest] = asyncio.Queue()
        self._receiver: Receiver | None = None
        self._decoding: Decoding | None = None
        self._thread: DecodingThread | None = None
        self._was_live = False
        self._offers = 0
        self._is_answered = False
        self._sections: rtc.MediaSectionsRequirement | None = None
        self._handlers: dict[str, Callable[[Any], None]] = {
            "join": self._on_join,
            "answer": self._on_answer,
            "trickle": self._on_trickle,
            "update": self._on_update,
            "speakers_changed": self._on_speakers,
            "media_sections_requirement": self._on_sections,
        }

    @property
    def is_live(self) -> bool:
        """Whether media can come, and is decoded."""
        decodes = self._thread is not None and self._thread.is_alive()
        return decodes and self._receiver is not None and self._receiver.state == "connected"

    def send(self, request: rtc.SignalRequest) -> None:
        """Say something to the media server, in order, as soon as possible."""
        self._outbox.put_nowait(request)

    async def attend(self, on_joined: Callable[[], None]) -> rtc.LeaveRequest | None:
        """Join, and stay until the media server says goodbye, or the connection is lost (None).

        Raises JoinError when it is not even joined.
        """
        try:
            receiver = await asyncio.to_thread(receive_from, urlsplit(self._url).hostname or "")
        except OSError as error:
            raise JoinError(f"no socket for media: {error}") from error
        self._receiver, self._decoding = receiver, Decoding(receiver, self._media_buffer)
        self._thread = thread = DecodingThread(self._decoding, self._media_buffer)
        thread.start()
        try:
            goodbye = await self._talk(on_joined)
            if goodbye is None and not self._was_live:
                raise JoinError("no media connection came about: is the media server's UDP port open?")
            return goodbye
        finally:
            thread.close()
            await asyncio.to_thread(thread.join)
            await asyncio.to_thread(receiver.close)

    async def _talk(self, on_joined: Callable[[], None]) -> rtc.LeaveRequest | None:
        async with aiohttp.ClientSession() as session:
            try:
                async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                    socket = await self._open(session)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise JoinError(_why(error)) from error
            try:
                async with asyncio.TaskGroup() as tasks:
                    helpers = [
                        tasks.create_task(self._write(socket), name="signalling out"),
                        tasks.create_task(self._watch(socket, on_joined), name="watch media"),
                    ]
                    try:
                        return await self._read(socket)
                    finally:
                        for helper in helpers:
                            helper.cancel()
            finally:
                with suppress(Exception):
                    async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                        leave = rtc.LeaveRequest(reason=models.DisconnectReason.CLIENT_INITIATED)
                        await socket.send_bytes(rtc.SignalRequest(leave=leave).SerializeToString())
                        await socket.close()

    async def _open(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        address = f"{self._url.rstrip('/')}/rtc/v1"
        parameters = {"join_request": _join_request(self._offer(audio=1, video=1))}
        bearer = {"Authorization": f"Bearer {self._token}"}
        return await session.ws_connect(address, params=parameters, headers=bearer, max_msg_size=0)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> rtc.LeaveRequest | None:
        while True:
            try:
                async with asyncio.timeout(_SILENCE_S):
                    message = await socket.receive()
            except TimeoutError:
                return None
            if message.type is not aiohttp.WSMsgType.BINARY:
                return None
            try:
                response = rtc.SignalResponse.FromString(message.data)
                if response.HasField("leave"):
                    return response.leave
                self._take(response)
            except (ValueError, DecodeError):
                log.exception("what the media server says cannot be followed")
                return None

    def _take(self, response: rtc.SignalResponse) -> None:
        kind = response.WhichOneof("message")
        if kind is not None and kind in self._handlers:
            self._handlers[kind](getattr(response, kind))

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with suppress(ConnectionError, aiohttp.ClientError):  # the reader sees the same, and ends it
            while True:
                request = await self._outbox.get()
                await socket.send_bytes(request.SerializeToString())

    async def _watch(self, socket: aiohttp.ClientWebSocketResponse, on_joined: Callable[[], None]) -> None:
        # Signalling without media is no connection: to begin again is what helps.
        with suppress(TimeoutError):
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                while not self.is_live:  # noqa: ASYNC110 - the receiver is told of it on its own thread
                    await asyncio.sleep(_POLL_S)
        if self.is_live:
            self._was_live = True
            on_joined()
        while self.is_live:
            self.send(rtc.SignalRequest(ping_req=rtc.Ping(timestamp=time.time_ns() // 1_000_000)))
            await asyncio.sleep(_PING_S)
        await socket.close()

    # ── what the media server says ──

    def _on_join(self, join: rtc.JoinResponse) -> None:
        self._me = join.participant.sid
        self._learn(join.other_participants)

    def _on_update(self, update: rtc.ParticipantUpdate) -> None:
        self._learn(update.participants)
        self._on_change()

    def _learn(self, participants: Iterable[models.ParticipantInfo]) -> None:
        for info in participants:
            if info.sid == self._me:
                continue
            if info.state == models.ParticipantInfo.DISCONNECTED:
                self.participants.pop(info.sid, None)
                continue
            known = self.participants.get(info.sid)
            if known is None or info.version >= known.version:
                self.participants[info.sid] = info

    def _on_speakers(self, change: rtc.SpeakersChanged) -> None:
        for speaker in change.speakers:
            (self._levels.add if speaker.active else self._levels.discard)(speaker.sid)
        self._levels &= self.participants.keys()
        self.speaking = frozenset(Identity(self.participants[sid].identity) for sid in self._levels)
        self._on_change()

    def _on_trickle(self, trickle: rtc.TrickleRequest) -> None:
        candidate = json.loads(trickle.candidateInit).get("candidate", "")
        if candidate and self._receiver is not None:
            self._receiver.add_candidate(candidate)

    def _on_answer(self, answer: rtc.SessionDescription) -> None:
        assert self._decoding is not None  # noqa: S101 - made before the first offer
        assert self._receiver is not None  # noqa: S101
        self._decoding.carry({mid: TrackSid(track) for mid, track in answer.mid_to_track_id.items()})
        self._receiver.answer(sdp=answer.sdp)
        self._is_answered = True
        self._offer_again()
        self._on_change()

    def _on_sections(self, need: rtc.MediaSectionsRequirement) -> None:
        self._sections = need
        self._offer_again()

    # ── what we offer ──

    def _offer_again(self) -> None:
        need = self._sections
        if need is not None and self._is_answered:
            self._sections, self._is_answered = None, False
            self.send(rtc.SignalRequest(offer=self._offer(audio=need.num_audios, video=need.num_videos)))

    def _offer(self, *, audio: int, video: int) -> rtc.SessionDescription:
        assert self._receiver is not None  # noqa: S101
        self._offers += 1
        return rtc.SessionDescription(type="offer", sdp=self._receiver.offer(audio=audio, video=video), id=self._offers)


def _join_request(offer: rtc.SessionDescription) -> str:
    request = rtc.JoinRequest(
        client_info=models.ClientInfo(sdk=models.ClientInfo.PYTHON, version="1.0.0", protocol=_PROTOCOL),
        connection_settings=rtc.ConnectionSettings(auto_subscribe=False),
        publisher_offer=offer,
    )
    wrapped = rtc.WrappedJoinRequest(join_request=request.SerializeToString())
    return base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"the media server answered {error.status} {error.message}"
    return str(error) or type(error).__name__
