"""Reads what a request says, and refuses what is impossible, field by field."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from itertools import islice
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from starlette.requests import Request

from tertulia.errors import FieldProblem, InvalidInput
from tertulia.http.kit.errors import MAX_PROBLEMS, HttpError

Model = TypeVar("Model", bound=BaseModel)
_MAX_PARAMETERS: Final = 100
_MAX_ESCAPES: Final = 2048


class Body(BaseModel):
    """A request's body: unknown fields are refused, nothing is converted. Lists say FailFast, so that they do stop."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _few_unknown_fields(cls, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """Drop unknown fields beyond the problems that are told: pydantic makes one of each, and cannot stop."""
        known = cls.model_fields
        if not isinstance(value, dict) or len(value) <= len(known) + MAX_PROBLEMS:
            return value
        unknown = islice((name for name in value if name not in known), MAX_PROBLEMS)
        return {name: value[name] for name in known if name in value} | {name: value[name] for name in unknown}


class Query(BaseModel):
    """A request's query; parameters that an operation does not know are ignored."""

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
"""A number without a fraction, however JSON writes it; `true` is not a number."""


def check_content_type(request: Request) -> None:
    """Raise HttpError (415) for a body that is not JSON in UTF-8."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
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
    """Parse JSON strictly (NaN and Infinity are malformed) and check it against a model. Raises InvalidInput."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        problem = FieldProblem("", "A JSON body is needed" if not raw.strip() else f"Malformed JSON: {error.msg}")
        raise InvalidInput("body", [problem]) from error
    return _validated(model, value, "body")


def parse_query(model: type[Model], request: Request) -> Model:
    """Check query parameters against a model. Raises InvalidInput."""
    return _validated(model, query_values(request), "query") if request.scope["query_string"] else _empty(model)


def query_values(request: Request) -> dict[str, str]:
    """Read the query parameters; of one that comes twice, the values are joined by commas.

    Raises InvalidInput for more parameters or escapes than a request needs: each costs time, and anyone may send them.
    """
    raw: bytes = request.scope["query_string"]
    if raw.count(b"&") >= _MAX_PARAMETERS or raw.count(b"%") > _MAX_ESCAPES:
        raise InvalidInput(
            "query", [FieldProblem("", f"More than {_MAX_PARAMETERS} parameters or {_MAX_ESCAPES} escaped bytes")]
        )
    values: dict[str, str] = {}
    for pair in raw.replace(b"+", b" ").split(b"&"):
        if pair:
            name, value = (unquote_to_bytes(part).decode(errors="replace") for part in pair.partition(b"=")[::2])
            values[name] = f"{values[name]},{value}" if name in values else value
    return values


def named_values(raw: bytes, names: tuple[str, ...]) -> Iterator[str]:
    """Read the texts of some fields of a body that may be anything; what cannot be read names nothing."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return
    if isinstance(value, dict):
        yield from (value[name] for name in names if isinstance(value.get(name), str))


@cache
def _empty(model: type[Model]) -> Model:
    return _validated(model, {}, "query")


def _validated(model: type[Model], value: object, place: str) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidInput(place, [_problem(detail) for detail in details[:MAX_PROBLEMS]]) from error


def _problem(detail: ErrorDetails) -> FieldProblem:
    message = _MESSAGES.get(detail["type"], detail["msg"])
    return FieldProblem(".".join(str(part) for part in detail["loc"]), message)


_MESSAGES: Final[Mapping[str, str]] = {
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
