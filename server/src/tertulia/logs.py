"""Logs: to standard error, one JSON object a line when it is not a terminal. Never a secret, never a query string."""

from __future__ import annotations

import atexit
import contextvars
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Hashable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_LIMITED_LEVELS: Final = frozenset({"warning", "error", "critical"})
_REPEATED: Final = "repeated"
_DIFFERENT_EACH_TIME: Final = frozenset({"timestamp", "level", "request_id", "exc_info"})
_ALWAYS_SAID: Final = frozenset({"request refused"})
"""Guesses: each is said, with the id that the client was told; programs count them and block its address."""
_LONGEST_PART: Final = 500


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
    repeats = RepeatLimit()
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
        processors=[*common, repeats, *last],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr)
        if human
        else structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(repeats.passes_record)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last[:-1], _text(last[-1])],
        )
    )
    logging.basicConfig(level=max(_LEVELS[level], logging.WARNING), handlers=[handler], force=True)
    atexit.register(repeats.tell_all)


def _text(renderer: structlog.typing.Processor) -> structlog.typing.Processor:
    def render(logger: object, name: str, event: MutableMapping[str, Any]) -> str:
        rendered = renderer(logger, name, event)
        return rendered.decode() if isinstance(rendered, bytes) else str(rendered)

    return render


@dataclass(slots=True)
class _Line:
    """A line that was said at `said_at_s`, and how often it came since."""

    level: str
    fields: Mapping[str, Any]
    said_at_s: float
    repeated: int = 0


class RepeatLimit:
    """A processor that says a warning or an error that repeats once in `every_s`, with how often it came meanwhile.

    Lines are the same when all their fields are, except a request's id. The count of a line that does not come any more
    is told with whatever is logged next, or at the end. `limit`: the number of different lines that are remembered.
    """

    def __init__(
        self, *, every_s: float = 60.0, limit: int = 1000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._every_s = every_s
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: dict[Hashable, _Line] = {}  # ordered by `said_at_s`

    def __call__(self, _logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Let a line pass, with its count. Raises DropEvent."""
        if _REPEATED in event or event.get("event") in _ALWAYS_SAID:
            return event
        level = event.get("level", "")
        repeated = self._admit(level, event, _place(event.get("exc_info")))
        if repeated is None:
            raise structlog.DropEvent
        if repeated:
            event[_REPEATED] = repeated
        return event

    def passes_record(self, record: logging.LogRecord) -> bool:
        """Do the same as a filter of `logging`."""
        event = {"event": record.getMessage(), "logger": record.name}
        repeated = self._admit(record.levelname.lower(), event, _place(record.exc_info))
        if repeated:
            record.msg, record.args = f"{event['event']} ({_REPEATED}: {repeated})", ()
        return repeated is not None

    def tell_all(self) -> None:
        """Tell all counts."""
        with self._lock:
            told = list(self._lines.values())
            self._lines.clear()
        self._tell(told)

    def _admit(self, level: str, event: Mapping[str, Any], place: Hashable) -> int | None:
        """Return how often a line came since it was said last; None when that was just now."""
        key, fields, now_s = None, {}, self._clock()
        if level in _LIMITED_LEVELS:
            fields = {name: value for name, value in event.items() if name not in _DIFFERENT_EACH_TIME}
            parts = tuple((name, str(value)[:_LONGEST_PART]) for name, value in fields.items())
            key = (level, parts, place)
        with self._lock:
            told = self._take_overdue(now_s, except_for=key)
            repeated = 0 if key is None else self._count(key, _Line(level, fields, now_s))
        self._tell(told)
        return repeated

    def _count(self, key: Hashable, line: _Line) -> int | None:
        known = self._lines.get(key)
        if known is not None and line.said_at_s - known.said_at_s < self._every_s:
            known.repeated += 1
            return None
        self._lines.pop(key, None)
        self._lines[key] = line
        return 0 if known is None else known.repeated

    def _take_overdue(self, now_s: float, *, except_for: Hashable) -> list[_Line]:
        """Forget lines that were said long ago, or too many; return those that came again since."""
        told = []
        while self._lines:
            key, line = next(iter(self._lines.items()))
            is_over = now_s - line.said_at_s >= self._every_s
            if key == except_for or not (is_over or len(self._lines) >= self._limit):
                break
            del self._lines[key]
            if line.repeated:
                told.append(line)
                if is_over:
                    self._lines[key] = _Line(line.level, line.fields, now_s)
        return told

    def _tell(self, lines: list[_Line]) -> None:
        for line in lines:
            if line.repeated:
                log = getattr(structlog.get_logger(), line.level)
                # without the variables of the task that happens to log now
                contextvars.Context().run(log, **line.fields, **{_REPEATED: line.repeated})


def _place(exc_info: Any) -> Hashable:  # noqa: ANN401 - whatever `logging` and structlog allow
    """Return what tells one defect from another: the type of the exception, and where it was raised."""
    if isinstance(exc_info, BaseException):
        kind, traceback = type(exc_info), exc_info.__traceback__
    elif exc_info:
        kind, _, traceback = exc_info if isinstance(exc_info, tuple) else sys.exc_info()
    else:
        return None
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return kind, traceback and (traceback.tb_frame.f_code, traceback.tb_lineno)
