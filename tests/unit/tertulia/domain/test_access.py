"""Roles, their grants, and the table of who may do what."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tertulia.domain.access import INTERNAL, PUBLIC, Action, Actor, Role, grants_for


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("role", list(Role))
def test_grants(role: Role, chat: bool):
    grants = grants_for(role, chat_enabled=chat)
    assert (grants.can_publish, grants.can_subscribe, grants.can_publish_data) == (role is not Role.VIEWER, True, chat)


def test_a_higher_rank_may_do_no_less():
    roles = sorted(Role, key=lambda role: role.rank)
    assert roles == [Role.VIEWER, Role.PUBLISHER, Role.MODERATOR]
    for lower, higher in pairwise(roles):
        for action, actors in INTERNAL.items():
            assert Actor(higher) in actors or Actor(lower) not in actors, action


def test_every_action_is_in_a_table():
    assert PUBLIC.keys() | INTERNAL.keys() == set(Action)
    assert all(PUBLIC.values())
    assert all(INTERNAL.values())
