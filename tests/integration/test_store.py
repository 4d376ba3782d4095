"""The store on both databases: what it promises to callers that run transactions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, event, insert, text
from structlog.contextvars import bind_contextvars, get_contextvars

from tertulia.adapters.sql.store import SqlStore, open_store
from tertulia.adapters.sql.tables import (
    RECORDING_OCCUPIES,
    RECORDING_RUNS,
    deleted_recordings,
    idempotency_keys,
    memberships,
    recordings,
    rooms,
    sessions,
)
from tertulia.adapters.sql.transaction import SqlTransaction
from tertulia.domain.ids import Identity, Millis, RecordingId, RoomName
from tertulia.domain.recordings.recording import OCCUPYING, RUNNING, Lease, Recording, RecordingState
from tertulia.services.ports import IdempotencyKey, PageKey


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database()
    opened = open_store(url)
    await opened.open()
    yield opened
    await opened.close()


def put(name: str) -> Callable[[SqlTransaction], None]:
    return lambda tx: tx.accounts.put_credential(name, "x")


async def test_reading_never_writes(store: SqlStore):
    with pytest.raises(Exception, match=r"readonly|read-only"):
        await store.read(put("x"))
    await store.write(put("y"))
    assert await store.read(lambda tx: (tx.accounts.credential("x"), tx.accounts.credential("y"))) == (None, "x")


async def test_what_is_logged_meanwhile_has_the_id_of_the_request(store: SqlStore):
    """In the threads of the store, too, and each its own."""

    async def ask(request_id: str) -> None:
        bind_contextvars(request_id=request_id)
        for run in (store.read, store.write):
            assert await run(lambda _tx: get_contextvars()["request_id"]) == request_id

    async with asyncio.TaskGroup() as tasks:
        for number in range(50):
            tasks.create_task(ask(f"request {number}"))


async def test_what_fails_leaves_nothing_behind(store: SqlStore):
    def fails(tx: SqlTransaction) -> None:
        tx.accounts.put_credential("a", "x")
        raise LookupError("mine")

    def breaks_a_rule(tx: SqlTransaction) -> None:
        tx.accounts.put_credential("b", "x")
        tx.accounts.put_credential("c", None)

    for work, error in ((fails, LookupError), (breaks_a_rule, Exception)):
        with pytest.raises(error):
            await store.write(work)
    await store.write(put("d"))
    assert [await store.read(lambda tx, name=name: tx.accounts.credential(name)) for name in "abcd"] == [
        None, None, None, "x",
    ]  # fmt: skip


async def test_a_caller_that_is_cancelled_harms_no_other(store: SqlStore):
    started, go_on = threading.Event(), threading.Event()

    def slow(tx: SqlTransaction) -> None:
        tx.accounts.put_credential("whole", "1")
        started.set()
        go_on.wait(20)
        tx.accounts.put_credential("whole too", "1")

    writing = asyncio.ensure_future(store.write(slow))
    await asyncio.to_thread(started.wait, 20)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    go_on.set()
    await asyncio.gather(*(store.write(put(f"c{number}")) for number in range(40)))
    # a transaction whose caller has gone is there as a whole or not at all
    found = await store.read(lambda tx: [tx.accounts.credential(name) for name in ("whole", "whole too", "c39")])
    assert found in (["1", "1", "x"], [None, None, "x"])


# ── each query has its index ──

MANY = 20_000
ROWS_AT_ONCE = 5_000
NOW = Millis(10 * MANY)
PAGE = PageKey(Millis(MANY // 2), "r100")


@dataclass(frozen=True)
class Query:
    """What is asked, and which index serves it (what a primary key's has in common on both databases)."""

    run: Callable[[SqlTransaction], Any]
    index: str
    may_sort: bool = False
    """Few rows are left to sort."""


QUERIES = {
    "first rooms": Query(lambda tx: tx.rooms.page(now_ms=NOW, limit=10, after=None), "ix_rooms_newest"),
    "more rooms": Query(lambda tx: tx.rooms.page(now_ms=NOW, limit=10, after=PAGE), "ix_rooms_newest"),
    "expired rooms": Query(lambda tx: tx.rooms.expired(now_ms=Millis(11 * MANY), limit=10), "ix_rooms_expires_at_ms"),
    "next expiry": Query(lambda tx: tx.rooms.next_expiry_ms(), "ix_rooms_expires_at_ms"),
    "first recordings": Query(
        lambda tx: tx.recordings.page(room=None, limit=10, after=None), "ix_recordings_newest"
    ),
    "more recordings": Query(lambda tx: tx.recordings.page(room=None, limit=10, after=PAGE), "ix_recordings_newest"),
    "a room's recordings": Query(
        lambda tx: tx.recordings.page(room=RoomName("r7"), limit=10, after=None), "ix_recordings_room_newest"
    ),
    "more of a room's recordings": Query(
        lambda tx: tx.recordings.page(room=RoomName("r7"), limit=10, after=PAGE), "ix_recordings_room_newest"
    ),
    "a room's active recording": Query(
        lambda tx: tx.recordings.active_in(RoomName("r7")), "ux_recordings_one_active"
    ),
    "an owner's recordings": Query(lambda tx: tx.recordings.held("me"), "ix_recordings_running"),
    "leases renewed": Query(
        lambda tx: tx.recordings.renew([Lease(RecordingId("r1"), "me", 1)], until_ms=NOW), "_recordings"
    ),
    "others' recordings": Query(lambda tx: tx.recordings.held_by_others("me"), "ix_recordings_running"),
    "unclaimed recordings": Query(lambda tx: tx.recordings.unclaimed(), "ix_recordings_running", may_sort=True),
    "deleted recordings": Query(lambda tx: tx.recordings.deleted(limit=10), "ix_recordings_deleted"),
    "old marks of deletion": Query(
        lambda tx: tx.recordings.delete_old_marks(before_ms=Millis(10)), "ix_deleted_recordings_deleted_at_ms"
    ),
    "idle memberships": Query(
        lambda tx: tx.memberships.delete_idle(now_ms=Millis(10), older_than_ms=Millis(10), limit=10),
        "ix_seats_reserved_until_ms",
    ),
    "expired sessions": Query(
        lambda tx: tx.accounts.delete_expired_sessions(now_ms=Millis(10)), "ix_sessions_expires_at_ms"
    ),
    "expired idempotency keys": Query(
        lambda tx: tx.idempotency.delete_expired(now_ms=Millis(10)), "ix_idempotency_keys_expires_at_ms"
    ),
    "an idempotency key": Query(
        lambda tx: tx.idempotency.find(IdempotencyKey("s", "k5", "f"), now_ms=Millis(1)), "_idempotency_keys"
    ),
    "a room": Query(lambda tx: tx.rooms.find(RoomName("r7")), "_rooms"),
    "a membership": Query(lambda tx: tx.memberships.find(RoomName("r7"), Identity("p7")), "_seats"),
}  # fmt: skip


async def fill(store: SqlStore) -> None:
    """Write many rows of everything, few of them running, deleted or over; in pieces: transactions have a deadline."""

    async def add(table: Table, rows: Iterable[dict[str, Any]]) -> None:
        for piece in batched(rows, ROWS_AT_ONCE):
            await store.write(lambda tx, piece=piece: tx._connection.execute(insert(table), piece))

    await add(rooms, (
        {"name": f"r{number}", "created_at_ms": number, "expires_at_ms": NOW + number, "chat_enabled": True,
         "recording_enabled": True, "virtual_background_enabled": True,
         "moderator_secret": "m", "publisher_secret": "p", "viewer_secret": "v"}
        for number in range(MANY)
    ))  # fmt: skip
    await add(memberships, (
        {"room": f"r{number}", "identity": f"p{number}", "role_changed_at_ms": 0, "reserved_until_ms": number,
         "dead_before_ms": 0}
        for number in range(MANY)
    ))  # fmt: skip
    await add(recordings, (asdict(made_recording(number)) for number in range(MANY)))
    await add(sessions, (
        {"id": f"s{number}", "username": "admin", "refresh_id": "x", "expires_at_ms": number} for number in range(MANY)
    ))  # fmt: skip
    await add(deleted_recordings, ({"id": f"d{number}", "deleted_at_ms": number} for number in range(MANY)))
    await add(idempotency_keys, (
        {"scope": "s", "key": f"k{number}", "fingerprint": "f", "result": "{}", "expires_at_ms": number}
        for number in range(MANY)
    ))  # fmt: skip
    await store.write(lambda tx: tx._connection.execute(text("ANALYZE")))


def batched(rows: Iterable[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    left = iter(rows)
    while piece := list(islice(left, size)):
        yield piece


def made_recording(number: int) -> Recording:
    runs = number % 1000 == 7
    return Recording(
        id=RecordingId(f"id{number}"),
        room=RoomName(f"r{number}" if runs else f"r{number % 100}"),
        filename="x.mp4",
        state=RecordingState.ACTIVE if runs else RecordingState.COMPLETE,
        created_at_ms=Millis(number),
        lease_owner="me" if number % 2 else "you",
        lease_until_ms=Millis(NOW * 2),
        deleted_at_ms=Millis(1) if number % 1000 == 9 else None,
    )


def plan(tx: SqlTransaction, query: Query) -> str:
    asked: list[tuple[str, Any]] = []
    listener = lambda *arguments: asked.append(arguments[2:4])  # noqa: E731
    event.listen(tx._connection.engine, "before_cursor_execute", listener)
    query.run(tx)
    event.remove(tx._connection.engine, "before_cursor_execute", listener)
    explain = "EXPLAIN QUERY PLAN" if tx._connection.dialect.name == "sqlite" else "EXPLAIN"
    steps = tx._connection.exec_driver_sql(f"{explain} {asked[-1][0]}", asked[-1][1]).all()
    return "\n".join(str(step[-1]) for step in steps)


async def test_every_query_has_its_index(store: SqlStore):
    """(issue 4) Every list is paged in SQL by keyset, with an index for each query."""
    await fill(store)
    wrong = {}
    for name, query in QUERIES.items():
        shown = await store.write(lambda tx, query=query: plan(tx, query))
        scans = [line for line in shown.splitlines() if line.startswith("SCAN") and "USING" not in line]
        sorts = ("TEMP B-TREE" in shown or "Sort" in shown) and not query.may_sort
        if query.index not in shown or "Seq Scan" in shown or sorts or scans:
            wrong[name] = shown
    assert not wrong, "\n\n".join(f"{name}:\n{shown}" for name, shown in wrong.items())


def test_running_means_one_thing():
    """The conditions of the indexes are what the domain says."""
    for condition, meant in ((RECORDING_RUNS, RUNNING), (RECORDING_OCCUPIES, OCCUPYING)):
        states = ", ".join(f"'{state}'" for state in RecordingState if state in meant)
        assert str(condition) == f"state IN ({states})"
