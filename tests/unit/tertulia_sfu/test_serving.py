"""The uvicorn configuration: no token in a log, and options of the caller win."""

from __future__ import annotations

import logging
import logging.handlers

import pytest

from tertulia_sfu.serving import uvicorn_config


async def app(scope: object, receive: object, send: object) -> None:
    """The ASGI application of a configuration that serves nothing."""


@pytest.mark.parametrize("name", ["uvicorn.error", "uvicorn.access"])
def test_query_strings_are_removed_from_logs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        uvicorn_config(app, log_config=None)  # type: ignore[arg-type]
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
    config = uvicorn_config(app, log_config=None, ws_max_size=10)  # type: ignore[arg-type]
    assert config.ws_max_size == 10
    assert config.lifespan == "off"
