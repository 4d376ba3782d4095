"""A recording while its database does not answer, for longer than a recorder may be silent. `make soak`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from support.cuttable_relay import relay_thread
from support.postgres import running_postgres
from support.recording_server import StartServer

STALL_S = int(os.environ.get("SOAK_STALL_S", "55"))
pytestmark = pytest.mark.timeout(STALL_S + 200)


async def test_a_recording_goes_on(start_server: StartServer, tmp_path: Path) -> None:
    """(issue 10) A healthy recorder was killed when the database came back after 55 s."""
    with running_postgres() as cluster, relay_thread(cluster.port) as relay:
        url = cluster.new_database().replace(f":{cluster.port}/", f":{relay.port}/")
        server = await start_server(DATABASE_URL=url)
        room = await server.create_room()
        await server.join(room)
        recording = await server.start_recording(room)
        await server.recorded(recording, 2)
        pid = await server.recorder_pid(recording)
        relay.stall()
        await asyncio.sleep(STALL_S)
        relay.resume()
        await server.recorded(recording, STALL_S + 4)
        assert await server.recorder_pid(recording) == pid
        await server.stop_recording(recording)
        shown = await server.ended(recording)
        assert shown["status"] == "STOPPED"
        assert shown["duration"] > STALL_S + 4
        assert "recorder hangs" not in server.log()
        film = await server.film(recording)
        assert film.duration_s == pytest.approx(shown["duration"], abs=0.3)
        lines = [line for line in server.log().splitlines() if "cannot be supervised" in line]
        assert len(lines) < 6, "a line that repeats is said once a minute, for each reason"
