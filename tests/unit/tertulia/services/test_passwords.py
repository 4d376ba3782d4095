"""Hashes of passwords: what they are made with, and how much of the machine they take."""

from __future__ import annotations

import asyncio
import threading

import pytest
from argon2 import PasswordHasher, extract_parameters

from tertulia.errors import TooManyRequests
from tertulia.services.passwords import MAX_WAITING, PasswordHashes


async def test_hashes():
    passwords = PasswordHashes()
    hashed = await passwords.make("right")
    assert extract_parameters(hashed).parallelism == 1, "each lane is a thread"
    assert await passwords.matches(hashed, "right")
    assert not await passwords.matches(hashed, "wrong")
    assert not await passwords.matches("", "right")
    assert not passwords.is_outdated(hashed)
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=1024, parallelism=4).hash("right"))


@pytest.mark.parametrize(("is_reserved", "computed"), [(False, MAX_WAITING + 1), (True, 2 * MAX_WAITING + 1)])
async def test_only_a_few_wait(is_reserved: bool, computed: int):
    passwords = PasswordHashes()
    hashed = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("right")
    threads = threading.active_count()
    tried = await asyncio.gather(
        *(passwords.matches(hashed, "right", is_reserved=is_reserved) for _ in range(100)), return_exceptions=True
    )
    assert threading.active_count() <= threads + 1
    assert tried.count(True) == computed
    refused = [one for one in tried if one is not True]
    assert all(isinstance(one, TooManyRequests) and one.retry_after_s == 1 for one in refused)
    assert await passwords.matches(hashed, "right"), "they have left"


async def test_a_client_that_leaves_makes_no_room_before_its_turn():
    passwords = PasswordHashes()
    hashed = await passwords.make("right")
    waiting = [asyncio.ensure_future(passwords.matches(hashed, "wrong")) for _ in range(MAX_WAITING + 1)]
    await asyncio.sleep(0)
    for one in waiting:
        one.cancel()
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests):
        await passwords.matches(hashed, "right")
