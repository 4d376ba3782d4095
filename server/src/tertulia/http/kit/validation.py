"""Reads what a request says, and refuses what is impossible, field by field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qsl

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from tertulia.errors import FieldProblem, InvalidInput
from tertulia.http.kit.asgi import Receive, Scope, header
from tertulia.http.kit.errors import HttpError

MAX_BODY_BYTES: Final = 1024 * 1024
Model = TypeVar("Model", bound=BaseModel)


class Body(BaseModel):
    """A request's body: unknown fields are refused, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """A request's query; parameters that an operation does not know are nobody's."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def _refuse_null(value: object) -> object:
    if value is None:
        raise PydanticCustomError("null", "Expected a value, received null")
    return value


def _whole(value: object) -> object:
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


NotNull: Final = BeforeValidator(_refuse_null)
"""For fields that may be left out and yet are not nullable."""
WholeNumber = Annotated[int, BeforeValidator(_whole)]
"""A number without a fraction, however JSON writes it; `true` is no number."""


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """Collect a body. Raises HttpError when it is too large."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise HttpError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", f"The body is larger than {MAX_BODY_BYTES} bytes"
            )
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def has_body(scope: Scope) -> bool:
    """Tell from the headers whether a body comes along."""
    return header(scope, b"transfer-encoding") is not None or (header(scope, b"content-length") or "0") != "0"


def check_content_type(scope: Scope) -> None:
    """Refuse a body that is not JSON in UTF-8."""
    media_type, _, parameters = (header(scope, b"content-type") or "").partition(";")
    charset = parameters.replace(" ", "").lower()
    if media_type.strip().lower() != "application/json" or (
        charset.startswith("charset=")
        and charset.strip('"').removeprefix("charset=").strip('"') not in {"utf-8", "utf8"}
    ):
        raise HttpError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Unsupported Media Type: send the body as application/json",
        )


def parse_body(model: type[Model], raw: bytes) -> Model:
    """Parse JSON strictly (NaN and Infinity are malformed) and check it against a model."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        problem = FieldProblem("", "A JSON body is needed" if not raw.strip() else f"Malformed JSON: {error.msg}")
        raise InvalidInput("body", [problem]) from error
    return _validated(model, value, "body")


def parse_query(model: type[Model], scope: Scope) -> Model:
    """Check query parameters against a model. Of a parameter that comes twice, the values are joined by commas."""
    values: dict[str, str] = {}
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return _validated(model, values, "query")


def _validated(model: type[Model], value: object, place: str) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidInput(place, [_problem(detail) for detail in error.errors(include_url=False)]) from error


def _problem(detail: ErrorDetails) -> FieldProblem:
    message = _WORDS.get(detail["type"], detail["msg"])
    return FieldProblem(".".join(str(part) for part in detail["loc"]), message)


_WORDS: Mapping[str, Any] = {
    "missing": "Required",
    "extra_forbidden": "Unknown field",
    "model_type": "Expected an object",
    "model_attributes_type": "Expected an object",
    "int_type": "Expected a number",
    "int_from_float": "Expected a whole number",
    "float_type": "Expected a number",
    "string_type": "Expected a string",
    "bool_type": "Expected true or false",
    "list_type": "Expected an array",
}
