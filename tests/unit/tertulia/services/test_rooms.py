"""Rooms: names and secrets, pages, and deletion while the media server is away."""

from __future__ import annotations

import re

import pytest

from support.services import Installation
from tertulia.domain.ids import LATEST, Millis
from tertulia.errors import InvalidInput, NotFound
from tertulia.services.rooms import RoomOptions, new_secrets, new_suffix


def test_suffixes_are_random_and_fit_a_name():
    made = {new_suffix() for _ in range(2000)}
    assert len(made) == 2000
    assert all(re.fullmatch(r"[a-z0-9]{15}", suffix) for suffix in made)
    assert len(set("".join(made))) == 36


def test_secrets_differ():
    made = [new_secrets() for _ in range(500)]
    texts = {text for secrets in made for text in (secrets.moderator, secrets.publisher, secrets.viewer)}
    assert len(texts) == 1500
    assert {len(text) for text in texts} == {32}


async def test_a_lock_counts_while_the_media_server_is_away(inst: Installation):
    inst.media.is_away = True
    await inst.rooms.set_locked(inst.room.name, locked=True)
    assert (await inst.rooms.get(inst.room.name)).locked


async def test_pages_are_told_of_changes_only(inst: Installation):
    for locked in (True, True, False):
        await inst.rooms.set_locked(inst.room.name, locked=locked)
    assert [message["locked"] for _, _, message, _ in inst.media.sent] == [True, False]


@pytest.mark.parametrize("expires_in_ms", [0, -1, LATEST])
async def test_an_expiry_that_cannot_be(inst: Installation, expires_in_ms: int):
    with pytest.raises(InvalidInput) as refused:
        await inst.rooms.create(RoomOptions(expires_at_ms=Millis(inst.clock.now + expires_in_ms)))
    assert [problem.field for problem in refused.value.problems] == ["expirationDate"]


async def test_every_room_is_on_one_page(inst: Installation):
    names = [inst.room.name]
    for number in range(7):
        inst.clock.now += number % 2  # some of the same instant
        names.append((await inst.create_room()).name)
    assert sorted([room.name async for page in inst.rooms.all() for room in page]) == sorted(names)
    first = await inst.rooms.page(limit=3)
    assert [room.created_at_ms for room in first] == sorted((room.created_at_ms for room in first), reverse=True)


async def test_new_links(inst: Installation):
    changed = await inst.rooms.rotate_links(inst.room.name)
    assert changed.secrets.role_of(inst.room.secrets.moderator) is None
    with pytest.raises(NotFound):
        await inst.participants.token(inst.request())


async def test_a_meeting_ends_and_its_room_stays(inst: Installation):
    inst.join(await inst.participants.token(inst.request()))
    await inst.rooms.end_meeting(inst.room.name)
    assert inst.alice is None
    assert await inst.rooms.get(inst.room.name) == inst.room


async def test_deleted_while_the_media_server_is_away(inst: Installation):
    inst.join(await inst.participants.token(inst.request()))
    inst.media.is_away = True
    await inst.rooms.delete(inst.room.name)
    with pytest.raises(NotFound):
        await inst.rooms.get(inst.room.name)
    with pytest.raises(NotFound):
        await inst.rooms.delete(inst.room.name)
    inst.media.is_away = False
    assert inst.alice is not None
    await inst.meetings.close_expired_rooms()
    assert inst.alice is None
