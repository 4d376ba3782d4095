"""The `Range` header (RFC 9110, section 14): one range of bytes, or the whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request

from tertulia.http.kit.errors import HttpError

_SET: Final = re.compile(r"(?i:bytes)=([ \t]*(?:\d+-\d*|-\d+)[ \t]*(?:,[ \t]*(?:\d+-\d*|-\d+)[ \t]*)*)\Z", re.ASCII)
_LONGEST: Final = 1000


@dataclass(frozen=True, slots=True)
class ByteRange:
    """One range as it was asked for: `first`–`last`, or the last `suffix` bytes."""

    first: int | None
    last: int | None
    suffix: int | None = None

    def within(self, size: int) -> tuple[int, int]:
        """Return (start, end) in a file of that size, `end` not included. Raises HttpError 416 for nothing."""
        if self.suffix is not None:
            start, end = max(0, size - self.suffix), size
        else:
            start = self.first or 0
            end = size if self.last is None else min(self.last + 1, size)
        if start >= end:
            raise HttpError(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                f"The file has {size} bytes",
                headers={"content-range": f"bytes */{size}"},
            )
        return start, end


def parse_range(text: str | None) -> ByteRange | None:
    """Read a Range header; several ranges mean the whole file. Raises HttpError 400 when it is malformed."""
    if text is None:
        return None
    match = _SET.match(text.strip()) if len(text) <= _LONGEST else None
    if match is None:
        raise _malformed()
    parsed = [_parse_one(part.strip()) for part in match.group(1).split(",")]
    return parsed[0] if len(parsed) == 1 else None


def _parse_one(part: str) -> ByteRange:
    first, _, last = part.partition("-")
    if not first:
        return ByteRange(None, None, suffix=int(last))
    if last and int(last) < int(first):
        raise _malformed()
    return ByteRange(int(first), int(last) if last else None)


def check_range(request: Request) -> None:
    """Raise HttpError for a malformed Range header, before anything is looked for."""
    parse_range(request.headers.get("range"))


def _malformed() -> HttpError:
    return HttpError(HTTPStatus.BAD_REQUEST, "invalid_range", "Invalid Range header: use bytes=first-last")
