"""A program in a network of its own: nothing in it but loopback and one interface with the given addresses."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
INTERFACE = "meeting0"


async def run_in_network(addresses: Sequence[str], module: str, *arguments: str, timeout_s: float = 60) -> str:
    """Run a module of the tests where the machine has these addresses. Return what it prints; it has to succeed.

    Skips the test where no network can be made.
    """
    command = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--net"]
    if not _can_make_networks(command):
        pytest.skip("not tested: no networks of their own (unshare --net, ip) can be made here")
    setup = [
        "ip link set lo up",
        f"ip link add {INTERFACE} type veth peer name {INTERFACE}-end",
        f"ip link set {INTERFACE}-end up",
        *(f"ip addr add {address} dev {INTERFACE} {'nodad' if ':' in address else ''}" for address in addresses),
        f"ip link set {INTERFACE} up",
        "ip -6 route add default dev meeting0 || true",
        "exec " + shlex.join([sys.executable, "-m", module, *arguments]),
    ]
    process = await asyncio.create_subprocess_exec(
        *(*command, "sh", "-ec", "\n".join(setup)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(TESTS)},
    )
    try:
        async with asyncio.timeout(timeout_s):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, errors.decode()
    return output.decode()


def _can_make_networks(command: Sequence[str]) -> bool:
    has_programs = all(shutil.which(program) for program in ("ip", "unshare"))
    return has_programs and subprocess.run([*command, "true"], check=False, capture_output=True).returncode == 0
