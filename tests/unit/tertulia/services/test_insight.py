"""Insight: sampled by several servers, summed up, forgotten; gaps stay gaps."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from support.services import Installation
from tertulia.domain.ids import Millis
from tertulia.domain.insight import (
    COARSE_KEPT_MS,
    COARSE_STEP_S,
    FINE_KEPT_MS,
    FINE_STEP_S,
    InsightPeriod,
    Step,
    begin_of_step,
)
from tertulia.errors import Unavailable
from tertulia.services.insight import InsightService
from tertulia.services.ports import Traffic


@dataclass
class Telemetry:
    traffic_now: Traffic | None = None

    def traffic(self) -> Traffic | None:
        return self.traffic_now


@dataclass
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def service(
    inst: Installation, source: str = "one", telemetry: Telemetry | None = None, now_s: Seconds | None = None
) -> InsightService:
    return InsightService(
        store=inst.store, media=inst.media, telemetry=telemetry or Telemetry(), source=source, now_s=now_s or Seconds()
    )


async def database_time(inst: Installation) -> Millis:
    return await inst.store.read(lambda tx: tx.now_ms())


async def shown(inst: Installation, period: InsightPeriod = InsightPeriod.DAY) -> list[tuple[int, int]]:
    """The most people at once of each step; a test may run over the end of one."""
    return [(step.participants, step.rooms) for step in await service(inst).look(period)]


async def test_nothing_is_known_before_the_first_sample(inst: Installation):
    assert await shown(inst) == []
    assert await shown(inst, InsightPeriod.MONTH) == []


async def test_servers_are_added_up_and_a_restarted_one_is_not_counted_twice(inst: Installation):
    inst.join(await inst.participants.token(inst.request()))
    for source in ("one", "one", "two"):
        await service(inst, source).sample()
    assert max(await shown(inst)) == (2, 2)
    assert max(await shown(inst, InsightPeriod.MONTH)) == (2, 2)


async def test_bandwidth_is_what_went_by_since_the_sample_before(inst: Installation):
    telemetry, now_s = Telemetry(Traffic(1000, 50_000)), Seconds()
    sampled = service(inst, telemetry=telemetry, now_s=now_s)
    await sampled.sample()
    assert [step.sent_bps for step in await sampled.look(InsightPeriod.DAY)] == [None]
    now_s.now, telemetry.traffic_now = 10.0, Traffic(2000, 150_000)
    await sampled.sample()
    *_, last = await sampled.look(InsightPeriod.DAY)
    assert (last.received_bps, last.sent_bps) == (800, 80_000)


async def test_a_media_server_that_is_away_leaves_a_gap(inst: Installation):
    inst.media.is_away = True
    with pytest.raises(Unavailable):
        await service(inst).sample()
    assert await shown(inst) == []


def step(begin_ms: int, people: int, sent: int = 300_000) -> Step:
    return Step(
        begin_ms=begin_of_step(begin_ms, FINE_STEP_S),
        participants=people,
        rooms=1,
        recordings=0,
        covered_ms=300_000,
        received_bytes=sent,
        sent_bytes=sent,
    )


async def test_old_steps_become_coarse_ones_of_all_servers(inst: Installation):
    old = begin_of_step(await database_time(inst) - FINE_KEPT_MS, COARSE_STEP_S) - COARSE_STEP_S * 1000
    steps = [("one", step(old, 2)), ("two", step(old, 3)), ("one", step(old + 300_000, 4))]
    for source, each in steps:
        await inst.store.write(lambda tx, source=source, each=each: tx.insight.add(source, each))
    before = await service(inst).look(InsightPeriod.MONTH)
    await service(inst).sum_up()
    await service(inst).sum_up()
    assert await service(inst).look(InsightPeriod.MONTH) == before
    assert [(each.participants, each.rooms, each.sent_bps) for each in before] == [(5, 2, 12_000)]
    assert await inst.store.read(lambda tx: tx.insight.fine(since_ms=Millis(0))) == []


async def test_a_coarse_step_is_added_to_while_it_ages(inst: Installation):
    old = begin_of_step(await database_time(inst) - FINE_KEPT_MS, COARSE_STEP_S) - COARSE_STEP_S * 1000
    for each in (step(old, 4), step(old + 300_000, 1)):
        await inst.store.write(lambda tx, each=each: tx.insight.add("one", each))
        await service(inst).sum_up()
    (found,) = await service(inst).look(InsightPeriod.MONTH)
    assert (found.participants, found.covered_ms, found.sent_bps) == (4, 600_000, 8000)


async def test_space_is_bounded(inst: Installation):
    forgotten = await database_time(inst) - COARSE_KEPT_MS - 2 * COARSE_STEP_S * 1000
    await inst.store.write(lambda tx: tx.insight.add("one", step(forgotten, 1)))
    await service(inst).sum_up()
    assert await inst.store.read(lambda tx: tx.insight.coarse(since_ms=Millis(0))) == []
