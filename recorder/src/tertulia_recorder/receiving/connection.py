"""One connection to a meeting as a participant that only receives: LiveKit's signalling, version 1 (`/rtc/v1`).

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
from urllib.parse import quote, urlsplit

from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from tertulia_recorder.ids import Identity
from tertulia_recorder.job import STOP_ATTRIBUTE, stop_age_s
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.receiving.decoding_thread import DecodingThread
from tertulia_recorder.scene import TrackSid
from tertulia_sfu.receiver import Receiver, receive_from

_log = logging.getLogger(__name__)

_PROTOCOL: Final = 17
_CONNECT_TIMEOUT_S: Final = 10.0
_CLOSE_TIMEOUT_S: Final = 2.0
_POLL_S: Final = 0.02
_PING_S: Final = 2.0
_SILENCE_S: Final = 16.0
"""A signalling connection without even an answer to pings is dead (LiveKit's own timeout is 15 s)."""

_SMALL_BUFFER_BYTES: Final = 1024 * 1024
"""A large meeting's media of some tenths of a second."""


class JoinError(Exception):
    """Raised when the meeting cannot be joined now; its text says why."""


class Connection:
    """Joins a meeting, keeps track of its participants, and ends. Not reusable."""

    def __init__(
        self,
        url: str,
        token: str,
        media_buffer: MediaBuffer,
        *,
        on_change: Callable[[], None],
        on_stop: Callable[[float], None],
    ) -> None:
        self.participants: dict[str, models.ParticipantInfo] = {}
        """All other participants, by SID."""
        self.speaking: frozenset[Identity] = frozenset()
        self._url = url
        self._token = token
        self._media_buffer = media_buffer
        self._on_change = on_change
        self._on_stop = on_stop
        self._own_sid = ""
        self._speaking_sids: set[str] = set()
        self._outbox: asyncio.Queue[rtc.SignalRequest] = asyncio.Queue()
        self._receiver: Receiver | None = None
        self._decoding: DecodingThread | None = None
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
        """Whether media can arrive, and is decoded."""
        is_decoding = self._decoding is not None and self._decoding.is_alive()
        return is_decoding and self._receiver is not None and self._receiver.state == "connected"

    def send(self, request: rtc.SignalRequest) -> None:
        """Queue a message to the media server."""
        self._outbox.put_nowait(request)

    async def run(self, on_joined: Callable[[], None]) -> rtc.LeaveRequest | None:
        """Join, and stay until the media server sends LeaveRequest, or the connection is lost (None).

        Raises JoinError when the meeting was not even joined.
        """
        try:
            receiver = await asyncio.to_thread(receive_from, urlsplit(self._url).hostname or "")
        except OSError as error:
            raise JoinError(f"no socket for media: {error}") from error
        if receiver.socket_buffer_bytes < _SMALL_BUFFER_BYTES:
            _log.warning(
                "only %d bytes of socket buffer: media may be lost (net.core.rmem_max)", receiver.socket_buffer_bytes
            )
        self._receiver, self._decoding = receiver, DecodingThread(receiver, self._media_buffer)
        self._decoding.start()
        try:
            leave = await self._signal(on_joined)
            if leave is None and not self._was_live:
                raise JoinError("no media connection came about: is the media server's port open (UDP or TCP)?")
            return leave
        finally:
            self._decoding.close()
            await asyncio.to_thread(self._decoding.join)
            await asyncio.to_thread(receiver.close)

    async def _signal(self, on_joined: Callable[[], None]) -> rtc.LeaveRequest | None:
        try:
            socket = await self._open()
        except (WebSocketException, OSError, TimeoutError) as error:
            raise JoinError(_reason(error)) from error
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
                    await socket.send(rtc.SignalRequest(leave=leave).SerializeToString())
                    await socket.close()

    async def _open(self) -> ClientConnection:
        # LiveKit's URLs are ws or http, and both mean the same.
        url = "ws" + self._url.removeprefix("http").removeprefix("ws").rstrip("/")
        return await connect(
            f"{url}/rtc/v1?join_request={quote(_join_request(self._offer(audio=1, video=1)), safe='')}",
            additional_headers={"Authorization": f"Bearer {self._token}"},
            open_timeout=_CONNECT_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
            ping_interval=None,  # LiveKit has pings of its own
            compression=None,
            max_size=None,
            proxy=None,  # media takes no proxy either
        )

    async def _read(self, socket: ClientConnection) -> rtc.LeaveRequest | None:
        while True:
            try:
                async with asyncio.timeout(_SILENCE_S):
                    message = await socket.recv()
            except (TimeoutError, ConnectionClosed):
                return None
            if isinstance(message, str):
                return None
            try:
                response = rtc.SignalResponse.FromString(message)
                if response.HasField("leave"):
                    return response.leave
                self._handle(response)
            except (ValueError, DecodeError):
                _log.exception("cannot handle a message of the media server")
                return None

    def _handle(self, response: rtc.SignalResponse) -> None:
        kind = response.WhichOneof("message")
        if kind is not None and kind in self._handlers:
            self._handlers[kind](getattr(response, kind))

    async def _write(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):  # the reader sees the same, and ends the connection
            while True:
                request = await self._outbox.get()
                await socket.send(request.SerializeToString())

    async def _watch(self, socket: ClientConnection, on_joined: Callable[[], None]) -> None:
        # Signalling without media is useless: joining again is what helps.
        with suppress(TimeoutError):
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                while not self.is_live:  # noqa: ASYNC110 - the receiver's thread has no event for it
                    await asyncio.sleep(_POLL_S)
        if self.is_live:
            self._was_live = True
            on_joined()
        while self.is_live:
            self.send(rtc.SignalRequest(ping_req=rtc.Ping(timestamp=time.time_ns() // 1_000_000)))
            await asyncio.sleep(_PING_S)
        await socket.close()

    # ── messages of the media server ──

    def _on_join(self, join: rtc.JoinResponse) -> None:
        self._own_sid = join.participant.sid
        self._update_participants(join.other_participants)

    def _on_update(self, update: rtc.ParticipantUpdate) -> None:
        self._update_participants(update.participants)
        self._on_change()

    def _update_participants(self, participants: Iterable[models.ParticipantInfo]) -> None:
        for info in participants:
            if info.sid == self._own_sid:
                self._read_own(info)
                continue
            if info.state == models.ParticipantInfo.DISCONNECTED:
                self.participants.pop(info.sid, None)
                continue
            known = self.participants.get(info.sid)
            if known is None or info.version >= known.version:
                self.participants[info.sid] = info

    def _read_own(self, info: models.ParticipantInfo) -> None:
        # only the media server's API changes this: the token does not allow us to, and others never can
        if STOP_ATTRIBUTE in info.attributes:
            self._on_stop(stop_age_s(info.attributes[STOP_ATTRIBUTE]))

    def _on_speakers(self, change: rtc.SpeakersChanged) -> None:
        for speaker in change.speakers:
            (self._speaking_sids.add if speaker.active else self._speaking_sids.discard)(speaker.sid)
        self._speaking_sids &= self.participants.keys()
        self.speaking = frozenset(Identity(self.participants[sid].identity) for sid in self._speaking_sids)
        self._on_change()

    def _on_trickle(self, trickle: rtc.TrickleRequest) -> None:
        candidate = json.loads(trickle.candidateInit).get("candidate", "")
        if candidate and self._receiver is not None:
            self._receiver.add_candidate(candidate)

    def _on_answer(self, answer: rtc.SessionDescription) -> None:
        assert self._decoding is not None  # noqa: S101 - created before the first offer
        assert self._receiver is not None  # noqa: S101
        self._decoding.tracks = {mid: TrackSid(track) for mid, track in answer.mid_to_track_id.items()}
        self._receiver.answer(sdp=answer.sdp)
        self._is_answered = True
        self._offer_if_required()
        self._on_change()

    def _on_sections(self, requirement: rtc.MediaSectionsRequirement) -> None:
        self._sections = requirement
        self._offer_if_required()

    # ── our offers ──

    def _offer_if_required(self) -> None:
        required = self._sections
        if required is not None and self._is_answered:
            self._sections, self._is_answered = None, False
            offer = self._offer(audio=required.num_audios, video=required.num_videos)
            self.send(rtc.SignalRequest(offer=offer))

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


def _reason(error: Exception) -> str:
    if isinstance(error, InvalidStatus):
        return f"the media server answered {error.response.status_code} {error.response.reason_phrase}"
    return str(error) or type(error).__name__
