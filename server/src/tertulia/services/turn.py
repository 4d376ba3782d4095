"""Short-lived logins at a TURN server (draft-uberti-behave-turn-rest: the password is an HMAC of the expiring name)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from tertulia.domain.ids import Millis

_LIFETIME_S: Final = 6 * 3600


@dataclass(frozen=True, slots=True)
class TurnLogin:
    """What a client shows to the TURN server."""

    username: str
    credential: str


def turn_login(secret: str, participant: str, *, now_ms: Millis) -> TurnLogin:
    """Make a login for one participant."""
    username = f"{now_ms // 1000 + _LIFETIME_S}:{participant}"
    digest = hmac.digest(secret.encode(), username.encode(), hashlib.sha1)
    return TurnLogin(username, base64.b64encode(digest).decode())
