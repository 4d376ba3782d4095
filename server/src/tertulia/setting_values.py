"""Kinds of values of settings, and the refusal of what is not one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from tertulia_sfu.config import CODECS

AUTO_ADDRESSES: Final = ("auto",)
"""In place of addresses: the public one is asked of a STUN server."""
_VIDEO: Final = {codec.lower() for codec in CODECS if codec.startswith("video/")}
_HOST_AND_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:]+\]|[\w.-]+)(:\d{1,5})?")
_NO_URL: Final = re.compile(r"[\s;,'\"<>]")
"""What would end a URL in a header or a policy."""


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _are_addresses(value: tuple[str, ...]) -> tuple[str, ...]:
    for address in value if value != AUTO_ADDRESSES else ():
        check(ipaddress.ip_address, address)
    return value


def _are_codecs(value: tuple[str, ...]) -> tuple[str, ...]:
    chosen = {codec.lower() for codec in value}
    if value and not (chosen <= {codec.lower() for codec in CODECS} and "audio/opus" in chosen and chosen & _VIDEO):
        raise refused()
    return tuple(codec for codec in CODECS if codec.lower() in chosen)


def _is_host(value: str) -> str:
    if value and not _HOST_AND_PORT.fullmatch(value):
        raise refused()
    return value


Commas = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Codecs = Annotated[Commas, AfterValidator(_are_codecs)]
Addresses = Annotated[Commas, AfterValidator(_are_addresses)]
HostAndPort = Annotated[str, AfterValidator(_is_host)]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def refused() -> PydanticCustomError:
    """Return the error of a value that is not allowed; what is allowed is in the setting's title."""
    return PydanticCustomError("refused", "refused")


def url_with(value: str, schemes: set[str], *, path: bool = True) -> str:
    """Return a URL (or nothing) without a slash at its end. Raise `refused` for another scheme or further parts."""
    if not value:
        return value
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise refused() from None
    if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment or _NO_URL.search(value):
        raise refused()
    if not path and parts.path not in {"", "/"}:
        raise refused()
    return value.rstrip("/")


def check(parse: Callable[[str], object], value: str) -> None:
    """Raise `refused` for what a function cannot parse."""
    try:
        parse(value)
    except ValueError:
        raise refused() from None
