"""`Idempotency-Key`: the same request sent twice acts once (draft-ietf-httpapi-idempotency-key-header).

The result is stored in the transaction that creates it, so a crash cannot come between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from tertulia.domain.ids import Millis
from tertulia.errors import Conflict, FieldProblem, InvalidInput
from tertulia.services.ports import IdempotencyKey, Store, Transaction

LIFETIME_MS: Final = 24 * 3600 * 1000
T = TypeVar("T")


class _ConcurrentRequestError(Conflict):
    """A request with the same key was faster by a moment."""


def replayed(tx: Transaction, key: IdempotencyKey | None, now_ms: Millis) -> str | None:
    """Return the result of an earlier request with this key. Raises InvalidInput when that had another body."""
    if key is None:
        return None
    earlier = tx.idempotency.find(key, now_ms=now_ms)
    if earlier is None:
        return None
    if earlier.fingerprint != key.fingerprint:
        raise InvalidInput("headers", [FieldProblem("Idempotency-Key", "was used with another body")])
    return earlier.result


def remember(tx: Transaction, key: IdempotencyKey | None, result: str, now_ms: Millis) -> None:
    """Store the result of this request. Raises Conflict when a request with the same key was faster by a moment."""
    if key is None:
        return
    expires_at_ms = Millis(now_ms + LIFETIME_MS)
    if tx.idempotency.insert(key, result, expires_at_ms=expires_at_ms):
        return
    tx.idempotency.delete_expired(now_ms=now_ms)  # the row may be an expired one
    if not tx.idempotency.insert(key, result, expires_at_ms=expires_at_ms):
        message = "A request with this Idempotency-Key is just being answered; try again"
        raise _ConcurrentRequestError("request_in_progress", message)


async def written_once(store: Store, work: Callable[[Transaction], T]) -> T:
    """Run a function that calls `remember`; where another request was faster, the second run finds its result."""
    try:
        return await store.write(work)
    except _ConcurrentRequestError:
        return await store.write(work)
