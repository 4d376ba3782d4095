"""Rules of names, seats and roles."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.domain.access import Role, grants_for
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.participants import Seat, name_problem

ROLES = st.sampled_from(Role)
TIMES = st.integers(1, 10**13).map(Millis)


@given(st.text(max_size=200))
def test_names(name: str):
    good = 1 <= len(name) <= 128 and name.strip() != "" and not any(unicodedata.category(c) == "Cc" for c in name)
    assert (name_problem(name) is None) == good


@given(ROLES, st.none() | ROLES, TIMES, TIMES)
def test_a_changed_role_beats_older_tokens_only(
    in_token: Role, changed: Role | None, changed_at: Millis, issued: Millis
):
    seat = Seat(RoomName("r"), Identity("i"), role=changed, role_changed_at_ms=changed_at)
    expected = changed if changed is not None and issued <= changed_at else in_token
    assert seat.role_for(in_token, issued) is expected


@given(TIMES, TIMES, TIMES)
def test_a_new_token_is_never_born_dead(now: Millis, died: Millis, changed: Millis):
    seat = Seat(RoomName("r"), Identity("i"), role=Role.VIEWER, role_changed_at_ms=changed, dead_before_ms=died)
    issued = seat.next_issue(now)
    assert issued >= now
    assert not seat.is_dead(issued)
    assert seat.role_for(Role.MODERATOR, issued) is Role.MODERATOR  # what a new token says is already the kept role


@given(ROLES, ROLES)
def test_a_stranger_never_inherits_a_promotion(link: Role, kept: Role):
    seat = Seat(RoomName("r"), Identity("i"), role=kept)
    assert seat.role_for_new_token(link, same_person=False).rank <= link.rank
    assert seat.role_for_new_token(link, same_person=True) is kept
    assert Seat(RoomName("r"), Identity("i")).role_for_new_token(link, same_person=True) is link


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("role", list(Role))
def test_grants(role: Role, chat: bool):
    grants = grants_for(role, chat_enabled=chat)
    assert (grants.can_publish, grants.can_subscribe, grants.can_publish_data) == (role is not Role.VIEWER, True, chat)
