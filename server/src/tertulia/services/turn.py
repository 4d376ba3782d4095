"""Short-lived logins at a TURN server (draft-uberti-behave-turn-rest: the password is an HMAC of the expiring name)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from tertulia.domain.ids import Millis
from tertulia.domain.participants import TOKEN_LIFETIME_MS


@dataclass(frozen=True, slots=True)
class TurnLogin:
    """What a client sends to the TURN server."""

    username: str
    credential: str


def turn_login(secret: str, participant: str, *, now_ms: Millis) -> TurnLogin:
    """Return a login for one participant, valid as long as its token may be."""
    username = f"{(now_ms + TOKEN_LIFETIME_MS) // 1000}:{participant}"
    digest = hmac.digest(secret.encode(), username.encode(), hashlib.sha1)
    return TurnLogin(username, base64.b64encode(digest).decode())
