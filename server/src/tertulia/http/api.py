"""A base path as an ASGI application: finds the operation, checks in the agreed order, answers.

Order of checks: path and method, authentication, permission, content type, validation (query, headers, body); then the
operation itself looks at existence and state.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import unquote

import orjson
import structlog

from tertulia.domain.access import Action, Actor, Principal
from tertulia.errors import TertuliaError, forbidden
from tertulia.http.asgi import Receive, Scope, Send, TrustedProxies
from tertulia.http.errors import HttpError, error_reply, internal_error, unknown_path
from tertulia.http.openapi import document, reader_page
from tertulia.http.operations import Call, Operation
from tertulia.http.replies import JSON, Reply
from tertulia.http.validation import check_content_type, has_body, parse_body, parse_query, read_body

_log = structlog.get_logger(__name__)
_ASK_AGAIN: Final = (b"cache-control", b"no-cache")
_HTML: Final = (b"content-type", b"text/html; charset=utf-8")
_READER_POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
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
    """The operations of one base path."""

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
    ) -> None:
        self._base_path = base_path
        self._permissions = permissions
        self._authenticator = authenticator
        self._proxies = proxies
        made = document(title, f"{public_url}{base_path}", operations, permissions)
        self._pages = {
            "/openapi.json": Reply(200, orjson.dumps(made), [JSON, _ASK_AGAIN]),
            "/docs": Reply(200, reader_page(made), [_HTML, _ASK_AGAIN, _READER_POLICY]),
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
        await reply.send(send, without_body=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> Reply:
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.partition(b"?")[0].decode("latin-1")[len(self._base_path) :]
        page = self._pages.get(path)
        if page is not None and scope["method"] in {"GET", "HEAD"}:
            return page
        node, parameters = self._find(path)
        operation = _of_method(node, scope["method"])
        call = Call(scope, parameters, _NOBODY, self._proxies.client(scope), request_id)
        allowed = self._permissions[operation.action]
        if Actor.ANYONE not in allowed:
            call.principal = await self._authenticator.identify(scope, allowed)
            if call.principal.actor not in allowed:
                raise forbidden()
        await _read(call, operation, receive)
        return await operation.handle(call)

    def _find(self, path: str) -> tuple[_Node, dict[str, str]]:
        node, parameters = self._root, {}
        for segment in path[1:].split("/"):
            following = node.literal.get(segment)
            if following is None:
                if node.parameter is None or not segment:
                    raise unknown_path()
                name, following = node.parameter
                parameters[name] = unquote(segment)
            node = following
        if not node.operations or not path.startswith("/"):
            raise unknown_path()
        return node, parameters


def _of_method(node: _Node, method: str) -> Operation:
    operation = node.operations.get("GET" if method == "HEAD" else method)
    if operation is None:
        allowed = sorted(node.operations)
        if "GET" in allowed:
            allowed.append("HEAD")
        raise HttpError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method_not_allowed",
            f"This path allows {', '.join(allowed)}",
            headers=[(b"allow", ", ".join(allowed).encode())],
        )
    return operation


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
