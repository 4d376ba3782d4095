"""The `Idempotency-Key` header."""

from __future__ import annotations

import pytest

from support.asgi import http_scope
from tertulia.domain.access import Actor, Principal
from tertulia.domain.ids import RoomName
from tertulia.errors import InvalidInput
from tertulia.http.api.idempotency import check_idempotency_key, idempotency_key
from tertulia.http.kit.operations import OperationRequest


def request(
    key: str | None = "k", *, path: str = "/rooms", body: bytes = b"{}", actor: Actor = Actor.API_KEY, room: str = ""
) -> OperationRequest:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    made = OperationRequest(http_scope(path, headers={} if key is None else {"idempotency-key": key}), receive)
    made.principal = Principal(actor, room=RoomName(room) if room else None)
    return made


@pytest.mark.parametrize(("key", "good"), [(None, True), ("a b", True), ("", False), ("ü", False), ("x" * 256, False)])
def test_form(key, good):
    if good:
        check_idempotency_key(request(key))
    else:
        with pytest.raises(InvalidInput):
            check_idempotency_key(request(key))


async def test_counts_for_one_path_and_credential():
    same = await idempotency_key(request())
    assert same is not None
    assert await idempotency_key(request()) == same
    assert await idempotency_key(request(None)) is None
    for other in (request(path="/recordings"), request(actor=Actor.ADMIN), request(room="a")):
        key = await idempotency_key(other)
        assert key is not None
        assert (key.scope != same.scope, key.fingerprint) == (True, same.fingerprint)
    other_body = await idempotency_key(request(body=b"[]"))
    assert other_body is not None
    assert (other_body.scope, other_body.fingerprint != same.fingerprint) == (same.scope, True)
