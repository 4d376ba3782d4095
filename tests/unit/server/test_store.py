"""The SQLite store: batches of writes, and what happens when one of them fails."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tertulia.adapters.sql.sqlite import SqliteStore
from tertulia.adapters.sql.store import open_store
from tertulia.errors import ConfigurationError


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


async def test_reading_never_writes(store: SqliteStore):
    with pytest.raises(Exception, match="readonly"):
        await store.read(lambda tx: tx.accounts.put_credential("x", "y"))


async def test_settings_of_the_connection(store: SqliteStore):
    def pragmas(tx):
        run = lambda name: tx._connection.exec_driver_sql(f"PRAGMA {name}").scalar()  # noqa: E731
        return run("journal_mode"), run("synchronous"), run("foreign_keys"), run("busy_timeout")

    for way in (store.read, store.write):
        assert await way(pragmas) == ("wal", 2, 1, 10_000)


async def test_a_cancelled_caller_does_not_stop_the_writer(store: SqliteStore):
    task = asyncio.ensure_future(store.write(lambda tx: tx.accounts.put_credential("a", "1")))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.write(lambda tx: tx.accounts.put_credential("b", "1"))
    assert await store.read(lambda tx: tx.accounts.credential("b")) == "1"


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


async def test_every_list_has_its_index(store: SqliteStore):
    """(issue 4) Every list is paged in SQL by keyset, with an index for each query."""
    from sqlalchemy import event  # noqa: PLC0415

    from tertulia.domain.ids import LATEST, Millis, RoomName  # noqa: PLC0415
    from tertulia.services.ports import PageKey  # noqa: PLC0415

    after = PageKey(Millis(5), "x")
    queries = {
        "ix_rooms_newest": lambda tx: tx.rooms.page(now_ms=Millis(1), limit=10, after=after),
        "ix_recordings_newest": lambda tx: tx.recordings.page(room=None, limit=10, after=after),
        "ix_recordings_room_newest": lambda tx: tx.recordings.page(room=RoomName("r"), limit=10, after=after),
        "ix_rooms_expires_at_ms": lambda tx: tx.rooms.expired(now_ms=LATEST, limit=10),
    }

    def plan(tx, query) -> str:
        asked = []
        listener = lambda *arguments: asked.append(arguments[2:4])  # noqa: E731
        event.listen(tx._connection.engine, "before_cursor_execute", listener)
        query(tx)
        event.remove(tx._connection.engine, "before_cursor_execute", listener)
        steps = tx._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[-1][0]}", asked[-1][1])
        return " ".join(step[3] for step in steps)

    for index, query in queries.items():
        shown = await store.read(lambda tx, query=query: plan(tx, query))
        assert index in shown, shown
        assert "SCAN" not in shown.replace(f"SCAN rooms USING INDEX {index}", ""), shown
        assert "TEMP B-TREE" not in shown, shown
