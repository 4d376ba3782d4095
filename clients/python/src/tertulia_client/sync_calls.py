"""Sends the calls of the sync client."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, TypeVar

import httpx

from tertulia_client.core import (
    Attempts,
    Call,
    Operation,
    Settings,
    check_breaks,
    make_call,
    next_page,
    page_query,
    read_result,
    without_key,
)
from tertulia_client.operations import GET_RECORDING_STREAM

T = TypeVar("T")


class SyncCaller:
    """Sends calls over one connection pool, again where that does no harm."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        self.settings = settings
        self.http = httpx.Client(transport=transport, **settings.http_options())

    def call(
        self,
        operation: Operation[T],
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> T:
        """Send a call and read its result."""
        call = make_call(self.settings, operation, path=path, query=query, body=body, key=key)
        return read_result(operation, self.send(call))

    def pages(self, operation: Operation[Sequence[T]], *, page_size: int) -> Iterator[T]:
        """Yield the items of a list, page after page."""
        query: Mapping[str, str] | None = page_query(page_size)
        while query is not None:
            response = self.send(make_call(self.settings, operation, query=query))
            yield from read_result(operation, response)
            query = next_page(query, response)

    def send(self, call: Call, *, stream: bool = False) -> httpx.Response:
        """Return the first answer that is a success."""
        attempts = Attempts(call, self.settings)
        while True:
            try:
                response = self.http.send(
                    self.http.build_request(call.method, call.url, **call.options()), stream=stream
                )
                if not (stream and response.is_success | response.is_redirect):
                    response.read()
            except httpx.TransportError as error:
                wait_s = attempts.failed(error)
            else:
                if stream and response.is_redirect:
                    response.close()
                    call = without_key(call, response.headers["location"])
                    continue
                after_s = attempts.answered(response)
                if after_s is None:
                    return response
                wait_s = after_s
            time.sleep(wait_s)


class SyncDownloads:
    """Downloads of recordings."""

    _caller: SyncCaller

    def download(self, recording_id: str, file: BinaryIO) -> int:
        """Write a recording's MP4 into a file, and return how many bytes it has.

        A download that breaks off is resumed where it was. Raise ConnectionFailed when that does not help.
        """
        settings, written, etag, breaks = self._caller.settings, 0, None, 0
        while True:
            call = make_call(settings, GET_RECORDING_STREAM, path={"recording_id": recording_id})
            response = self._caller.send(call.resumed(written, etag), stream=True)
            if written and response.status_code != httpx.codes.PARTIAL_CONTENT:
                file.seek(file.tell() - written)
                written = 0
            etag = response.headers.get("etag")
            try:
                for part in response.iter_raw():
                    file.write(part)
                    written += len(part)
            except httpx.TransportError as error:
                breaks += 1
                check_breaks(settings, breaks, error)
            else:
                return written
            finally:
                response.close()
