"""Starts the recorder as a worker does, and waits for its states and for what its file shows."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.film import Film, is_like
from tertulia_recorder.drawing.layout import Rect
from tertulia_recorder.job import (
    JOB_FILE,
    NOTIFY_VARIABLE,
    PART_SUFFIX,
    STATE_FILE,
    TOKEN_VARIABLE,
    RecorderJob,
    RecorderPhase,
    RecorderState,
)


@dataclass
class RecorderProcess:
    """A recorder and its folder."""

    folder: Path
    job: RecorderJob
    process: asyncio.subprocess.Process
    _states: asyncio.StreamReader
    """A byte for each new state; at its end the recorder has exited."""

    @classmethod
    async def start(cls, folder: Path, job: RecorderJob, token: str, **how: object) -> "RecorderProcess":
        folder.mkdir(parents=True, exist_ok=True)
        (folder / JOB_FILE).write_text(job.to_json())
        read_fd, write_fd = os.pipe()
        with (folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tertulia_recorder",
                str(folder),
                env={**os.environ, TOKEN_VARIABLE: token, NOTIFY_VARIABLE: str(write_fd)},
                stdout=log,
                stderr=log,
                pass_fds=(write_fd,),
                start_new_session=True,
                **how,  # type: ignore[arg-type]
            )
        os.close(write_fd)
        states = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(states), os.fdopen(read_fd, "rb", 0)
        )
        return cls(folder, job, process, states)

    def state(self) -> RecorderState | None:
        try:
            return RecorderState.from_json((self.folder / STATE_FILE).read_text())
        except FileNotFoundError:
            return None

    async def until(self, condition: Callable[[RecorderState], bool], timeout_s: float = 90) -> RecorderState:
        """Wait for a state. Raises AssertionError when the recorder ends without it."""
        async with asyncio.timeout(timeout_s):
            while True:
                state = self.state()
                if state is not None and condition(state):
                    return state
                if not await self._states.read(100):
                    await self.process.wait()
                    state = self.state()
                    assert state is not None, self.log()
                    assert condition(state), (state, self.log())
                    return state

    async def until_recording(self) -> RecorderState:
        return await self.until(lambda s: s.phase is RecorderPhase.RECORDING)

    async def until_recorded(self, seconds: float) -> RecorderState:
        return await self.until(lambda s: s.duration_s >= seconds, timeout_s=90 + 2 * seconds)

    async def until_film(self, condition: Callable[[Film], bool], timeout_s: float = 60) -> float:
        """Wait until the end of what is recorded so far meets a condition; returns where that end is, in seconds."""
        async with asyncio.timeout(timeout_s):
            state = await self.until_recording()
            while True:
                film = await asyncio.to_thread(Film.end_of, self.part, 1.0)
                if len(film.times) and condition(film):
                    return float(film.times[-1])
                recorded_s = state.duration_s
                state = await self.until(lambda s, so_far=recorded_s: s.duration_s > so_far)  # type: ignore[misc]

    async def until_visible(self, tile: Rect, colour: tuple[int, int, int]) -> float:
        """Wait until the middle of a tile has a colour; returns when, in the recording's time."""
        return await self.until_film(lambda film: is_like(film.colour_at(film.times[-1], tile), colour))

    async def stop(self) -> RecorderState:
        self.process.send_signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()

    async def ended(self, timeout_s: float = 120) -> RecorderState:
        await asyncio.wait_for(self.process.wait(), timeout_s)
        state = self.state()
        assert state is not None
        assert state.phase is RecorderPhase.DONE, self.log()
        return state

    @property
    def file(self) -> Path:
        return self.folder / self.job.file_name

    @property
    def part(self) -> Path:
        return self.folder / (self.job.file_name + PART_SUFFIX)

    def log(self) -> str:
        return (self.folder / "log").read_text()[-6000:]
