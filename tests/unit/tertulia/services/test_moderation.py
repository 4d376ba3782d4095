"""Hands and reactions: their order, and how many."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.services import ALICE, Installation
from tertulia.domain.ids import Identity
from tertulia.domain.participants import LiveParticipant, LivePublication
from tertulia.errors import NotFound, TooManyRequests
from tertulia.services.moderation import ModerationService


@pytest.fixture
def moderation(inst: Installation) -> ModerationService:
    return ModerationService(participants=inst.participants, clock=inst.clock, media=inst.media)


@pytest.fixture
async def alice(inst: Installation) -> LiveParticipant:
    return inst.join(await inst.participants.token(inst.request()))


async def test_a_raised_hand_keeps_its_place(inst: Installation, moderation: ModerationService, alice: LiveParticipant):
    await moderation.raise_hand(inst.room.name, ALICE)
    raised_at_ms = inst.alice and inst.alice.hand_raised_at_ms
    assert raised_at_ms == inst.clock.now
    inst.clock.now += 1_000
    await moderation.raise_hand(inst.room.name, ALICE)
    assert inst.alice
    assert inst.alice.hand_raised_at_ms == raised_at_ms
    await moderation.lower_all_hands(inst.room.name)
    assert inst.alice.hand_raised_at_ms is None


async def test_reactions_are_limited(inst: Installation, moderation: ModerationService, alice: LiveParticipant):
    for _ in range(10):
        await moderation.react(inst.room.name, ALICE, "👍")
    with pytest.raises(TooManyRequests) as refused:
        await moderation.react(inst.room.name, ALICE, "👍")
    assert 1 <= refused.value.retry_after_s <= 5
    assert len(inst.media.sent) == 10
    inst.clock.now += 5_000
    await moderation.react(inst.room.name, ALICE, "👍")


async def test_hidden_participants_are_left_alone(
    inst: Installation, moderation: ModerationService, alice: LiveParticipant
):
    microphone = LivePublication("TR_1", "microphone", muted=False)
    inst.put(replace(alice, publications=(microphone,)))
    inst.put(replace(alice, identity=Identity("recorder"), hidden=True, publications=(microphone,)))
    await moderation.mute_all(inst.room.name, besides=None)
    connected = inst.media.connected[inst.room.name]
    assert [each.publications[0].muted for each in connected.values()] == [True, False]
    with pytest.raises(NotFound):
        await moderation.raise_hand(inst.room.name, Identity("recorder"))
