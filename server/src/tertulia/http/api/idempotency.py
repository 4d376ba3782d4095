"""The `Idempotency-Key` header."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from starlette.requests import Request

from tertulia.domain.api_keys import CONFIGURED, INITIAL
from tertulia.errors import FieldProblem, InvalidInput
from tertulia.http.kit.operations import OperationRequest
from tertulia.services.ports import IdempotencyKey

HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r"[\x20-\x7e]{1,255}\Z")


def check_idempotency_key(request: Request) -> None:
    """Raise InvalidInput when the header holds something that cannot be a key."""
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.match(key):
        raise InvalidInput("headers", [FieldProblem(HEADER, "must have 1 to 255 printable ASCII characters")])


async def idempotency_key(request: OperationRequest) -> IdempotencyKey | None:
    """Read the key as it counts: for this path, this credential and this body."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    principal = request.principal
    who = f"{principal.actor}:{principal.room or ''}:{principal.identity or ''}"
    if principal.api_key not in {None, CONFIGURED, INITIAL}:  # these two are never both there, nor were there others
        who += f":{principal.api_key}"
    scope = hashlib.sha256(f"{request.scope['path']}\n{who}".encode("utf-8", "surrogatepass")).hexdigest()
    return IdempotencyKey(scope=scope, key=key, fingerprint=hashlib.sha256(await request.body()).hexdigest())
