"""`Idempotency-Key`: the same request sent twice creates once.

What was created is remembered in the transaction that creates it, so a crash cannot come between the two.
"""

from __future__ import annotations

from typing import Final

from tertulia.domain.ids import Millis
from tertulia.errors import Conflict, FieldProblem, InvalidInput
from tertulia.services.ports import Once, Transaction

LIFETIME_MS: Final = 24 * 3600 * 1000


def replayed(tx: Transaction, once: Once | None, now_ms: Millis) -> str | None:
    """Return what an earlier request with this key created. Raises InvalidInput when that request was another."""
    if once is None:
        return None
    found = tx.idempotency.find(once, now_ms=now_ms)
    if found is None:
        return None
    fingerprint, result = found
    if fingerprint != once.fingerprint:
        raise InvalidInput("headers", [FieldProblem("Idempotency-Key", "was used with another body")])
    return result


def remember(tx: Transaction, once: Once | None, result: str, now_ms: Millis) -> None:
    """Keep what this request created. Raises Conflict when a request with the same key was faster by a moment."""
    if once is not None and not tx.idempotency.put(once, result, expires_at_ms=Millis(now_ms + LIFETIME_MS)):
        raise Conflict("request_in_progress", "A request with this Idempotency-Key is just being answered; try again")
