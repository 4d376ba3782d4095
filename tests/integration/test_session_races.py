"""Logins, refreshes, logouts and password changes at the same moment, through two servers on one PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from support.postgres import Postgres
from tertulia.adapters.clock import SystemClock
from tertulia.adapters.sql.store import SqlStore, open_store
from tertulia.adapters.sql.transaction import SqlTransaction
from tertulia.errors import Unauthenticated
from tertulia.services.accounts import AccountService, SessionTokens
from tertulia.services.passwords import MAX_WAITING
from tertulia.services.ports import LoginSession
from tertulia.services.rate_limits import RateLimit

SESSIONS = 6
ROUNDS = 1000 // SESSIONS + 1


def accounts_on(store: SqlStore) -> AccountService:
    made = AccountService(
        store=store, clock=SystemClock(), secret_key="k" * 20, admin_user="admin", admin_password=None
    )
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    made._passwords._hasher = quick  # a thousand passwords in some seconds
    made._login_failures = RateLimit(count=10**6, window_ms=1)
    return made


@pytest.fixture
async def servers(postgres: Postgres) -> AsyncIterator[list[AccountService]]:
    url = await asyncio.to_thread(postgres.new_database)
    stores = [open_store(url, pool_size=12) for _ in range(2)]
    for store in stores:
        await store.open()
    yield [accounts_on(store) for store in stores]
    for store in stores:
        await store.close()


def session_count(tx: SqlTransaction) -> int:
    return int(tx._connection.execute(text("SELECT count(*) FROM sessions")).scalar_one())


async def test_no_session_survives_a_change_of_the_password(servers: list[AccountService]):
    """(issue 10) A refresh or a login at that moment brought a session back, which the old password had opened."""
    one, two = servers
    await one.set_password("0")
    for number in range(ROUNDS):
        old = str(number)
        opened = await asyncio.gather(*(one.log_in("admin", old, address="192.0.2.1") for _ in range(SESSIONS - 1)))
        done = await asyncio.gather(
            *(two.refresh(each.refresh) for each in opened),
            two.set_password(str(number + 1)),
            one.log_in("admin", old, address="192.0.2.1"),
            return_exceptions=True,
        )
        assert [each for each in done if isinstance(each, Exception) and not isinstance(each, Unauthenticated)] == []
        assert await one._store.read(session_count) == 0, f"round {number}"  # type: ignore[arg-type]


async def test_no_session_survives_its_logout(servers: list[AccountService]):
    one, two = servers
    await one.set_password("0")

    async def race() -> tuple[LoginSession | None, SessionTokens | BaseException]:
        tokens = await one.log_in("admin", "0", address="192.0.2.1")
        session = await one.session_of(tokens.access)
        assert session is not None
        refreshed, _ = await asyncio.gather(
            one.refresh(tokens.refresh), two.log_out(session.id), return_exceptions=True
        )
        return await one.session_of(tokens.access), refreshed

    for _ in range(1000 // MAX_WAITING):
        for left, refreshed in await asyncio.gather(*(race() for _ in range(MAX_WAITING))):
            assert left is None
            assert isinstance(refreshed, SessionTokens | Unauthenticated)
