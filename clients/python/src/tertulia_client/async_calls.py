"""Sends the calls of the async client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
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


class AsyncCaller:
    """Sends calls over one connection pool, again where that does no harm."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.settings = settings
        self.http = httpx.AsyncClient(transport=transport, **settings.http_options())

    async def call(
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
        return read_result(operation, await self.send(call))

    async def pages(self, operation: Operation[Sequence[T]], *, page_size: int) -> AsyncIterator[T]:
        """Yield the items of a list, page after page."""
        query: Mapping[str, str] | None = page_query(page_size)
        while query is not None:
            response = await self.send(make_call(self.settings, operation, query=query))
            for item in read_result(operation, response):
                yield item
            query = next_page(query, response)

    async def send(self, call: Call, *, stream: bool = False) -> httpx.Response:
        """Return the first answer that is a success."""
        attempts = Attempts(call, self.settings)
        while True:
            try:
                response = await self.http.send(
                    self.http.build_request(call.method, call.url, **call.options()), stream=stream
                )
                if not (stream and response.is_success | response.is_redirect):
                    await response.aread()
            except httpx.TransportError as error:
                wait_s = attempts.failed(error)
            else:
                if stream and response.is_redirect:
                    await response.aclose()
                    call = without_key(call, response.headers["location"])
                    continue
                after_s = attempts.answered(response)
                if after_s is None:
                    return response
                wait_s = after_s
            await asyncio.sleep(wait_s)


class AsyncDownloads:
    """Downloads of recordings."""

    _caller: AsyncCaller

    async def download(self, recording_id: str, file: BinaryIO) -> int:
        """Write a recording's MP4 into a file, and return how many bytes it has.

        A download that breaks off is resumed where it was. Raise ConnectionFailed when that does not help.
        """
        settings, written, etag, breaks = self._caller.settings, 0, None, 0
        while True:
            call = make_call(settings, GET_RECORDING_STREAM, path={"recording_id": recording_id})
            response = await self._caller.send(call.resumed(written, etag), stream=True)
            if written and response.status_code != httpx.codes.PARTIAL_CONTENT:
                file.seek(file.tell() - written)
                written = 0
            etag = response.headers.get("etag")
            try:
                async for part in response.aiter_raw():
                    file.write(part)
                    written += len(part)
            except httpx.TransportError as error:
                breaks += 1
                check_breaks(settings, breaks, error)
            else:
                return written
            finally:
                await response.aclose()
