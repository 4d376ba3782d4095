"""A stop while the worker is away: it reaches the recorder by the meeting."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from support.film import is_like
from support.publisher import COLOURS, Look
from support.recorder_command import recorder_command
from support.recording_server import StartServer, until_found
from tertulia_recorder.job import EndReason, RecorderPhase


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("postgres").new_database())


@pytest.mark.measures_time
@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
async def test_a_stop_reaches_the_recorder_without_its_worker(
    start_server: StartServer, database_url: str, tmp_path: Path, how: signal.Signals
) -> None:
    """(issue 10) The recorder ends while its worker is away, and nothing after the stop is in the film."""
    shared = {"DATABASE_URL": database_url, "RECORDINGS_URL": str(tmp_path / "store")}
    server = await start_server(RECORDING_CAPACITY="0", **shared)
    room = await server.create_room()
    ann = await server.join(room, colour="red")
    async with recorder_command(tmp_path / "worker", server, **shared) as worker:
        recording = await server.start_recording(room)
        started_at_s = (await server.recording(recording))["startedAt"] / 1000
        await server.recorded(recording, 2)
        worker.send(how)
        asked_at_s = time.time()
        await server.stop_recording(recording)
        answered_at_s = time.time()
        ann.look = Look(COLOURS["blue"])

        state = await until_found(
            "the end of the recorder",
            lambda: (state := worker.state(recording)) and state.phase is RecorderPhase.DONE and state,
            within_s=10,
        )
        assert state.reason is EndReason.STOPPED
        assert (await server.recording(recording))["status"] == "STOPPING"
        if how is signal.SIGSTOP:
            worker.send(signal.SIGCONT)
        else:
            await worker.ended()
            await worker.start()
        shown = await server.ended(recording)
        assert shown["status"] == "STOPPED", worker.log.read_text()
    film = await server.film(recording)
    assert asked_at_s - started_at_s - 0.2 < film.duration_s < answered_at_s - started_at_s + 0.2
    assert is_like(film.frame_at(film.duration_s).reshape(-1, 3).mean(0), COLOURS["red"], 60)
