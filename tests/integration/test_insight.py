"""`GET /console/insight`: how much went on, on both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support.rest import RestServer
from support.waiting import until
from tertulia.adapters.sql.store import open_store
from tertulia.domain.ids import Millis
from tertulia.domain.insight import Step


def insight(server: RestServer, period: str = "") -> dict:
    query = f"?period={period}" if period else ""
    return server.internal("GET", f"/console/insight{query}", bearer=server.log_in()["accessToken"]).json()


async def test_what_goes_on_is_sampled(server: RestServer):

    async def is_sampled() -> bool:
        return bool((await asyncio.to_thread(insight, server))["points"])

    await until("a point is there", is_sampled)
    found = insight(server)
    assert (found["period"], found["stepS"]) == ("24h", 300)
    point = found["points"][-1]
    assert min(point["participants"], point["rooms"], point["recordings"]) >= 0
    month = insight(server, "30d")
    assert (month["period"], month["stepS"]) == ("30d", 7200)
    assert len(month["points"]) <= 31 * 12


def test_only_known_periods(server: RestServer):
    refused = server.internal("GET", "/console/insight?period=1y", bearer=server.log_in()["accessToken"])
    assert refused.status_code == 422


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_two_servers_sum_up_at_once(kind: str, request: pytest.FixtureRequest, tmp_path: Path):
    """Each fine step goes into the coarse one exactly once."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    if kind == "postgres":
        url = request.getfixturevalue("postgres").new_database()
    stores = [open_store(url), open_store(url)]
    for store in stores:
        await store.open()
    count, covered_ms = 24, 300_000

    def step(at: int) -> Step:
        return Step(
            begin_ms=Millis(at * covered_ms),
            participants=at,
            rooms=1,
            recordings=0,
            covered_ms=covered_ms,
            received_bytes=covered_ms,
            sent_bytes=covered_ms,
        )

    async def fill(at: int) -> None:
        await stores[at % 2].write(lambda tx: tx.insight.add("server", step(at)))

    async def sum_up(at: int) -> None:
        def work(tx):
            for each in tx.insight.take_fine(before_ms=Millis(count * covered_ms)):
                tx.insight.add_coarse(Step(**{name: getattr(each, name) for name in Step.__slots__} | {"begin_ms": 0}))

        await stores[at].write(work)

    for at in range(count):
        await fill(at)
    await asyncio.gather(sum_up(0), sum_up(1), sum_up(0), sum_up(1))
    (found,) = await stores[0].read(lambda tx: tx.insight.coarse(since_ms=Millis(0)))
    assert (found.covered_ms, found.participants, found.sent_bps) == (count * covered_ms, count - 1, 8000)
    for store in stores:
        await store.close()
