"""The pool of connections to PostgreSQL: its size, how long one waits for it, and connections that died unnoticed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from support.postgres import Postgres, running_postgres
from tertulia.adapters.sql.store import open_store
from tertulia.adapters.sql.transaction import SqlTransaction
from tertulia.errors import ConfigurationError, Unavailable


def put(name: str):
    return lambda tx: tx.accounts.put_credential(name, "x")


async def test_size(postgres: Postgres):
    """However many transactions come at once, the server opens no more connections than it may."""
    store = open_store(await asyncio.to_thread(postgres.new_database), pool_size=5)
    await store.open()

    def connections(tx: SqlTransaction) -> int:
        counting = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(tx._connection.execute(counting).scalar_one())

    counted = await asyncio.gather(
        *(store.write(put(f"a{number}")) for number in range(50)), *(store.read(connections) for _ in range(50))
    )
    assert max(counted[50:]) <= 5
    assert await store.read(connections) == 5
    await store.close()


async def test_timeout(postgres: Postgres):
    """Who finds every connection taken is told so after the timeout; who has one may take as long as it needs."""
    store = open_store(await asyncio.to_thread(postgres.new_database), pool_size=2, pool_timeout_s=0.2)
    await store.open()
    started, go_on = threading.Event(), threading.Event()

    def slow(tx: SqlTransaction) -> None:
        put("slow")(tx)
        started.set()
        go_on.wait(20)

    writing = asyncio.ensure_future(store.write(slow))
    await asyncio.to_thread(started.wait, 20)
    with pytest.raises(Unavailable, match=r"no free connection within 0\.2 s") as refused:
        await store.write(put("refused"))
    assert refused.value.code == "store_unavailable"
    go_on.set()
    await writing
    await store.write(put("accepted"))
    names = [await store.read(lambda tx, name=name: tx.accounts.credential(name)) for name in ("slow", "refused")]
    assert names == ["x", None]
    await store.close()


# ── PostgreSQL goes away and comes back ──


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    with running_postgres() as cluster:
        yield cluster


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_restarted_database_costs_no_request(own_postgres: Postgres, mode):
    """Every kept connection is dead after a restart; who comes next does not notice."""
    opened = open_store(await asyncio.to_thread(own_postgres.new_database), pool_size=16)
    await opened.open()
    await asyncio.gather(*(opened.write(put(f"a{number}")) for number in range(50)))
    await asyncio.gather(*(opened.read(lambda tx: tx.accounts.credential("a1")) for _ in range(50)))
    await asyncio.to_thread(own_postgres.stop, mode)
    for ask in (opened.read(lambda tx: tx.accounts.credential("a1")), opened.write(put("never"))):
        with pytest.raises(Unavailable) as refused:
            await ask
        assert refused.value.code == "store_unavailable"
    await asyncio.to_thread(own_postgres.start)
    found = await asyncio.gather(*(opened.read(lambda tx: tx.accounts.credential("a1")) for _ in range(50)))
    assert found == ["x"] * 50
    await asyncio.gather(*(opened.write(put(f"b{number}")) for number in range(50)))
    assert await opened.read(lambda tx: tx.accounts.credential("never")) is None
    # a kept connection that died unnoticed is the first that a transaction meets
    await asyncio.to_thread(own_postgres.stop, mode)
    await asyncio.to_thread(own_postgres.start)
    await asyncio.gather(*(opened.write(put(f"c{number}")) for number in range(50)))
    await asyncio.gather(*(opened.read(lambda tx: tx.accounts.credential("c1")) for _ in range(50)))
    await opened.close()


@pytest.mark.measures_time
async def test_a_kept_connection_that_does_not_answer_costs_a_second(own_postgres: Postgres):
    """(issue 10) Its machine is gone, or a firewall has forgotten it: there is time left for a new one."""
    opened = open_store(await asyncio.to_thread(own_postgres.new_database), pool_size=16)
    await opened.open()
    await asyncio.gather(*(opened.write(put(f"a{number}")) for number in range(50)))
    await asyncio.gather(*(opened.read(lambda tx: tx.accounts.credential("a1")) for _ in range(50)))
    await asyncio.sleep(0.2)  # a connection that was in use just now is not tested
    with own_postgres.frozen(supervisor_too=False):
        for _ in range(2):
            began_at_s = time.monotonic()
            found = await asyncio.gather(
                *(opened.read(lambda tx: tx.accounts.credential("a1")) for _ in range(50)),
                *(opened.write(put(f"b{number}")) for number in range(50)),
            )
            assert found == ["x"] * 50 + [None] * 50
            assert time.monotonic() - began_at_s < 3
    await opened.close()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_answered_is_committed_when_the_database_restarts(own_postgres: Postgres, mode):
    """(issue 4) Everything that was answered is there afterwards; what was not is told as store_unavailable."""
    opened = open_store(await asyncio.to_thread(own_postgres.new_database), pool_size=16)
    await opened.open()
    answered: set[str] = set()
    enough, over = asyncio.Event(), asyncio.Event()

    async def write_on(writer: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            try:
                await opened.write(put(f"{writer}-{number}"))
            except Unavailable as error:
                assert error.code == "store_unavailable"  # noqa: PT017 - it comes or it does not
                await asyncio.sleep(0.01)
                continue
            answered.add(f"{writer}-{number}")
            if len(answered) > 200:
                enough.set()

    async def restart() -> None:
        await enough.wait()
        await asyncio.to_thread(own_postgres.stop, mode)
        await asyncio.to_thread(own_postgres.start)
        await opened.write(put("after"))
        over.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for writer in range(32):
            tasks.create_task(write_on(writer), name=f"writer {writer}")
        tasks.create_task(restart(), name="restart")
    stored = await opened.read(
        lambda tx: {name for (name,) in tx._connection.execute(text("SELECT name FROM credentials"))}
    )
    assert answered <= stored
    await opened.close()


async def test_a_database_that_is_not_there(own_postgres: Postgres):
    url = await asyncio.to_thread(own_postgres.new_database)
    await asyncio.to_thread(own_postgres.stop)
    opened = open_store(url.replace("postgres@", "postgres:hidden@"))
    with pytest.raises(ConfigurationError, match="TERTULIA_DATABASE_URL: cannot open") as refused:
        await opened.open()
    assert "hidden" not in str(refused.value)
    await opened.close()
    await asyncio.to_thread(own_postgres.start)
