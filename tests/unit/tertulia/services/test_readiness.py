"""Readiness: what counts as ready, that many askers cost one look a second, and that none of them waits long."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from support.services import Installation
from tertulia.errors import Unavailable
from tertulia.services.readiness import PartState, Readiness, ReadinessService

OK, LOW, FULL, UNAVAILABLE = PartState.OK, PartState.LOW, PartState.FULL, PartState.UNAVAILABLE


@dataclass
class Parts:
    """Each part fails or hangs as a test says, and counts how often it was asked."""

    free: int = 10**12
    database_error: Exception | None = None
    hangs: bool = False
    asked: dict[str, int] = field(default_factory=lambda: {"database": 0, "disk": 0})

    async def check(self) -> None:
        self.asked["database"] += 1
        await asyncio.sleep(0)
        if self.hangs:
            await asyncio.Event().wait()
        if self.database_error is not None:
            raise self.database_error

    async def free_bytes(self) -> int:
        self.asked["disk"] += 1
        return self.free


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
def readiness(inst: Installation, parts: Parts) -> ReadinessService:
    return ReadinessService(store=parts, media=inst.media, disk=parts, low_below_bytes=10**9)  # type: ignore[arg-type]


async def test_all_is_well(readiness: ReadinessService):
    found = await readiness.look()
    assert found == Readiness(OK, OK, OK)
    assert found.is_ready


@pytest.mark.parametrize(
    ("free", "state", "is_ready"),
    [(10**9, OK, True), (10**9 - 1, LOW, True), (10**6, LOW, True), (999_999, FULL, False)],
)
async def test_disk(readiness: ReadinessService, parts: Parts, free, state, is_ready):
    parts.free = free
    found = await readiness.look()
    assert (found.disk, found.is_ready) == (state, is_ready)


async def test_a_part_that_fails(readiness: ReadinessService, inst: Installation, parts: Parts):
    inst.media.is_away = True
    parts.database_error = Unavailable("store_unavailable", "gone: it was at 10.0.0.1")
    with capture_logs() as logs:
        found = await readiness.look()
    assert found == Readiness(UNAVAILABLE, UNAVAILABLE, OK)
    assert not found.is_ready
    assert {line.get("reason") for line in logs} >= {"gone: it was at 10.0.0.1", "away"}


async def test_a_part_that_hangs(readiness: ReadinessService, parts: Parts):
    parts.hangs = True
    async with asyncio.timeout(5):
        found = await asyncio.gather(*(readiness.look() for _ in range(50)))
    assert {each.database for each in found} == {UNAVAILABLE}
    assert parts.asked["database"] == 1


async def test_many_askers_cost_one_look_a_second(readiness: ReadinessService, parts: Parts):
    await asyncio.gather(*(readiness.look() for _ in range(1000)))
    assert parts.asked == {"database": 1, "disk": 1}
    await asyncio.sleep(1.01)
    await readiness.look()
    assert parts.asked == {"database": 2, "disk": 2}


async def test_an_asker_that_leaves_costs_the_others_nothing(readiness: ReadinessService):
    first = asyncio.ensure_future(readiness.look())
    others = [asyncio.ensure_future(readiness.look()) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    assert {(await other).is_ready for other in others} == {True}
