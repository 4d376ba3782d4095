"""A base path as an ASGI application: finds the operation, checks in the agreed order, answers.

Order of checks: path and method, authentication, permission, content type, validation (query, headers, body); then the
operation itself looks at existence and state.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import unquote

import orjson
import structlog

from tertulia.domain.access import Action, Actor, Principal
from tertulia.errors import TertuliaError, forbidden
from tertulia.http.kit.asgi import Receive, Scope, Send, TrustedProxies
from tertulia.http.kit.errors import error_reply, internal_error, method_not_allowed, unknown_path
from tertulia.http.kit.openapi import document
from tertulia.http.kit.operations import Call, Operation
from tertulia.http.kit.replies import JSON, Reply
from tertulia.http.kit.validation import check_content_type, has_body, parse_body, parse_query, read_body

_log = structlog.get_logger(__name__)
_ASK_AGAIN: Final = (b"cache-control", b"no-cache")
_NOBODY: Final = Principal(Actor.ANYONE)


class Authenticator(Protocol):
    """Finds out who asks."""

    async def identify(self, scope: Scope, accepted: frozenset[Actor]) -> Principal:
        """Return who asks, by a credential of a kind that is accepted. Raises Unauthenticated."""
        ...


@dataclass(slots=True)
class _Node:
    """One segment of the paths: what follows it, and the operations that end here."""

    literal: dict[str, _Node] = field(default_factory=dict)
    parameter: tuple[str, _Node] | None = None
    operations: dict[str, Operation] = field(default_factory=dict)


class Api:
    """The operations of one base path, its document, and the page that shows it (`reference`)."""

    def __init__(
        self,
        title: str,
        base_path: str,
        operations: Sequence[Operation],
        *,
        permissions: Mapping[Action, frozenset[Actor]],
        authenticator: Authenticator,
        proxies: TrustedProxies,
        public_url: str,
        reference: Reply,
    ) -> None:
        self._base = base_path.split("/")
        self._permissions = permissions
        self._authenticator = authenticator
        self._proxies = proxies
        made = document(title, f"{public_url}{base_path}", operations, permissions)
        self._pages = {
            "openapi.json": Reply(200, orjson.dumps(made), [JSON, _ASK_AGAIN]),
            "docs": reference,
        }
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in operation.path.strip("/").split("/"):
            if segment.startswith("{"):
                name = segment.strip("{}")
                node.parameter = node.parameter or (name, _Node())
                node = node.parameter[1]
            else:
                node = node.literal.setdefault(segment, _Node())
        node.operations[operation.method] = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id = scope["state"]["request_id"]
        try:
            reply = await self._answer(scope, receive, request_id)
        except TertuliaError as error:
            reply = error_reply(error, request_id)
            if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                _log.warning("request failed", request_id=request_id, code=error.code, reason=error.message)
        except Exception:  # noqa: BLE001 - a defect costs one answer, and is logged
            _log.exception("request failed by a defect", request_id=request_id)
            reply = error_reply(internal_error(), request_id)
        await reply.send(send, receive, without_body=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> Reply:
        segments = self._segments(scope)
        page = self._pages.get("/".join(segments))
        if page is not None:
            if scope["method"] not in {"GET", "HEAD"}:
                raise method_not_allowed("GET")
            return page
        operation, parameters = self._find(segments, scope["method"])
        call = Call(scope, parameters, _NOBODY, self._proxies.client(scope), request_id)
        allowed = self._permissions[operation.action]
        if Actor.ANYONE not in allowed:
            call.principal = await self._authenticator.identify(scope, allowed)
            if call.principal.actor not in allowed:
                raise forbidden()
        await _read(call, operation, receive)
        reply = await operation.handle(call)
        return await (reply.whole() if scope["http_version"] == "1.0" else reply.begun())

    def _segments(self, scope: Scope) -> list[str]:
        """Cut the path behind the base path, before it is decoded: a name may hold a slash."""
        raw = scope.get("raw_path") or scope["path"].encode()
        segments = [unquote(segment) for segment in raw.partition(b"?")[0].decode("latin-1").split("/")]
        if segments[: len(self._base)] != self._base:
            raise unknown_path()
        return segments[len(self._base) :]

    def _find(self, segments: Sequence[str], method: str) -> tuple[Operation, dict[str, str]]:
        """Find what a path means. A literal goes before a parameter, but `token` is also somebody's name."""
        allowed: set[str] = set()
        for operations, parameters in _meanings(self._root, segments):
            operation = operations.get("GET" if method == "HEAD" else method)
            if operation is not None:
                return operation, parameters
            allowed |= operations.keys()
        raise method_not_allowed(*sorted(allowed)) if allowed else unknown_path()


def _meanings(node: _Node, segments: Sequence[str]) -> Iterator[tuple[dict[str, Operation], dict[str, str]]]:
    if not segments:
        yield node.operations, {}
        return
    segment, rest = segments[0], segments[1:]
    if segment in node.literal:
        yield from _meanings(node.literal[segment], rest)
    if node.parameter is not None and segment:
        name, following = node.parameter
        for operations, parameters in _meanings(following, rest):
            yield operations, {name: segment} | parameters


async def _read(call: Call, operation: Operation, receive: Receive) -> None:
    takes_body = operation.body is not None and (operation.body_required or has_body(call.scope))
    if takes_body and has_body(call.scope):
        check_content_type(call.scope)
    if operation.query is not None:
        call.query = parse_query(operation.query, call.scope)
    if operation.check_headers is not None:
        operation.check_headers(call.scope)
    if takes_body and operation.body is not None:
        call.raw_body = await read_body(call.scope, receive)
        call.body = parse_body(operation.body, call.raw_body)


class Elapsed:
    """Measures how long something took."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def ms(self) -> float:
        """Tell the milliseconds since it was made."""
        return round((time.perf_counter() - self._began) * 1000, 1)


def log_request(scope: Scope, status: int, elapsed: Elapsed) -> None:
    """Log a request: never its query string, which may hold a secret. What only our own parts ask is for debugging."""
    own = scope["path"] == "/health" or scope["path"].startswith("/twirp/")
    (_log.debug if own and status < HTTPStatus.BAD_REQUEST else _log.info)(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=status,
        ms=elapsed.ms(),
        request_id=scope["state"]["request_id"],
    )
