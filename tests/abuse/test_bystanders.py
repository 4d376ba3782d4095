"""The measure itself: without an attack nothing is noticed, and a server that stands still is."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from abuse.conftest import Victim

STALL_S = 0.5


@pytest.mark.measures_time
async def test_without_an_attack_nobody_notices_anything(victim: Victim):
    during = await victim.bystanders.measure(3)
    victim.assert_unharmed(during)
    assert during.requests > 100
    assert during.pictures > 20


@pytest.mark.measures_time
async def test_a_server_that_stands_still_is_noticed(victim: Victim):
    assert victim.server.process
    await victim.bystanders.start()
    os.kill(victim.server.process.pid, signal.SIGSTOP)
    await asyncio.sleep(STALL_S)
    os.kill(victim.server.process.pid, signal.SIGCONT)
    await asyncio.sleep(1)
    during = await victim.bystanders.report()
    assert during.request_max_ms > STALL_S * 800
    assert during.ping_max_ms > STALL_S * 500
    with pytest.raises(AssertionError):
        victim.assert_unharmed(during)
