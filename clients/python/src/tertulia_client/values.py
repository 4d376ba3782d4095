"""Values to JSON and back. What an answer has beyond the models is left out: servers may be newer than this library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from tertulia_client.errors import UnexpectedAnswer

M = TypeVar("M")


def encode(value: object) -> object:
    """Return what JSON shows of a value; what is None is absent, a datetime is in milliseconds.

    Raise ValueError for a datetime without a time zone.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a datetime needs a time zone: datetime.now(timezone.utc)")
        return int(value.timestamp() * 1000)
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((each.metadata["json"], getattr(value, each.name)) for each in fields(value))
        return {name: encode(part) for name, part in pairs if part is not None}
    if isinstance(value, Mapping):
        return {name: encode(part) for name, part in value.items() if part is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [encode(part) for part in value]
    return value


def one(model: type[M]) -> Callable[[object], M]:
    """Make a reader of one value. It raises UnexpectedAnswer."""

    def read(data: object) -> M:
        try:
            return _decode(model, data)
        except (KeyError, TypeError, AttributeError) as error:
            raise UnexpectedAnswer(f"the server's answer is not a {model.__name__}") from error

    return read


def many(model: type[M]) -> Callable[[object], Sequence[M]]:
    """Make a reader of a list. It raises UnexpectedAnswer."""
    read = one(model)

    def read_all(data: object) -> Sequence[M]:
        if not isinstance(data, list):
            raise UnexpectedAnswer(f"the server's answer is not a list of {model.__name__}")
        return [read(each) for each in data]

    return read_all


def nothing(_data: object) -> None:
    """Read an answer without content."""


def _decode(model: Callable[..., M], data: Any) -> M:  # noqa: ANN401 - the server's JSON, as it may be
    given: dict[str, Any] = {}
    for each in fields(model):  # type: ignore[arg-type]  # all models are dataclasses
        name, of = each.metadata["json"], each.metadata.get("of")
        value = data[name] if each.default is MISSING else data.get(name)
        if isinstance(of, type) and value is not None:
            decode: Callable[[Any], Any] = partial(_decode, of)
            value = [decode(part) for part in value] if isinstance(value, list) else decode(value)
        given[each.name] = value
    return model(**given)
