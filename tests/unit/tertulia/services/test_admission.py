"""Admission: late events, and changes at the same time, lead to what the store says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.services import ALICE, Installation
from tertulia.domain.access import Role, grants_for
from tertulia.domain.rooms import PreferencesChange
from tertulia.errors import Forbidden, NotFound

CHAT_ON, CHAT_OFF = PreferencesChange(chat_enabled=True), PreferencesChange(chat_enabled=False)


async def test_a_changed_role_beats_the_token(inst: Installation):
    joined = inst.join(await inst.participants.token(inst.request()))
    await inst.participants.change_role(inst.room.name, ALICE, Role.VIEWER)
    admitted = await inst.admission.admit(inst.room.name, ALICE, joined.role, joined.issued_at_ms)
    assert admitted.role is Role.VIEWER
    assert admitted.grants == grants_for(Role.VIEWER, chat_enabled=True)


async def test_a_revoked_token_and_an_expired_room_are_refused(inst: Installation):
    joined = inst.join(await inst.participants.token(inst.request()))
    await inst.participants.disconnect(inst.room.name, ALICE)
    with pytest.raises(Forbidden, match="removed"):
        await inst.admission.admit(inst.room.name, ALICE, joined.role, joined.issued_at_ms)
    inst.clock.now = inst.room.expires_at_ms
    with pytest.raises(NotFound):
        await inst.admission.admit(inst.room.name, ALICE, joined.role, inst.clock.now_ms())


async def test_a_token_of_another_issuer_keeps_its_grants(inst: Installation):
    admitted = await inst.admission.admit(inst.room.name, ALICE, None, inst.clock.now_ms())
    assert (admitted.role, admitted.grants) == (None, None)


async def test_late_event_of_a_join_that_is_over(inst: Installation):
    """A participant that was disconnected and came back with a new token stays, whatever is reported late."""
    first = inst.join(await inst.participants.token(inst.request()))
    await inst.participants.disconnect(inst.room.name, ALICE)
    second = inst.join(await inst.participants.token(inst.request()))
    await inst.admission.enforce_reported(inst.room.name, first)
    assert inst.alice == second
    inst.put(first)  # and the revoked token itself is no way in
    await inst.admission.enforce_reported(inst.room.name, first)
    assert inst.alice is None


async def test_chat_switched_off_and_on_at_the_same_time(inst: Installation):
    """Of two changes at the same time the meeting follows the one that the room keeps."""
    inst.join(await inst.participants.token(inst.request()))
    inst.media.before_change.append(lambda: inst.rooms.update(inst.room.name, CHAT_ON))
    await inst.rooms.update(inst.room.name, CHAT_OFF)
    assert (await inst.rooms.get(inst.room.name)).preferences.chat_enabled
    assert inst.alice is not None
    assert inst.alice.grants.can_publish_data


async def test_role_changes_while_chat_is_switched_off(inst: Installation):
    inst.join(await inst.participants.token(inst.request()))
    inst.media.before_change.append(lambda: inst.participants.change_role(inst.room.name, ALICE, Role.VIEWER))
    await inst.rooms.update(inst.room.name, CHAT_OFF)
    assert inst.alice is not None
    assert inst.alice.role is Role.VIEWER
    assert inst.alice.grants == grants_for(Role.VIEWER, chat_enabled=False)


async def test_what_is_as_it_should_be_is_not_changed(inst: Installation):
    joined = inst.join(await inst.participants.token(inst.request()))
    inst.media.before_change.append(lambda: pytest.fail("nothing was to be changed"))
    await inst.admission.enforce(inst.room.name)
    assert inst.alice == joined
    recorder = replace(joined, identity=ALICE, role=None, hidden=True)
    inst.put(recorder)
    await inst.admission.enforce(inst.room.name)
    assert inst.alice == recorder
