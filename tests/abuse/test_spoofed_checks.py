"""50,000 connectivity checks a second, each from another address, disturb nobody's media."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from .conftest import Victim

SECONDS = 4
SENT_PER_SECOND = 10_000
"""A machine that sends fewer says nothing."""


def media_port(pid: int) -> int:
    """Return the UDP port of a process: the one that most of its sockets share."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        target = str(descriptor.readlink())
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    ports = [int(row[1].split(":")[1], 16) for row in rows if row[9] in inodes]
    return max(set(ports), key=ports.count)


@pytest.mark.measures_time
async def test_spoofed_checks_disturb_nobody(victim: Victim) -> None:
    assert victim.server.process
    port = media_port(victim.server.process.pid)
    await victim.bystanders.start()
    flood = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "support.stun_flood", str(port), str(SECONDS)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )
    sent, _ = await flood.communicate()
    report = await victim.bystanders.report()
    assert int(sent) > SENT_PER_SECOND * SECONDS, sent
    victim.assert_unharmed(report)
    pictures = report.pictures / SECONDS
    assert pictures > 0.8 * victim.quiet.pictures / 3, (report, victim.quiet)
