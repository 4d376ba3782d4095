"""TURN logins, as a TURN server with the same secret checks them."""

from __future__ import annotations

import base64
import hashlib
import hmac

from tertulia.domain.ids import Millis
from tertulia.domain.participants import TOKEN_LIFETIME_MS
from tertulia.services.turn import turn_login

NOW = Millis(1_800_000_000_000)


def test_a_turn_server_accepts_the_login():
    login = turn_login("the secret", "Alice", now_ms=NOW)
    digest = hmac.digest(b"the secret", login.username.encode(), hashlib.sha1)
    assert base64.b64decode(login.credential) == digest
    expires_at_s, _, participant = login.username.partition(":")
    assert int(expires_at_s) * 1000 == NOW + TOKEN_LIFETIME_MS
    assert participant == "Alice"
