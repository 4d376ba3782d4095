"""A server is restarted under five hundred participants: how soon they are back.

They are signal connections without media in rooms of 25, which try again as `livekit-client` does.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from support.media_servers import (
    Ports,
    RunningServer,
    ServerProcess,
    find_livekit_server,
    livekit_command,
    tertulia_sfu_command,
)
from support.returning_clients import Restart, joined_clients, restart

PARTICIPANTS: Final = 500
OURS: Final = "tertulia"


async def measure(runs: int) -> dict[str, list[Restart]]:
    """Return the restarts of each server, in turn."""
    commands = {OURS: tertulia_sfu_command}
    if find_livekit_server():
        commands["livekit-server"] = livekit_command
    found: dict[str, list[Restart]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            ports = Ports()
            process = ServerProcess(command(ports), ports)
            await process.start()
            try:
                async with joined_clients(RunningServer(name, ports.http), PARTICIPANTS) as clients:
                    found[name].append(await restart(process, clients, insists=name != OURS))
            finally:
                process.kill()
            print(name, found[name][-1], flush=True)
    return found


def section(found: dict[str, list[Restart]]) -> str:
    """Return the table of the document."""

    def median(restarts: Sequence[Restart], of: str) -> str:
        return f"{statistics.median(getattr(each, of) for each in restarts):.1f} s"

    rows = {
        "told to stop → ended | ": "stop_s",
        "started → answers | ": "start_s",
        "answers → all are back, a pause of the clients included | ": "back_s",
        "the slowest of their joins | 3 s": "longest_join_s",
    }
    lines = [
        f"| restart with {PARTICIPANTS} people | goal | {' | '.join(found)} |",
        "| --- | --- |" + " --- |" * len(found),
    ]
    for row, of in rows.items():
        lines.append(f"| {row} | {' | '.join(median(restarts, of) for restarts in found.values())} |")
    return "\n".join(lines)
