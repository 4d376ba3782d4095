"""Synthetic participants: signalling here, media in one process of `sfu/crates/sfu-load`, which costs little."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from livekit.protocol import models, rtc

# a receiver that is woken by each packet costs the sender's CPU time over loopback, which no network does
READ_EVERY_MS = 10
PROGRAM = Path(__file__).resolve().parent.parent / "sfu" / "target" / "release" / "tertulia-sfu-load"


class Load:
    """The synthetic peers' process: one JSON command a line, one answer a line."""

    def __init__(self, process: asyncio.subprocess.Process, tells_arrivals: bool) -> None:
        self.tells_arrivals = tells_arrivals
        self._process = process
        self._lock = asyncio.Lock()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, **command: object) -> dict[str, object]:
        assert self._process.stdin
        assert self._process.stdout
        async with self._lock:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            await self._process.stdin.drain()
            answer = json.loads(await self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{command.get('do')} {command.get('peer')}: {answer['error']}")
        return answer


@asynccontextmanager
async def load_process(*, tells_arrivals: bool = False) -> AsyncIterator[Load]:
    """Yield a new process. `tells_arrivals`: its peers that only receive send transport-wide feedback."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(str(PROGRAM), stdin=pipe, stdout=pipe)
    try:
        yield Load(process, tells_arrivals)
    finally:
        process.kill()
        await process.wait()


@dataclass
class Publication:
    """What a publisher sends: `clip` is a path without its ending (see `sfu-load`), None sends empty packets."""

    size: tuple[int, int] = (1280, 720)
    source: models.TrackSource = models.TrackSource.CAMERA
    clip: Path | None = None
    fps: int = 25

    def tracks(self) -> list[rtc.AddTrackRequest]:
        width, height = self.size
        picture = rtc.AddTrackRequest(
            cid="load-video", type=models.TrackType.VIDEO, source=self.source, width=width, height=height
        )
        sound = rtc.AddTrackRequest(cid="load-audio", type=models.TrackType.AUDIO, source=models.TrackSource.MICROPHONE)
        return [picture, sound]


class Peer:
    """One participant: signalling here, media in the load process."""

    def __init__(
        self,
        name: str,
        token: str,
        load: Load,
        publication: Publication | None = None,
        *,
        is_timed: bool = False,
        loss: float = 0.0,
    ) -> None:
        """`is_timed`: it reads what arrives at once, and notes how long synthetic packets were on their way.

        `loss`: of its datagrams this share is lost, either way.
        """
        self.name = name
        self._loss = loss
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading = {"is_timed": True} if is_timed else {"read_every_ms": READ_EVERY_MS}
        self._token = token
        self._load = load
        self._publication = publication
        self._offer_id = 0
        self._answered = False
        self._wanted: rtc.MediaSectionsRequirement | None = None

    @property
    def publishes(self) -> bool:
        """Whether it sends media; it receives none then, unless it is asked for sections."""
        return self._publication is not None

    async def run(self, session: aiohttp.ClientSession, url: str, ready: asyncio.Event) -> None:
        ours = self._publication
        wanted = 0 if ours else 1
        offer = await self._offer(audio=wanted, video=wanted)
        query = {"access_token": self._token, "join_request": join_request(offer, ours.tracks() if ours else [])}
        async with session.ws_connect(f"{url}/rtc/v1", params=query, max_msg_size=0) as socket:
            self._socket = socket
            ready.set()
            async for message in socket:
                response = rtc.SignalResponse.FromString(message.data)
                await self._serve(socket, response)

    async def leave(self) -> None:
        """Say so and go; `run` ends when the server has answered."""
        assert self._socket
        leave = rtc.LeaveRequest(reason=models.DisconnectReason.CLIENT_INITIATED)
        await self._socket.send_bytes(rtc.SignalRequest(leave=leave).SerializeToString())
        await self._load.ask(do="leave", peer=self.name)

    async def _offer(self, *, audio: int, video: int) -> rtc.SessionDescription:
        self._offer_id += 1
        sent: dict[str, object] = (
            {"publish": True} if self._publication else {**self._reading, "tells_arrivals": self._load.tells_arrivals}
        )
        if self._publication and self._publication.clip:
            sent |= {"clip": str(self._publication.clip), "fps": self._publication.fps}
        if self._loss:
            sent |= {"loss": self._loss}
        answer = await self._load.ask(do="offer", peer=self.name, audio=audio, video=video, **sent)
        return rtc.SessionDescription(type="offer", sdp=str(answer["offer"]), id=self._offer_id)

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse, response: rtc.SignalResponse) -> None:
        kind = response.WhichOneof("message")
        if kind == "answer":
            await self._load.ask(do="answer", peer=self.name, sdp=response.answer.sdp)
            self._answered = True
        elif kind == "media_sections_requirement":
            self._wanted = response.media_sections_requirement
        elif kind == "leave":
            raise RuntimeError(f"{self.name} was told to leave: {response.leave}")
        if self._answered and (need := self._wanted):
            self._answered, self._wanted = False, None
            # counts of 0 ask for a new offer as such, and str0m makes one only when something changes
            offer = await self._offer(audio=need.num_audios, video=need.num_videos or (0 if need.num_audios else 1))
            await socket.send_bytes(rtc.SignalRequest(offer=offer).SerializeToString())


def join_request(offer: rtc.SessionDescription, tracks: list[rtc.AddTrackRequest]) -> str:
    request = rtc.JoinRequest(
        client_info=models.ClientInfo(sdk=models.ClientInfo.GO, version="1.0.0", protocol=17),
        connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
        add_track_requests=tracks,
        publisher_offer=offer,
    )
    wrapped = rtc.WrappedJoinRequest(join_request=request.SerializeToString())
    return base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()
