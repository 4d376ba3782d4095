"""The operations of one base path as an ASGI application, with every check in the agreed order.

Order of checks: path and method, authentication, permission (which includes the room), content type, validation (query,
headers, body); then the operation itself looks at existence and state.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Final, Protocol

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from tertulia.domain.access import ONLY_ONESELF, Action, Actor, Principal
from tertulia.errors import Forbidden, NotFound, TertuliaError, TooManyRequests, Unauthenticated, forbidden
from tertulia.http.kit.addresses import peer_address
from tertulia.http.kit.errors import Endpoint
from tertulia.http.kit.openapi import Json
from tertulia.http.kit.operations import Operation, OperationRequest
from tertulia.http.kit.routing import MethodRoute, SegmentRouter
from tertulia.http.kit.validation import check_content_type, named_values, parse_body, parse_query, query_values

_log = structlog.get_logger(__name__)
REVALIDATE: Final = {"cache-control": "no-cache"}
_BOUND_TO_ROOM: Final = {Actor.MODERATOR, Actor.PUBLISHER, Actor.VIEWER, Actor.HOLDER, Actor.TICKET}


class Authenticator(Protocol):
    """Finds out who sent a request."""

    async def identify(self, request: Request, accepted: frozenset[Actor]) -> Principal:
        """Return who sent it, by a credential of a kind that is accepted. Raises Unauthenticated."""
        ...


class Api(SegmentRouter):
    """The operations of one base path, their `document` at `…/openapi.json` and the `docs_page` that shows it.

    `room_of_recording` finds the room of a recording by its id. Raises ValueError for an operation that may be allowed
    to an actor bound to a room, and does not declare where its room comes from.
    """

    def __init__(
        self,
        base_path: str,
        operations: Sequence[Operation],
        *,
        document: Json,
        docs_page: Response,
        permissions: Mapping[Action, frozenset[Actor]],
        authenticator: Authenticator,
        room_of_recording: Callable[[str], Awaitable[str | None]],
    ) -> None:
        self._permissions = permissions
        self._authenticator = authenticator
        self._room_of_recording = room_of_recording
        for operation in operations:
            if operation.room is None and permissions[operation.action] & _BOUND_TO_ROOM:
                raise ValueError(f"{operation.id} does not declare where its room comes from")
        served = Response(orjson.dumps(document), media_type="application/json", headers=REVALIDATE)
        pages = {"/openapi.json": served, "/docs": docs_page}
        super().__init__([
            *self._routes(base_path, operations),
            *(MethodRoute(base_path + path, {"GET": page}) for path, page in pages.items()),
        ])  # fmt: skip

    def _routes(self, base_path: str, operations: Sequence[Operation]) -> list[MethodRoute]:
        """Make one route of each path. A path that a template also matches goes first: `token` may be a name, too."""
        by_path: dict[str, dict[str, Endpoint[OperationRequest]]] = {}
        for one in operations:
            path = (base_path + one.path).replace("}", ":segment}")
            by_path.setdefault(path, {})[one.method] = Endpoint(OperationRequest, partial(self._respond, one))
        matching = {path: [other for other in by_path if _matches(other, path)] for path in by_path}
        return [
            MethodRoute(path, by_path[path], also=chain(*(by_path[other] for other in matching[path])))
            for path in sorted(by_path, key=lambda path: len(matching[path]), reverse=True)
        ]

    async def _respond(self, operation: Operation, request: OperationRequest) -> Response:
        request.client_address = peer_address(request.scope)
        request.max_body_bytes = operation.max_body_bytes
        try:
            return await self._permitted(operation, request)
        except (Unauthenticated, Forbidden, TooManyRequests, NotFound) as error:
            # where anyone may ask, what does not exist is a wrong guess, too
            if not isinstance(error, NotFound) or Actor.ANYONE in self._permissions[operation.action]:
                _log_refusal(operation, request, error)
            raise

    async def _permitted(self, operation: Operation, request: OperationRequest) -> Response:
        allowed = self._permissions[operation.action]
        if Actor.ANYONE not in allowed:
            request.principal = await self._authenticator.identify(request, allowed)
            is_other = _acts_for_other(operation, request)
            if request.principal.actor not in allowed or is_other or await self._is_elsewhere(operation, request):
                raise forbidden()
        await _read(operation, request)
        return await operation.handle(request)

    async def _is_elsewhere(self, operation: Operation, request: OperationRequest) -> bool:
        """Tell whether a participant or a ticket's holder names another room than its own.

        A room that cannot be read (the body is not JSON, no such recording) forbids nothing: the request is
        then refused for what is wrong with it, which says nothing of any room.
        """
        who, source = request.principal, operation.room
        if who.room is None and who.recording is None:
            return False
        if source is None or (who.recording is not None and source.place != "recording"):
            return True
        named: Iterable[str] = ()
        match source.place:
            case "path":
                named = (request.path_params[name] for name in source.names)
            case "query":
                values = query_values(request)
                # each value of one that comes twice; an empty one names no room
                named = filter(None, ",".join(values.get(name, "") for name in source.names).split(","))
            case "body" if request.has_body:
                named = named_values(await request.body(), source.names)
            case "recording":
                return await self._is_other_recording(who, request.path_params[source.names[0]])
        return any(room != who.room for room in named)

    async def _is_other_recording(self, who: Principal, recording: str) -> bool:
        if who.recording is not None:
            return who.recording != recording
        room = await self._room_of_recording(recording)
        return room is not None and room != who.room


def _acts_for_other(operation: Operation, request: OperationRequest) -> bool:
    """Tell whether a participant does for another one what its role may do only for itself."""
    who = request.principal
    bound = who.actor in ONLY_ONESELF.get(operation.action, ())
    return bound and request.path_params["participantName"] != who.identity


def _log_refusal(operation: Operation, request: OperationRequest, error: TertuliaError) -> None:
    who = request.principal
    _log.warning(
        "request refused",
        operation=operation.id,
        code=error.code,
        address=request.client_address,
        room=who.room,
        participant=who.identity,
        request_id=request.scope["state"]["request_id"],
    )


def _matches(template: str, path: str) -> bool:
    return compile_path(template)[0].match(path) is not None


async def _read(operation: Operation, request: OperationRequest) -> None:
    has_body = operation.body is not None and request.has_body
    if has_body:
        check_content_type(request)
    if operation.query is not None:
        request.query = parse_query(operation.query, request)
    if operation.check_headers is not None:
        operation.check_headers(request)
    if operation.body is not None and (has_body or operation.body_required):
        request.content = parse_body(operation.body, await request.body())
