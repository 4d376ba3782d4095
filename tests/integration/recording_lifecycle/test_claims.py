"""Claims of recordings by workers, on both databases: each recording has one owner, under any race."""

from __future__ import annotations

import asyncio

from support.offline_installation import OfflineInstallation, now_ms
from tertulia.domain.ids import Millis
from tertulia.domain.recordings.recording import Recording, RecordingState


async def add_unclaimed(installation: OfflineInstallation) -> Recording:
    return await installation.add_row(RecordingState.STARTING, lease_owner=None, lease_until_ms=Millis(0))


async def test_each_recording_is_claimed_once(installation: OfflineInstallation) -> None:
    rows = [await add_unclaimed(installation) for _ in range(20)]

    async def claim_all(owner: str) -> list[Recording]:
        claims: list[Recording] = []
        misses = 0
        while misses < 5:
            claim = await installation.store.write(lambda tx: tx.recordings.claim(owner=owner, until_ms=now_ms()))
            misses = 0 if claim is not None else misses + 1
            claims += [claim] if claim is not None else []
        return claims

    claims = await asyncio.gather(*(claim_all(f"worker-{n}") for n in range(4)))
    assert sorted(claim.id for each in claims for claim in each) == sorted(row.id for row in rows)
    for number, mine in enumerate(claims):
        held = await installation.store.read(lambda tx, owner=f"worker-{number}": tx.recordings.held(owner))
        assert {row.id for row in held} == {row.id for row in mine}


async def test_taking_back_and_claiming_exclude_each_other(installation: OfflineInstallation) -> None:
    for _ in range(10):
        row = await add_unclaimed(installation)
        dropped, claim = await asyncio.gather(
            installation.store.write(lambda tx, row=row: tx.recordings.drop_unclaimed(row.id)),
            installation.store.write(lambda tx: tx.recordings.claim(owner="w", until_ms=now_ms())),
        )
        assert dropped == (claim is None)
