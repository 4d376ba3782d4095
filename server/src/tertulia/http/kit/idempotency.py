"""The `Idempotency-Key` header."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from tertulia.errors import FieldProblem, InvalidInput
from tertulia.http.kit.asgi import Scope, header
from tertulia.http.kit.operations import Call
from tertulia.services.ports import IdempotencyKey

HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r"[\x20-\x7e]{1,255}\Z")


def check_idempotency_key(scope: Scope) -> None:
    """Raise InvalidInput for a key that is none."""
    key = header(scope, HEADER.lower().encode())
    if key is not None and not _KEY.match(key):
        raise InvalidInput("headers", [FieldProblem(HEADER, "must have 1 to 255 printable ASCII characters")])


def once_of(call: Call) -> IdempotencyKey | None:
    """Read the key as it counts: for this path, this credential and this body."""
    key = header(call.scope, HEADER.lower().encode())
    if key is None:
        return None
    who = f"{call.principal.actor}:{call.principal.room or ''}:{call.principal.identity or ''}"
    scope = hashlib.sha256(f"{call.scope['path']}\n{who}".encode("utf-8", "surrogatepass")).hexdigest()
    return IdempotencyKey(scope=scope, key=key, fingerprint=hashlib.sha256(call.raw_body).hexdigest())
