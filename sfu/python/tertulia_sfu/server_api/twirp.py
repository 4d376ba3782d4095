"""Twirp (version 7) over HTTP: one POST for each call, protobuf or JSON in and out, errors always JSON."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tertulia_sfu.errors import InvalidToken, MalformedRequest, MediaError
from tertulia_sfu.tokens import Claims, Tokens, VideoGrant

_log = structlog.get_logger(__name__)

MAX_BODY_BYTES: Final = 10 * 1024 * 1024
MEDIA_TYPES: Final = frozenset({"application/json", "application/protobuf"})

STATUS: Final[Mapping[str, int]] = {
    "unauthenticated": 401,
    "permission_denied": 403,
    "not_found": 404,
    "bad_route": 404,
    "deadline_exceeded": 408,
    "already_exists": 409,
    "failed_precondition": 412,
    "malformed": 400,
    "invalid_argument": 400,
    "resource_exhausted": 429,
    "internal": 500,
    "unimplemented": 501,
    "unavailable": 503,
}


@dataclass(frozen=True)
class Method:
    """One method of a service: its request type, who may call it, and what it does.

    `allowed` decides from the token's video grant and the request; `call` may raise MediaError.
    """

    request: type[Message]
    allowed: Callable[[VideoGrant, Message], bool]
    call: Callable[[Any], Awaitable[Message]]


class Twirp:
    """The endpoint of one service's methods; `others` are LiveKit's services that this server does not have."""

    def __init__(self, service: str, methods: Mapping[str, Method], *, others: frozenset[str], tokens: Tokens) -> None:
        self._service = service
        self._methods = methods
        self._others = others
        self._tokens = tokens

    async def handle(self, request: Request) -> Response:
        """Answer `POST /twirp/{service}/{method}`."""
        service, name = request.path_params["service"], request.path_params["method"]
        method = self._methods.get(name) if service == self._service else None
        if method is None:
            if service in self._others:
                return error_response("unimplemented", f"{service} is not part of this server")
            return error_response("bad_route", f"no handler for path /twirp/{service}/{name}")
        try:
            return await self._call(method, request)
        except InvalidToken as error:
            return PlainTextResponse(str(error), status_code=401)
        except MediaError as error:
            return error_response(error.code, str(error))
        except Exception:  # noqa: BLE001 – a defect costs one answer, and is logged
            _log.exception("call failed", method=name)
            return error_response("internal", "internal error")

    def _claims(self, request: Request) -> Claims | None:
        header = request.headers.get("authorization")
        if header is None:
            return None
        if not header.startswith("Bearer "):
            raise InvalidToken("The Authorization header is not a bearer token.")
        return self._tokens.verify(header.removeprefix("Bearer "))

    async def _call(self, method: Method, request: Request) -> Response:
        claims = self._claims(request)
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in MEDIA_TYPES:
            return error_response("bad_route", f"unexpected Content-Type: {media_type}")
        if claims is None or not _has_any_grant(claims.video):
            return error_response("unauthenticated", "permissions denied")
        body = await _body(request)
        if body is None:
            return PlainTextResponse("The request is larger than 10 MiB.", status_code=413)
        message = _parse(method.request(), body, media_type)
        if not method.allowed(claims.video, message):
            return error_response("unauthenticated", "permissions denied")
        return _reply(await method.call(message), media_type)


def _has_any_grant(grant: VideoGrant) -> bool:
    """Tell whether a token may call anything at all: without, 10 MiB are not worth reading."""
    return grant.room_create or grant.room_list or grant.room_admin


def _parse(message: Message, body: bytes, media_type: str) -> Message:
    try:
        if media_type == "application/json":
            json_format.Parse(body, message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(body)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError, RecursionError):
        raise MalformedRequest("The request could not be decoded.") from None
    return message


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return None
    except ClientDisconnect:
        raise MalformedRequest("The request is incomplete.") from None
    return bytes(body)


def _reply(message: Message, media_type: str) -> Response:
    if media_type == "application/protobuf":
        return Response(message.SerializeToString(), media_type=media_type)
    text = json_format.MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=None
    )
    return Response(text, media_type=media_type)


def error_response(code: str, message: str) -> Response:
    """Return an error in Twirp's JSON format."""
    return JSONResponse({"code": code, "msg": message, "meta": {}}, status_code=STATUS.get(code, 500))
