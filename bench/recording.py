"""What a recording costs, how soon it starts and stops, and what a crash loses. Prints tables; leaves no files.

    python -m bench.recording [--seconds 20] [--starts 10] [--kills 5] [--hours 1] [--server tertulia|livekit]
                              [--only cost|start|stop|kill]

CPU-seconds are the recorder process's own, a second of recording. They hold on a busy machine as long as the fps stay
at 30: a recorder that is starved lowers its frame rate and its layers, and then they flatter. The floor needs the
command `ffmpeg`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import aiohttp
import av
import numpy as np
from livekit.protocol import models

from bench import footage
from bench.load import Peer, Publication, load_process
from support.media_server_process import MediaServerProcess
from support.recorder_process import RecorderProcess
from tertulia_recorder.folder import RecordingFolder
from tertulia_recorder.ids import RecordingId, RoomName
from tertulia_recorder.job import JOB_FILE, RecorderJob, RecorderPhase, RecorderState, RecordingPreset
from tertulia_recorder.pipeline.muxer import MOVIE_OPTIONS
from tertulia_recorder.repair.recovery import close_file, recover

HD, FULL_HD = RecordingPreset.HD_720P30, RecordingPreset.FULL_HD_1080P30
SCREEN: footage.Size = (1280, 720)
SCENARIOS = (
    ("1 person, 720p", 1, (1280, 720), False, HD, 0.0),
    ("4 people, 360p layer", 4, (640, 360), False, HD, 0.5),
    ("9 people, 180p layer", 9, (320, 180), False, HD, 0.6),
    ("screen share and 4 people", 4, (320, 180), True, HD, 0.5),
    ("4 people, 360p, on 1080p30", 4, (640, 360), False, FULL_HD, 0.9),
    ("4 people, 540p, on 1080p30", 4, (960, 540), False, FULL_HD, 0.9),
)
WARM_UP_S = 4.0


@asynccontextmanager
async def participants(
    server: MediaServerProcess, room: str, count: int, size: footage.Size, *, screen: bool = False
) -> AsyncIterator[None]:
    """Publish the layer that the recorder would choose; the participant who shares the screen has no camera."""
    publications = {
        f"person-{n}": Publication(size, clip=await asyncio.to_thread(footage.person, n, size), fps=footage.FPS)
        for n in range(count)
    }
    if screen:
        clip = await asyncio.to_thread(lambda: footage.clip("slides", footage.slides(SCREEN), SCREEN))
        source = models.TrackSource.SCREEN_SHARE
        publications["presenter"] = Publication(SCREEN, source, clip, footage.FPS)
    async with load_process() as load, aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        tasks = []
        for name, publication in publications.items():
            joined = asyncio.Event()
            peer = Peer(name, server.token(room, name), load, publication)
            tasks.append(group.create_task(peer.run(session, server.url, joined), name=name))
            await joined.wait()
        async with asyncio.timeout(30):
            while (await load.ask(do="stats"))["connected"] != len(publications):
                await asyncio.sleep(0.05)
        yield
        for task in tasks:
            task.cancel()


def job(server: MediaServerProcess, room: str, preset: RecordingPreset = HD) -> RecorderJob:
    return RecorderJob(
        recording_id=RecordingId("bench"),
        room_name=RoomName(room),
        media_url=server.url,
        file_name="meeting.mp4",
        preset=preset,
        min_free_bytes=1_000_000,
    )


async def cost(server: MediaServerProcess, folder: Path, seconds: float) -> None:
    print(f"\nCPU-seconds a recorded second ({seconds:.0f} s each, 25 fps in)")
    print(f"{'scenario':30} {'CPU':>6} {'goal':>6} {'fps':>6} {'late':>6} {'memory':>8} {'Mb/s':>6} {'floor':>6}")
    for number, (name, count, size, screen, preset, goal) in enumerate(SCENARIOS):
        room = f"cost-{number}"
        async with participants(server, room, count, size, screen=screen):
            recorder = await RecorderProcess.start(
                folder / room, job(server, room, preset), server.recorder_token(room)
            )
            begin = await recorder.until_recorded(WARM_UP_S)
            end = await recorder.until_recorded(begin.duration_s + seconds)
            state = await recorder.stop()
        lasted = end.duration_s - begin.duration_s
        spent = (end.metrics.cpu_s - begin.metrics.cpu_s) / lasted
        fps = (end.metrics.frames_composed - begin.metrics.frames_composed) / lasted
        floor = await asyncio.to_thread(ffmpeg_floor, count, size, screen, preset)
        megabits = state.bytes * 8 / state.duration_s / 1e6
        print(
            f"{name:30} {spent:6.2f} {goal or '':>6} {fps:6.1f} {state.metrics.frames_late:6} "
            f"{state.metrics.max_memory_bytes / 1e6:5.0f} MB {megabits:6.2f} {floor:>6}",
            *state.details,
            flush=True,
        )


def ffmpeg_floor(count: int, size: footage.Size, screen: bool, preset: RecordingPreset) -> str:
    """Decode, scale, tile and encode the same pictures from files: what no recorder can go below."""
    program = shutil.which("ffmpeg")
    if program is None:
        return "-"
    clips = [footage.as_ivf(footage.person(n, size), size) for n in range(count)]
    if screen:
        clips.append(footage.as_ivf(footage.clip("slides", [], SCREEN), SCREEN))
    width, height = (1920, 1080) if preset is FULL_HD else (1280, 720)
    side = next(n for n in range(1, 10) if n * n >= len(clips))
    cell = f"{width // side // 2 * 2}:{height // side // 2 * 2}"
    scaled = ";".join(f"[{n}:v]scale={cell}:flags=bilinear[v{n}]" for n in range(len(clips)))
    places = "|".join(f"{n % side * (width // side)}_{n // side * (height // side)}" for n in range(len(clips)))
    tiled = "".join(f"[v{n}]" for n in range(len(clips))) + f"xstack=inputs={len(clips)}:layout={places}:fill=black"
    graph = f"{scaled};{tiled},fps=30[out]" if len(clips) > 1 else f"{scaled};[v0]fps=30[out]"
    encode = ["-c:v", "libx264", "-preset", "superfast", "-crf", "23", "-bf", "0", "-threads", "2"]
    encode += ["-x264-params", "rc-lookahead=0:mbtree=0"]
    inputs = [part for clip in clips for part in ("-c:v", "libvpx", "-threads", "1", "-i", str(clip))]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [program, "-v", "error", *inputs, "-filter_complex", graph, "-map", "[out]", *encode, "-f", "null", "-"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{spent / (footage.LOOP_FRAMES / footage.FPS):.2f}"


def stop(folder: Path, hours: float) -> None:
    """Write a long recording's packets (encoded once, sent many times), then finish it as the recorder does."""
    folder.mkdir()
    recording = job(MediaServerProcess(), "long")
    (folder / JOB_FILE).write_text(recording.to_json())
    owned = RecordingFolder.open(folder)
    write_long_file(owned.part, hours * 3600, owned.sync_media)
    began = time.monotonic()
    state = close_file(owned, RecorderState(phase=RecorderPhase.FINISHING, pid=0))
    took = time.monotonic() - began
    with av.open(str(owned.final), mode="r") as container:
        container.seek(int(state.duration_s / 2 * 1_000_000))
        next(container.decode(video=0))
    print(f"{state.duration_s / 3600:.2f} h, {state.bytes / 1e6:.0f} MB: rename, sync and check {took:.2f} s")
    owned.close()


def write_long_file(path: Path, seconds: float, sync: Callable[[], object]) -> None:
    piece_s, fps = 10, 30
    frames = footage.face(SCREEN, 3)
    with av.open(str(path), "w", format="mp4", options=dict(MOVIE_OPTIONS)) as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "superfast", "crf": "34", "bf": "0"})
        video.width, video.height, video.pix_fmt = 1280, 720, "yuv420p"
        audio = container.add_stream("aac", rate=48_000, layout="stereo")
        packets = []
        for number in range(piece_s * fps):
            frame = av.VideoFrame.from_ndarray(frames[number % len(frames)], "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            packets += video.encode(frame)
        packets += video.encode(None)
        sound = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
        silence: list[av.Packet] = []
        for number in range(40):
            sound.sample_rate, sound.pts, sound.time_base = 48_000, number * 1024, Fraction(1, 48_000)
            silence += audio.encode(sound)
        pictures = [(bytes(p), p.is_keyframe, int((p.pts or 0) * (p.time_base or 0) * fps)) for p in packets]
        quiet, sample = bytes(silence[-1]), 0
        for piece in range(int(seconds / piece_s)):
            for data, is_key, tick in pictures:
                at = piece * piece_s * fps + tick
                container.mux(packet(data, video, at, Fraction(1, fps), is_key=is_key))
                while sample < (at + 1) * 1600:
                    container.mux(packet(quiet, audio, sample, Fraction(1, 48_000), is_key=True))
                    sample += 1024
        sync()
        began = time.monotonic()
    sync()
    print(f"index of {seconds / 3600:g} h written and synced in {time.monotonic() - began:.2f} s")


def packet(data: bytes, stream: av.stream.Stream, at: int, base: Fraction, *, is_key: bool) -> av.Packet:
    made = av.Packet(data)
    made.stream, made.pts, made.dts, made.time_base, made.is_keyframe = stream, at, at, base, is_key
    return made


async def start(server: MediaServerProcess, folder: Path, count: int) -> None:
    print(f"\n{count} starts: seconds since the process was started, median and minimum")
    rows: list[tuple[float, ...]] = []
    async with participants(server, "start", 2, (640, 360)):
        for number in range(count):
            token = server.recorder_token("start", f"recorder-{number}")
            began, began_at = time.monotonic(), time.time()
            recorder = await RecorderProcess.start(folder / f"start-{number}", job(server, "start"), token)
            await recorder.until(lambda state: state.phase is RecorderPhase.JOINING)
            joining_s = time.monotonic() - began
            state = await recorder.until_recording()
            recording_s = time.monotonic() - began
            assert state.started_at_ms
            rows.append((joining_s, state.started_at_ms / 1000 - began_at, recording_s, state.metrics.cpu_s))
            await recorder.stop()
    for name, column in zip(("joining", "time begins", "recording", "CPU"), zip(*rows, strict=True), strict=True):
        print(f"{name:12} {statistics.median(column):5.2f} {min(column):5.2f}")


async def kill(server: MediaServerProcess, folder: Path, count: int) -> None:
    print(f"\nkill -9 at {count} random instants: seconds lost")
    losses = []
    async with participants(server, "kill", 2, (640, 360)):
        for number in range(count):
            token = server.recorder_token("kill", f"recorder-{number}")
            recorder = await RecorderProcess.start(folder / f"kill-{number}", job(server, "kill"), token)
            state = await recorder.until_recording()
            assert state.started_at_ms
            await asyncio.sleep(random.uniform(0.5, 4))
            ran_s = time.time() - state.started_at_ms / 1000
            await recorder.kill()
            recovered = recover(recorder.folder)
            losses.append(ran_s - recovered.duration_s)
    print(f"largest {max(losses):.2f}, mean {sum(losses) / len(losses):.2f} (.38 s of it is the composing delay)")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--server", choices=("tertulia", "livekit"), default="tertulia")
    parser.add_argument("--only", choices=("cost", "start", "stop", "kill"))
    options = parser.parse_args()
    server = MediaServerProcess(options.server)
    with tempfile.TemporaryDirectory(prefix="tertulia-bench-") as temporary:
        folder = Path(temporary)
        await server.start()
        try:
            if options.only in {None, "cost"}:
                await cost(server, folder, options.seconds)
            if options.only in {None, "start"}:
                await start(server, folder, options.starts)
            if options.only in {None, "kill"}:
                await kill(server, folder, options.kills)
            if options.only in {None, "stop"}:
                print()
                await asyncio.to_thread(stop, folder / "long", options.hours)
        finally:
            await server.kill()


if __name__ == "__main__":
    asyncio.run(main())
