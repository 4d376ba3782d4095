"""Forwarded packets per server CPU-second: one publisher (sound and 720p-like video), N subscribers.

    python -m bench.forwarding [--subscribers 20] [--seconds 10] [--server tertulia|livekit]

The same synthetic peers (`sfu/crates/sfu-load`) run against our media server and, where it is installed, against
livekit-server, which makes the two figures comparable. A packet counts when a subscriber has decrypted it; the CPU
time is the server process's own, system time included.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
from livekit import api
from livekit.protocol import models, rtc

from bench.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
KEY, SECRET = "devkey", "secret-of-the-benchmark-0123456789abcdef"


class Load:
    """The synthetic peers' process: one JSON command a line, one answer a line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lock = asyncio.Lock()

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


@dataclass
class Server:
    name: str
    url: str
    pid: int


class Peer:
    """One participant: signalling here, media in the load process."""

    def __init__(self, name: str, *, publishes: bool, load: Load) -> None:
        self.name = name
        self._publishes = publishes
        self._load = load
        self._offer_id = 0
        self._answered = False
        self._wanted: rtc.MediaSectionsRequirement | None = None

    async def run(self, session: aiohttp.ClientSession, url: str, ready: asyncio.Event) -> None:
        token = (
            api.AccessToken(KEY, SECRET)
            .with_identity(self.name)
            .with_ttl(timedelta(hours=1))
            .with_grants(api.VideoGrants(room_join=True, room="bench", can_publish=self._publishes))
            .to_jwt()
        )
        offer = await self._offer(audio=0 if self._publishes else 1, video=0 if self._publishes else 1)
        query = {"access_token": token, "join_request": join_request(offer, self._tracks())}
        async with session.ws_connect(f"{url}/rtc/v1", params=query, max_msg_size=0) as socket:
            ready.set()
            async for message in socket:
                response = rtc.SignalResponse.FromString(message.data)
                await self._serve(socket, response)

    def _tracks(self) -> list[rtc.AddTrackRequest]:
        if not self._publishes:
            return []
        camera = rtc.AddTrackRequest(
            cid="load-video", type=models.TrackType.VIDEO, source=models.TrackSource.CAMERA, width=1280, height=720
        )
        microphone = rtc.AddTrackRequest(
            cid="load-audio", type=models.TrackType.AUDIO, source=models.TrackSource.MICROPHONE
        )
        return [camera, microphone]

    async def _offer(self, *, audio: int, video: int) -> rtc.SessionDescription:
        self._offer_id += 1
        answer = await self._load.ask(do="offer", peer=self.name, publish=self._publishes, audio=audio, video=video)
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


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def started(name: str, *command: str, url: str, env: dict[str, str] | None = None) -> AsyncIterator[Server]:
    log = (ROOT / "test-artefacts" / f"bench-{name}.log").open("w")
    process = await asyncio.create_subprocess_exec(
        *command, stdout=log, stderr=log, env={**os.environ, **(env or {})}, cwd=ROOT
    )
    try:
        await answers(url.replace("ws", "http", 1))
        yield Server(name, url, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def answers(url: str) -> None:
    """Wait until something answers at `url`."""
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)


def our_server() -> AbstractAsyncContextManager[Server]:
    port = free_port()
    return started(
        "tertulia",
        str(Path(sys.executable).parent / "tertulia-sfu"),
        *("--port", str(port), "--udp-port", str(free_port()), "--keys", f"{KEY}:{SECRET}"),
        *("--address", "127.0.0.1"),
        url=f"ws://127.0.0.1:{port}",
    )


def livekit_server(binary: str) -> AbstractAsyncContextManager[Server]:
    port = free_port()
    config = {
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "keys": {KEY: SECRET},
        "rtc": {
            "udp_port": free_port(),
            "tcp_port": free_port(),
            "node_ip": "127.0.0.1",
            "use_external_ip": False,
            "congestion_control": {"enabled": False},
        },
        "logging": {"level": "error"},
    }
    body = json.dumps(config)
    return started("livekit-server", binary, "--config-body", body, url=f"ws://127.0.0.1:{port}")


async def measure(server: Server, subscribers: int, seconds: float) -> float:
    """Packets that reached a subscriber per CPU-second of the server."""
    binary = ROOT / "sfu" / "target" / "release" / "tertulia-sfu-load"
    process = await asyncio.create_subprocess_exec(
        str(binary), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    load = Load(process)
    tasks: list[asyncio.Task[None]] = []
    try:
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            names = ["publisher", *(f"subscriber-{n}" for n in range(subscribers))]
            for name in names:
                ready = asyncio.Event()
                peer = Peer(name, publishes=name == "publisher", load=load)
                tasks.append(group.create_task(peer.run(session, server.url, ready), name=name))
                await ready.wait()
            await until_flowing(load, len(names))
            figure = await sample(server, load, seconds)
            for task in tasks:
                task.cancel()
    finally:
        process.kill()
        await process.wait()
    print(
        f"{server.name:16} 1 × {subscribers}: {figure:10,.0f} forwarded packets per server CPU-second",
        flush=True,
    )
    return figure


async def until_flowing(load: Load, peers: int) -> None:
    async with asyncio.timeout(60):
        while (stats := await load.ask(do="stats"))["connected"] != peers or not stats["received"]:
            await asyncio.sleep(0.2)
        await asyncio.sleep(2)


async def sample(server: Server, load: Load, seconds: float) -> float:
    before, cpu_before = await load.ask(do="stats"), cpu_seconds(server.pid)
    await asyncio.sleep(seconds)
    after, cpu_after = await load.ask(do="stats"), cpu_seconds(server.pid)
    received = int(str(after["received"])) - int(str(before["received"]))
    sent = int(str(after["sent"])) - int(str(before["sent"]))
    cpu = cpu_after - cpu_before
    print(f"{server.name:16} {sent} packets in, {received} out in {seconds:.0f} s; {cpu:.2f} CPU-seconds")
    return received / cpu


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--server", choices=["tertulia", "livekit"], help="only this one")
    options = parser.parse_args()
    (ROOT / "test-artefacts").mkdir(exist_ok=True)
    livekit = shutil.which("livekit-server", path=f"{os.environ['PATH']}:{Path.home() / 'go' / 'bin'}")
    if options.server != "livekit":
        async with our_server() as server:
            await measure(server, options.subscribers, options.seconds)
    if options.server != "tertulia" and livekit:
        async with livekit_server(livekit) as server:
            await measure(server, options.subscribers, options.seconds)


if __name__ == "__main__":
    asyncio.run(main())
