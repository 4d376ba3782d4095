"""The store through PgBouncer in transaction mode: each transaction may run in another session of PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import pytest

from support.pgbouncer import PROGRAM, running_pgbouncer
from support.postgres import Postgres
from tertulia.adapters.sql.store import SqlStore, open_store
from tertulia.errors import Unavailable

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed: apt-get install pgbouncer")


def put(name: str):
    return lambda tx: tx.accounts.put_credential(name, "x")


@pytest.fixture
async def store(postgres: Postgres) -> AsyncIterator[SqlStore]:
    """A store with more connections than the pooler has sessions."""
    url = await asyncio.to_thread(postgres.new_database)
    with running_pgbouncer(postgres, url, sessions=2) as pooled:
        opened = open_store(pooled, pool_size=12)
        await opened.open()
        yield opened
        await opened.close()


async def test_reads_and_writes_share_sessions(store: SqlStore):
    """(issue 10) A session that reads were given for themselves alone refused the next one's writes; prepared
    statements are in one session and not in another.
    """
    for number in range(20):
        names = [f"{number}-{each}" for each in range(20)]
        await asyncio.gather(*(store.write(put(name)) for name in names))
        found = await asyncio.gather(
            *(store.read(lambda tx, name=name: tx.accounts.credential(name)) for name in names)
        )
        assert found == ["x"] * 20
    await store.check()


async def test_no_session_is_free(store: SqlStore):
    """A pooler lets its clients wait: they are told in time here too, and served when there is a session again."""
    held, go_on = threading.Semaphore(0), threading.Event()

    def hold(tx) -> None:
        put(f"held-{threading.get_ident()}")(tx)
        held.release()
        go_on.wait(20)

    holding = [asyncio.ensure_future(store.write(hold)) for _ in range(2)]
    for _ in holding:
        await asyncio.to_thread(held.acquire)
    began_at_s = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        await store.read(lambda tx: tx.accounts.credential("x"))
    assert refused.value.code == "store_unavailable"
    assert time.monotonic() - began_at_s < 5
    go_on.set()
    await asyncio.gather(*holding, return_exceptions=True)
    await store.write(put("after"))
    assert await store.read(lambda tx: tx.accounts.credential("after")) == "x"


async def test_a_statement_that_waits_for_a_lock_ends_in_the_server_too(store: SqlStore, postgres: Postgres):
    """What nobody waits for any more does not go on to hold a session of the pooler."""

    def timeout(tx) -> str:
        return str(tx._connection.exec_driver_sql("SHOW statement_timeout").scalar())

    assert await store.write(timeout) == "4s"
    assert await store.read(timeout) == "0", "nothing stays in a session"
