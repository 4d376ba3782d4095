"""Participants: whose identity is whose, and changes by moderators that meet other changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from support.services import ALICE, Installation
from tertulia.domain.access import Role, grants_for
from tertulia.domain.participants import RESERVATION_MS, TOKEN_LIFETIME_MS, LivePublication
from tertulia.domain.rooms import PreferencesChange
from tertulia.errors import Conflict, Forbidden, NotFound, TooManyRequests, Unauthenticated
from tertulia.services.participants import ParticipantAuth, ParticipantService

CHAT_OFF = PreferencesChange(chat_enabled=False)


async def test_late_event_of_a_leave(inst: Installation):
    """A page that reloads gets its new token before its old connection is reported gone: the identity stays its own."""
    token = await inst.participants.token_if_free(inst.request())
    old = inst.join(token)
    await inst.participants.token_if_free(inst.request(presented=token))
    inst.leave(old)
    await inst.participants.left(inst.room.name, old)
    with pytest.raises(Conflict, match="already exists"):
        await inst.participants.token_if_free(inst.request())
    inst.clock.now += RESERVATION_MS
    await inst.participants.token_if_free(inst.request())


async def test_leaving_releases_the_identity(inst: Installation):
    participant = inst.join(await inst.participants.token_if_free(inst.request()))
    with pytest.raises(Conflict):
        await inst.participants.token_if_free(inst.request())
    inst.leave(participant)
    await inst.participants.left(inst.room.name, participant)
    await inst.participants.token_if_free(inst.request())


async def test_a_token_is_refreshed_when_it_has_expired(inst: Installation):
    token = await inst.participants.token(inst.request())
    inst.join(token)
    with pytest.raises(Conflict, match="still valid"):
        await inst.participants.refreshed_token(inst.request(presented=token))
    inst.clock.now += TOKEN_LIFETIME_MS
    with pytest.raises(Forbidden):
        await inst.participants.refreshed_token(inst.request())  # no token of hers came along
    refreshed = inst.tokens.read(await inst.participants.refreshed_token(inst.request(presented=token)))
    assert refreshed is not None
    assert refreshed.expires_at_ms > inst.clock.now


async def test_a_login_is_asked_for_where_the_settings_say_so(inst: Installation):
    participants = ParticipantService(
        store=inst.store, clock=inst.clock, media=inst.media, admission=inst.admission, tokens=inst.tokens,
        auth=lambda: ParticipantAuth.MODERATORS_ONLY, events=inst.events,
    )  # fmt: skip
    await participants.token(inst.request())
    moderator = inst.request(secret=inst.room.secrets.moderator)
    with pytest.raises(Unauthenticated):
        await participants.token(moderator)
    await participants.token(replace(moderator, logged_in=True))


async def test_chat_switched_off_while_a_role_changes(inst: Installation):
    inst.join(await inst.participants.token(inst.request()))
    inst.media.before_change.append(lambda: inst.rooms.update(inst.room.name, CHAT_OFF))
    await inst.participants.change_role(inst.room.name, ALICE, Role.MODERATOR)
    assert inst.alice is not None
    assert inst.alice.role is Role.MODERATOR
    assert inst.alice.grants == grants_for(Role.MODERATOR, chat_enabled=False)


async def test_a_recorder_is_not_disconnected(inst: Installation):
    participant = inst.join(await inst.participants.token(inst.request()))
    inst.put(replace(participant, role=None, hidden=True))
    with pytest.raises(NotFound):
        await inst.participants.disconnect(inst.room.name, ALICE)
    assert await inst.participants.in_room(inst.room.name) == []
    assert inst.alice is not None


async def test_mute(inst: Installation):
    participant = inst.join(await inst.participants.token(inst.request()))
    inst.put(replace(participant, publications=(LivePublication("TR_1", "microphone", muted=False),)))
    await inst.participants.mute(inst.room.name, ALICE)
    assert inst.alice is not None
    assert [publication.muted for publication in inst.alice.publications] == [True]


async def test_guesses_at_the_same_time(inst: Installation):
    """more than 30 a minute and address get 429 instead of their 403/404, however many come at the same time."""
    wrong = inst.request(secret="wrong")
    answers = await asyncio.gather(*(inst.participants.token(wrong) for _ in range(80)), return_exceptions=True)
    assert sum(isinstance(answer, NotFound) for answer in answers) == 30
    assert sum(isinstance(answer, TooManyRequests) for answer in answers) == 50
    await inst.participants.token(inst.request())  # a right one is let in
    inst.clock.now += 60_000
    with pytest.raises(NotFound):
        await inst.participants.token(wrong)


async def test_unknown_rooms_count_as_wrong_tries(inst: Installation):
    """(unknown rooms count as wrong tries, so that the answer does not tell which rooms exist)"""
    unknown = replace(inst.request(), room="an-unknown-room")
    for ask in (inst.participants.token, inst.participants.token_if_free, inst.participants.role_of_link):
        for _ in range(10):
            with pytest.raises(NotFound):
                await ask(unknown)
    for ask in (inst.participants.token, inst.participants.token_if_free, inst.participants.refreshed_token):
        for wrong in (unknown, inst.request(secret="wrong")):
            with pytest.raises(TooManyRequests):
                await ask(wrong)


async def test_who_is_not_connected_has_not_guessed(inst: Installation):
    """only wrong tries count: an answer 404 to a right secret is none."""
    run_out = await inst.participants.token(inst.request())
    inst.clock.now += TOKEN_LIFETIME_MS
    for _ in range(40):
        with pytest.raises(NotFound, match="Alice"):
            await inst.participants.refreshed_token(inst.request(presented=run_out))
