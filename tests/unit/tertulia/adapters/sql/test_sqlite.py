"""The SQLite store: batches of writes, and what happens when one of them fails."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from tertulia.adapters.sql.sqlite import SqliteStore
from tertulia.adapters.sql.store import open_store
from tertulia.errors import ConfigurationError, Unavailable


@pytest.fixture
async def store(tmp_path: Path):
    opened = open_store(f"sqlite:///{tmp_path / 'x.db'}")
    await opened.open()
    yield opened
    await opened.close()


async def test_a_failing_write_costs_nobody_else(store: SqliteStore):
    def good(number: int):
        return lambda tx: tx.accounts.put_credential(f"c{number}", "x")

    def bad(tx) -> None:
        tx.accounts.put_credential("never", "x")
        raise LookupError("mine")

    writes = [store.write(bad if number % 7 == 3 else good(number)) for number in range(200)]
    answers = await asyncio.gather(*writes, return_exceptions=True)
    for number, answer in enumerate(answers):
        assert isinstance(answer, LookupError) == (number % 7 == 3)
        found = await store.read(lambda tx, number=number: tx.accounts.credential(f"c{number}"))
        assert found == (None if number % 7 == 3 else "x")
    assert await store.read(lambda tx: tx.accounts.credential("never")) is None


async def test_a_full_disk_fails_the_whole_batch(store: SqliteStore):
    """SQLite undoes the whole transaction then: no write of the batch may be answered as done."""
    started, go_on = threading.Event(), threading.Event()
    small, large = "x", "x" * 1_000_000

    def limit_size(tx) -> None:
        pages = tx._connection.exec_driver_sql("PRAGMA page_count").scalar()
        tx._connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}")
        started.set()
        go_on.wait(20)  # what comes meanwhile is the next batch

    limiting = asyncio.ensure_future(store.write(limit_size))
    await asyncio.to_thread(started.wait, 20)
    values = {"before": small, "too large": large, "after": small}
    writes = [
        asyncio.ensure_future(store.write(lambda tx, name=name, value=value: tx.accounts.put_credential(name, value)))
        for name, value in values.items()
    ]
    await asyncio.sleep(0)
    go_on.set()
    answers = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    assert {answer.code for answer in answers if isinstance(answer, Unavailable)} == {"disk_full"}
    await limiting
    await store.write(lambda tx: tx.accounts.put_credential("later", small))
    names = [*values, "later"]
    assert await store.read(lambda tx: [tx.accounts.credential(name) for name in names]) == [None, None, None, small]


async def test_settings_of_the_connection(store: SqliteStore):
    def pragmas(tx):
        run = lambda name: tx._connection.exec_driver_sql(f"PRAGMA {name}").scalar()  # noqa: E731
        return run("journal_mode"), run("synchronous"), run("foreign_keys"), run("busy_timeout")

    for way in (store.read, store.write):
        assert await way(pragmas) == ("wal", 2, 1, 10_000)


async def test_migrating_twice_is_harmless(tmp_path: Path):
    for _ in range(2):
        opened = open_store(f"sqlite:///{tmp_path / 'x.db'}")
        await opened.open()
        await opened.close()


async def test_a_file_that_is_no_database(tmp_path: Path):
    (tmp_path / "x.db").write_bytes(b"this is no database" * 100)
    opened = open_store(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(ConfigurationError, match="TERTULIA_DATABASE_URL"):
        await opened.open()
    await opened.close()
