"""Accounts: the administrator's password, login sessions and stream tickets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.services import ManualClock
from tertulia.adapters.sql.store import SqlStore
from tertulia.domain.access import Actor, Principal
from tertulia.domain.ids import RecordingId, SessionId
from tertulia.errors import Conflict, Forbidden, TooManyRequests, Unauthenticated
from tertulia.services.accounts import AccountService, SessionTokens, Ticket
from tertulia.services.tokens import LIFETIME_MS, TokenKind

PASSWORD = "password of the tests"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def service(store: SqlStore, clock: ManualClock):
    def made(**settings: Any) -> AccountService:
        defaults = {"secret_key": "k" * 20, "admin_user": "admin", "admin_password": None}
        return AccountService(store=store, clock=clock, **defaults | settings)

    return made


async def log_in(accounts: AccountService, password: str = PASSWORD, *, address: str = "1.1.1.1") -> SessionTokens:
    return await accounts.log_in("admin", password, address=address)


async def test_a_login(service, clock: ManualClock):
    accounts = service(admin_password=PASSWORD)
    assert await accounts.prepare() is None
    tokens = await log_in(accounts)
    session = await accounts.session_of(tokens.access)
    assert session is not None
    assert await accounts.session_of_refresh(tokens.refresh) == session.id
    assert await accounts.session_of(tokens.refresh) is None
    clock.now += LIFETIME_MS[TokenKind.ACCESS]
    assert await accounts.session_of(tokens.access) is None
    refreshed = await accounts.refresh(tokens.refresh)
    assert await accounts.session_of(refreshed.access) is not None
    await accounts.log_out(session.id)
    assert await accounts.session_of(refreshed.access) is None


async def test_a_refresh_token_used_twice_ends_the_session(service):
    accounts = service(admin_password=PASSWORD)
    await accounts.prepare()
    stolen = await log_in(accounts)
    refreshed = await accounts.refresh(stolen.refresh)
    with pytest.raises(Unauthenticated):
        await accounts.refresh(stolen.refresh)
    assert await accounts.session_of(refreshed.access) is None
    with pytest.raises(Unauthenticated):
        await accounts.refresh(refreshed.refresh)


async def test_another_password_ends_every_session(service):
    tokens = None
    for password in (PASSWORD, "another password"):
        accounts = service(admin_password=password)
        await accounts.prepare()
        if tokens is not None:
            assert await accounts.session_of(tokens.access) is None
        tokens = await log_in(accounts, password)
    same = service(admin_password="another password")
    await same.prepare()
    assert await same.session_of(tokens.access) is not None
    await service().set_password("set by the command")
    assert await same.session_of(tokens.access) is None


async def logged_in(accounts: AccountService, password: str) -> SessionId:
    session = await accounts.session_of((await log_in(accounts, password)).access)
    assert session is not None
    return session.id


async def test_a_changed_password_ends_the_other_sessions(service):
    accounts = service()
    first = await accounts.prepare()
    assert first is not None
    tokens, other = await log_in(accounts, first), await log_in(accounts, first)
    session = await accounts.session_of(tokens.access)
    assert session is not None
    await accounts.change_password(session.id, current=first, new=PASSWORD)
    assert await accounts.session_of(tokens.access) == session
    assert await accounts.session_of(other.access) is None
    with pytest.raises(Unauthenticated):
        await log_in(accounts, first)
    await log_in(accounts)
    with pytest.raises(Forbidden):
        await accounts.change_password(session.id, current=first, new="another password")
    await accounts.log_out(session.id)
    with pytest.raises(Unauthenticated):
        await accounts.change_password(session.id, current=PASSWORD, new="another password")


async def test_guesses_of_the_current_password_are_limited(service, clock: ManualClock):
    accounts = service()
    await accounts.set_password(PASSWORD)
    thief, owner = await logged_in(accounts, PASSWORD), await logged_in(accounts, PASSWORD)
    for _ in range(10):
        with pytest.raises(Forbidden):
            await accounts.change_password(thief, current="wrong", new="another password")
    with pytest.raises(TooManyRequests):
        await accounts.change_password(thief, current=PASSWORD, new="another password")
    await accounts.change_password(owner, current=PASSWORD, new="another password")


async def test_a_configured_password_is_changed_where_it_is(service):
    accounts = service(admin_password=PASSWORD)
    await accounts.prepare()
    session = await logged_in(accounts, PASSWORD)
    with pytest.raises(Conflict):
        await accounts.change_password(session, current=PASSWORD, new="another password")


async def test_wrong_passwords_are_limited(service, clock: ManualClock):
    accounts = service(admin_password=PASSWORD)
    await accounts.prepare()
    for number in range(10):
        with pytest.raises(Unauthenticated):
            await log_in(accounts, "wrong", address=f"1.1.1.{number}")
    with pytest.raises(TooManyRequests):
        await log_in(accounts)
    clock.now += 5 * 60 * 1000
    await log_in(accounts)


async def test_failures_of_others_do_not_lock_out(service, clock: ManualClock):
    """an address from which the account has logged in before keeps an allowance of its own, so that nobody is locked
    out by somebody else's failures."""
    accounts = service(admin_password=PASSWORD)
    await accounts.prepare()
    await log_in(accounts, address="2001:db8::1")
    for number in range(10):
        with pytest.raises(Unauthenticated):
            await log_in(accounts, "wrong", address=f"1.1.1.{number}")
    with pytest.raises(TooManyRequests):
        await log_in(accounts, address="1.1.1.1")
    await log_in(accounts, address="2001:db8::1")
    for _ in range(9):  # from the office of the administrator, with other names
        with pytest.raises(Unauthenticated):
            await accounts.log_in("nobody", "wrong", address="2001:db8::2")
    with pytest.raises(Unauthenticated):
        await accounts.log_in("another", "wrong", address="2001:db8::2")
    with pytest.raises(TooManyRequests):
        await accounts.log_in("another", "wrong", address="2001:db8::2")
    await log_in(accounts, address="2001:db8::2")
    for _ in range(10):  # its own allowance is no more than that
        with pytest.raises(Unauthenticated):
            await log_in(accounts, "wrong", address="2001:db8::1")
    with pytest.raises(TooManyRequests):
        await log_in(accounts, address="2001:db8::1")


async def test_known_addresses_are_remembered(service, store: SqlStore):
    """an address from which the account has logged in before: also before a restart, and only so many."""
    accounts = service(admin_password=PASSWORD)
    await accounts.prepare()
    for number in range(22):
        await log_in(accounts, address=f"10.0.0.{number}")
    await log_in(accounts, address="10.0.0.21")
    kept = await store.read(lambda tx: tx.accounts.credential("login_addresses"))
    assert kept is not None
    assert len(json.loads(kept)) == 20
    assert "10.0.0" not in kept
    restarted = service(admin_password=PASSWORD)
    await restarted.prepare()
    for number in range(10):
        with pytest.raises(Unauthenticated):
            await log_in(restarted, "wrong", address=f"1.1.1.{number}")
    await log_in(restarted, address="10.0.0.21")
    with pytest.raises(TooManyRequests):
        await log_in(restarted, address="10.0.0.1")


async def test_tickets(service, clock: ManualClock):
    accounts = service()
    ticket = accounts.ticket(RecordingId("r1"), Principal(Actor.ADMIN))
    assert ticket != accounts.ticket(RecordingId("r1"), Principal(Actor.ADMIN))
    assert accounts.read_ticket(ticket) == Ticket(RecordingId("r1"), None)
    assert service(secret_key="l" * 20).read_ticket(ticket) is None
    clock.now += LIFETIME_MS[TokenKind.TICKET]
    assert accounts.read_ticket(ticket) is None
