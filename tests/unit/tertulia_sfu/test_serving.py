"""The uvicorn configuration: no token in a log, and options of the caller win."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from tertulia_sfu.serving import TICK_S, WaitingServer, uvicorn_config


async def app(scope: object, receive: object, send: object) -> None:
    """The ASGI application of a configuration that serves nothing."""


@pytest.mark.parametrize("name", ["uvicorn.error", "uvicorn.access"])
def test_query_strings_are_removed_from_logs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        uvicorn_config(app, log_config=None)
    logger = logging.getLogger(name)
    handler = logging.handlers.BufferingHandler(10)
    monkeypatch.setattr(logger, "handlers", [handler])
    was_at = logger.level
    logger.setLevel(logging.INFO)  # forgets what an earlier test's level has decided
    logger.info('%s - "WebSocket %s" [accepted]', "127.0.0.1:1", "/rtc/v1?access_token=secret&x=1")
    logger.setLevel(was_at)
    assert [record.getMessage() for record in handler.buffer] == ['127.0.0.1:1 - "WebSocket /rtc/v1?…" [accepted]']
    assert len(logger.filters) == 1


def test_options_of_the_caller_win() -> None:
    config = uvicorn_config(app, log_config=None, ws_max_size=10)
    assert config.ws_max_size == 10
    assert config.lifespan == "off"


@pytest.mark.parametrize("is_told_by_thread", [False, True])
async def test_a_server_ends_when_told_and_not_at_its_next_tick(is_told_by_thread: bool) -> None:
    server = TickingServer(uvicorn_config(app, log_config=None, port=0))
    serving = asyncio.ensure_future(server.serve())
    await server.has_ticked.wait()
    told_at = time.monotonic()
    if is_told_by_thread:
        threading.Thread(target=setattr, args=(server, "should_exit", True)).start()
    else:
        server.should_exit = True
    await serving
    assert time.monotonic() - told_at < TICK_S * 0.8


async def test_a_server_that_was_told_to_end_before_it_began_ends() -> None:
    server = TickingServer(uvicorn_config(app, log_config=None, port=0))
    server.should_exit = True
    async with asyncio.timeout(5):
        await server.serve()


class TickingServer(WaitingServer):
    """Says when it has ticked; signals stay the tests'."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_ticked = asyncio.Event()

    async def on_tick(self, counter: int) -> bool:
        """Tick, and say so."""
        try:
            return await super().on_tick(counter)
        finally:
            self.has_ticked.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield
