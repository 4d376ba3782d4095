"""Publishers that send more than a recorder can carry, with real packets through a real media server. `make bench`
builds what sends them (`sfu-load`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from bench import footage
from bench.load import Peer, Publication, load_process

from support.encoded_media import opus, pictures
from support.film import Film, is_like
from support.media_server_process import MediaServerProcess
from support.publisher import COLOURS, Look, Publisher, in_meeting, tone
from support.recorder_process import RecorderProcess
from tertulia_recorder.drawing.layout import Rect
from tertulia_recorder.ids import RecordingId, RoomName
from tertulia_recorder.job import EndReason, RecorderJob

pytestmark = pytest.mark.timeout(600)
ROOM = "hostile"
LEFT, RIGHT = Rect(0, 180, 640, 360), Rect(640, 180, 640, 360)
MAX_MEMORY_BYTES = 400_000_000


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[MediaServerProcess]:
    running = MediaServerProcess(log=tmp_path / "media.log")
    await running.start()
    yield running
    await running.kill()


@asynccontextmanager
async def publishing(server: MediaServerProcess, count: int, publication: Publication) -> AsyncIterator[None]:
    async with load_process() as load, aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        tasks = []
        for number in range(count):
            joined = asyncio.Event()
            peer = Peer(f"sender-{number}", server.token(ROOM, f"sender-{number}"), load, publication)
            tasks.append(group.create_task(peer.run(session, server.url, joined)))
            await joined.wait()
        yield
        for task in tasks:
            task.cancel()


async def recording(server: MediaServerProcess, folder: Path) -> RecorderProcess:
    job = RecorderJob(
        recording_id=RecordingId("r"), room_name=RoomName(ROOM), media_url=server.url, file_name="meeting.mp4",
        min_free_bytes=1_000_000,
    )  # fmt: skip
    return await RecorderProcess.start(folder, job, server.recorder_token(ROOM, "recorder"))


@pytest.mark.parametrize("size", [(8192, 8192), (4608, 2592)])
async def test_a_decode_bomb(server: MediaServerProcess, tmp_path: Path, size: tuple[int, int]) -> None:
    """Some kilobytes, 25 times a second, each of which becomes a picture of up to 100 MB."""
    footage.write(tmp_path / "bomb.vp8", pictures("libvpx", size, (90,)))
    footage.write(tmp_path / "bomb.opus", opus(500))
    ordinary = Publisher(server, ROOM, "ordinary", look=Look(COLOURS["green"]), sound=tone(700))
    async with in_meeting(ordinary), publishing(server, 1, Publication(size, clip=tmp_path / "bomb")):
        recorder = await recording(server, tmp_path / "recording")
        await recorder.until_recorded(10)
        state = await recorder.stop()
    assert state.reason is EndReason.STOPPED
    assert state.metrics.audio_lost_s == 0
    assert state.metrics.max_memory_bytes < MAX_MEMORY_BYTES
    film = Film(recorder.file)
    for second in np.arange(3, 9, 0.5):
        assert is_like(film.colour_at(second, LEFT), COLOURS["green"]), second
        assert film.loudness(700, second, second + 0.5) > 0.06, second
        assert film.loudness(440, second, second + 0.5) > 0.06, f"the sound of the bomb's publisher at {second}"


async def test_nine_senders_without_simulcast(
    server: MediaServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that needs 15 ms for each picture, four times what there is time for: no sound is lost."""
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text(SLOW_DECODER)
    monkeypatch.setenv("PYTHONPATH", str(slow))
    size = (320, 180)
    footage.write(tmp_path / "clip.vp8", pictures("libvpx", size, [90 + number % 50 for number in range(250)]))
    footage.write(tmp_path / "clip.opus", opus(500))
    ordinary = Publisher(server, ROOM, "ordinary", look=Look(COLOURS["green"], size), sound=tone(700))
    async with in_meeting(ordinary), publishing(server, 9, Publication(size, clip=tmp_path / "clip")):
        recorder = await recording(server, tmp_path / "recording")
        await recorder.until_recorded(20)
        state = await recorder.stop()
    assert "slow for all pictures" in recorder.log()
    assert state.metrics.audio_lost_s == 0
    film = Film(recorder.file)
    levels = [film.loudness(700, at, at + 0.2) for at in np.arange(2, film.duration_s - 1, 0.1)]
    assert min(levels) > 0.03


SLOW_DECODER = """
import sys, time
if "tertulia_recorder" in sys.orig_argv:
    from tertulia_recorder.receiving.decoding import _VideoDecoder
    decode = _VideoDecoder.decode
    def slow(*arguments):
        time.sleep(0.015)
        decode(*arguments)
    _VideoDecoder.decode = slow
"""
