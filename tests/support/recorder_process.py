"""Starts the recorder the way a worker does, and reads what it says."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tertulia_recorder.job import (
    JOB_FILE,
    STATE_FILE,
    TOKEN_VARIABLE,
    RecorderJob,
    RecorderPhase,
    RecorderState,
)


@dataclass
class RecorderProcess:
    folder: Path
    job: RecorderJob
    process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, folder: Path, job: RecorderJob, token: str, **how: object) -> "RecorderProcess":
        folder.mkdir(parents=True, exist_ok=True)
        (folder / JOB_FILE).write_text(job.to_json())
        with (folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tertulia_recorder",
                str(folder),
                env={**os.environ, TOKEN_VARIABLE: token},
                stdout=log,
                stderr=log,
                start_new_session=True,
                **how,  # type: ignore[arg-type]
            )
        return cls(folder, job, process)

    def state(self) -> RecorderState | None:
        try:
            return RecorderState.from_json((self.folder / STATE_FILE).read_text())
        except FileNotFoundError:
            return None

    async def until(self, condition: Callable[[RecorderState], bool], timeout_s: float = 90) -> RecorderState:
        async with asyncio.timeout(timeout_s):
            while True:
                state = self.state()
                if state is not None and condition(state):
                    return state
                assert self.process.returncode is None or (state and state.phase is RecorderPhase.DONE), self.log()
                await asyncio.sleep(0.03)

    async def until_recording(self) -> RecorderState:
        return await self.until(lambda s: s.phase is RecorderPhase.RECORDING)

    async def until_recorded(self, seconds: float) -> RecorderState:
        return await self.until(lambda s: s.duration_s >= seconds, timeout_s=90 + 2 * seconds)

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
        return self.folder / (self.job.file_name + ".part")

    def log(self) -> str:
        return (self.folder / "log").read_text()[-6000:]
