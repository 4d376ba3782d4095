"""`Idempotency-Key`: the same request sent twice creates once.

What was created is remembered in the transaction that creates it, so a crash cannot come between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from tertulia.domain.ids import Millis
from tertulia.errors import Conflict, FieldProblem, InvalidInput
from tertulia.services.ports import IdempotencyKey, Store, Transaction

LIFETIME_MS: Final = 24 * 3600 * 1000
T = TypeVar("T")


class _OutrunError(Conflict):
    """A request with the same key was faster by a moment."""


def replayed(tx: Transaction, once: IdempotencyKey | None, now_ms: Millis) -> str | None:
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


def remember(tx: Transaction, once: IdempotencyKey | None, result: str, now_ms: Millis) -> None:
    """Keep what this request created. Raises Conflict when a request with the same key was faster by a moment."""
    if once is None:
        return
    expires_at_ms = Millis(now_ms + LIFETIME_MS)
    if tx.idempotency.put(once, result, expires_at_ms=expires_at_ms):
        return
    tx.idempotency.forget_expired(now_ms=now_ms)  # a key of more than a day ago may still be there
    if not tx.idempotency.put(once, result, expires_at_ms=expires_at_ms):
        message = "A request with this Idempotency-Key is just being answered; try again"
        raise _OutrunError("request_in_progress", message)


async def written_once(store: Store, work: Callable[[Transaction], T]) -> T:
    """Write what `remember` keeps; where another request was faster, its creation is found the second time."""
    try:
        return await store.write(work)
    except _OutrunError:
        return await store.write(work)
