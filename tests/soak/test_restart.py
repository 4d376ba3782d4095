"""The server is restarted under five hundred participants: all are back within seconds. `make soak`.

Nobody has to try twice when the new server is there. What a client waits between two attempts is its own: if the start
takes more than 1.5 s, all are back 3.7 s after it at the latest, and what their joins take.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from livekit.protocol.rtc import LeaveRequest

from support.media_servers import Ports, RunningServer, ServerProcess, tertulia_sfu_command
from support.returning_clients import joined_clients, restart

PARTICIPANTS: Final = 500
JOINED_WITHIN_S: Final = 3.0

pytestmark = [pytest.mark.timeout(300), pytest.mark.measures_time]


async def test_five_hundred_are_back_soon(tmp_path: Path) -> None:
    ports = Ports()
    process = ServerProcess(tertulia_sfu_command(ports), ports, log=tmp_path / "log")
    await process.start()
    try:
        async with joined_clients(RunningServer("embedded", ports.http), PARTICIPANTS) as clients:
            took = await restart(process, clients)
    finally:
        process.kill()
    print(took)
    assert {tuple(leave.action for leave in each.told) for each in clients} == {(LeaveRequest.RECONNECT,)}
    assert took.refused == 0, took
    assert took.longest_join_s < JOINED_WITHIN_S, took
