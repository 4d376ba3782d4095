"""Rules of names and memberships."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tertulia.domain.access import Role
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.participants import Membership, name_problem

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
    membership = Membership(RoomName("r"), Identity("i"), role=changed, role_changed_at_ms=changed_at)
    expected = changed if changed is not None and issued <= changed_at else in_token
    assert membership.role_for(in_token, issued) is expected


@given(TIMES, TIMES, TIMES)
def test_a_new_token_is_never_revoked(now: Millis, revoked: Millis, changed: Millis):
    membership = Membership(
        RoomName("r"), Identity("i"), role=Role.VIEWER, role_changed_at_ms=changed, tokens_revoked_until_ms=revoked
    )
    issued = membership.next_issued_at_ms(now)
    assert issued >= now
    assert not membership.revokes(issued)
    assert membership.role_for(Role.MODERATOR, issued) is Role.MODERATOR  # a new token has the kept role already


@given(ROLES, ROLES)
def test_a_stranger_never_inherits_a_promotion(link: Role, kept: Role):
    membership = Membership(RoomName("r"), Identity("i"), role=kept)
    assert membership.role_for_new_token(link, presents_token=False).rank <= link.rank
    assert membership.role_for_new_token(link, presents_token=True) is kept
    assert Membership(RoomName("r"), Identity("i")).role_for_new_token(link, presents_token=True) is link
