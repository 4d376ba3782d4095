"""Rules of rooms, for any input."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tertulia.domain.access import Role
from tertulia.domain.ids import Millis
from tertulia.domain.rooms import (
    PreferencesChange,
    RoleSecrets,
    Room,
    RoomPreferences,
    could_be_room_name,
    room_name,
    sanitise_prefix,
)

SUFFIX = "abcdefghijklmno"
PREFERENCES = st.builds(RoomPreferences, st.booleans(), st.booleans(), st.booleans())
CHANGES = st.builds(PreferencesChange, *[st.none() | st.booleans()] * 3)


def room(expires_at_ms: int) -> Room:
    return Room(
        name=room_name("x", SUFFIX),
        prefix="x",
        created_at_ms=Millis(0),
        expires_at_ms=Millis(expires_at_ms),
        max_participants=None,
        preferences=RoomPreferences(),
        secrets=RoleSecrets("m", "p", "v"),
    )


@given(st.text(max_size=300))
def test_any_prefix_makes_a_name(prefix: str):
    clean = sanitise_prefix(prefix)
    assert re.fullmatch(r"([A-Za-z0-9]+(-[A-Za-z0-9]+)*)?", clean)
    assert len(clean) <= 64
    name = room_name(prefix, SUFFIX)
    assert could_be_room_name(name)
    assert name == (f"{clean}-{SUFFIX}" if clean else SUFFIX)


@given(st.text(max_size=300))
def test_sanitising_twice_changes_nothing(prefix: str):
    assert sanitise_prefix(sanitise_prefix(prefix)) == sanitise_prefix(prefix)


@given(st.from_regex(r"[A-Za-z0-9]+(-[A-Za-z0-9]+){0,5}", fullmatch=True).filter(lambda text: len(text) <= 64))
def test_a_clean_prefix_stays(prefix: str):
    assert sanitise_prefix(prefix) == prefix


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_expiry_is_exact(expires: int, now: int):
    assert room(expires).has_expired(Millis(now)) == (now >= expires)


@given(PREFERENCES, CHANGES)
def test_a_change_leaves_what_it_does_not_name(old: RoomPreferences, change: PreferencesChange):
    new = change.applied_to(old)
    for name in ("chat_enabled", "recording_enabled", "virtual_background_enabled"):
        wanted = getattr(change, name)
        assert getattr(new, name) == (getattr(old, name) if wanted is None else wanted)


@given(st.text(max_size=50))
def test_only_the_secrets_have_roles(text: str):
    secrets = RoleSecrets("mod-secret", "pub-secret", "view-secret")
    known = {"mod-secret": Role.MODERATOR, "pub-secret": Role.PUBLISHER, "view-secret": Role.VIEWER}
    assert secrets.role_of(text) == known.get(text)
    for secret, role in known.items():
        assert secrets.role_of(secret) is role
