"""Logs: to standard error, one JSON object a line when it is not a terminal. Never a secret, never a query string."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import orjson
import structlog

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def _dumps(event: object, **_options: object) -> bytes:
    try:
        line = orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # a text that is not Unicode, or a number beyond 64 bits
        return json.dumps(event, default=str, skipkeys=True).encode()
    return line if line.isascii() and b"\x7f" not in line else _escaped(line.decode()).encode()


def _escaped(text: str) -> str:
    """Escape what a terminal or viewer would obey instead of show: control and bidi characters in what users sent."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def _escape_texts(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _escaped(value)
    return event


def set_up_logs(level: str) -> None:
    """Set up how this process logs; what libraries log by `logging` looks the same."""
    human = sys.stderr.isatty()
    common: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = (
        [
            _escape_texts,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),  # rich's shows variables
        ]
        if human
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_dumps)]
    )
    structlog.configure(
        processors=[*common, *last],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr)
        if human
        else structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last[:-1], _text(last[-1])],
        )
    )
    logging.basicConfig(level=max(_LEVELS[level], logging.WARNING), handlers=[handler], force=True)


def _text(renderer: structlog.typing.Processor) -> structlog.typing.Processor:
    def render(logger: object, name: str, event: MutableMapping[str, Any]) -> str:
        rendered = renderer(logger, name, event)
        return rendered.decode() if isinstance(rendered, bytes) else str(rendered)

    return render
