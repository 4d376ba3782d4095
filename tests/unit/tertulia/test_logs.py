"""Logs: one JSON object a line, or text on a terminal; never a secret."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

import pytest
import structlog

from tertulia.logs import RepeatLimit

SCRIPT: Final = """
import structlog
from tertulia.logs import set_up_logs
set_up_logs("info")
def fails():
    secret = "a-" + "secret"
    raise LookupError("reason")
try:
    fails()
except LookupError:
    structlog.get_logger().exception("failed", size=3)
"""
HOSTILE: Final = """
import structlog
from tertulia.logs import set_up_logs
set_up_logs("info")
for name in ("\\x1b]0;owned\\x07", "\\x9b31m", "\\u202egnp.exe", "a\\r\\nb", "\\u2028", "\\x7f", "\\ud800", "Zoë 😀"):
    structlog.get_logger().info("joined", identity=name, number=2**70 if name == "Zoë 😀" else 0)
"""
NAMES: Final = ["\x1b]0;owned\x07", "\x9b31m", "\u202egnp.exe", "a\r\nb", "\u2028", "\x7f", "\ud800", "Zoë 😀"]


def test_elsewhere_a_line_is_a_json_object():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    logged = json.loads(line)
    assert (logged["event"], logged["level"], logged["size"]) == ("failed", "error", 3)
    assert "LookupError: reason" in logged["exception"]
    assert "a-secret" not in line


def test_on_a_terminal_a_traceback_shows_no_variables():
    """Where rich is installed, structlog would print the values of variables."""
    controller, terminal = pty.openpty()
    done = subprocess.run([sys.executable, "-c", SCRIPT], stderr=terminal, check=True)
    os.close(terminal)
    drawn = os.read(controller, 65_536).decode()
    os.close(controller)
    assert done.returncode == 0
    assert "LookupError: reason" in drawn
    assert "a-secret" not in drawn


# ── lines that repeat ──


class Said:
    """What is said through a limit, and the time, which passes when the test says so."""

    def __init__(self, *, limit: int = 1000) -> None:
        self.now_s, self.lines = 1000.0, list[dict[str, Any]]()
        self.limit = RepeatLimit(limit=limit, clock=lambda: self.now_s)
        structlog.configure(
            processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, self.limit, self],
            cache_logger_on_first_use=False,
        )
        self.log = structlog.get_logger()

    def __call__(self, _logger: object, _name: str, event: Any) -> Any:
        self.lines.append(dict(event))
        raise structlog.DropEvent

    def new(self) -> list[tuple[str, int]]:
        """Return what was said since this was asked last, with its counts."""
        said, self.lines = self.lines, []
        return [(line["event"], line.get("repeated", 0)) for line in said]


@pytest.fixture
def said() -> Iterator[Said]:
    before = structlog.get_config()
    yield Said()
    structlog.configure(**before)


def test_a_line_that_repeats_is_said_once_a_minute(said: Said):
    """(issue 10) With its count."""
    for second in range(150):
        said.now_s = 1000.0 + second
        said.log.warning("cannot", reason="gone")
    assert said.new() == [("cannot", 0), ("cannot", 59), ("cannot", 59)]


def test_the_count_of_a_line_that_ended_comes_with_the_next_line(said: Said):
    for _ in range(10):
        said.log.warning("cannot", reason="gone")
    said.now_s += 61
    with structlog.contextvars.bound_contextvars(request_id="of an innocent"):
        said.log.info("something else")
    assert "request_id" not in said.lines[1]
    assert said.lines[1]["reason"] == "gone"
    assert said.new() == [("cannot", 0), ("cannot", 9), ("something else", 0)]
    said.now_s += 61
    said.log.info("something else")
    assert said.new() == [("something else", 0)], "nothing is left to tell"


def test_the_count_is_told_at_the_end(said: Said):
    said.log.error("a")
    said.log.error("b")
    said.log.error("b")
    said.limit.tell_all()
    assert said.new() == [("a", 0), ("b", 0), ("b", 1)]


def test_which_lines_are_the_same(said: Said):
    for _ in range(2):
        for address in ("192.0.2.1", "192.0.2.2"):
            said.log.warning("cannot", address=address, request_id=object())
        said.log.error("cannot", address="192.0.2.1")
        said.log.info("request", path="/")
    assert said.new() == [("cannot", 0), ("cannot", 0), ("cannot", 0), ("request", 0), ("request", 0)]


def test_each_guess_is_said(said: Said):
    for _ in range(3):
        said.log.warning("request refused", address="192.0.2.1")
    assert said.new() == [("request refused", 0)] * 3


def test_another_defect_is_another_line(said: Said):
    for _ in range(3):
        for broken in (lambda: 1 / 0, lambda: {}["x"]):
            try:
                broken()
            except Exception:
                said.log.exception("failed by a defect")
    assert said.new() == [("failed by a defect", 0)] * 2


def test_memory_is_bounded(said: Said):
    said = Said(limit=50)
    for number in range(5000):
        for _ in range(2):
            said.log.warning("cannot", number=number)
    assert len(said.limit._lines) <= 50
    said.limit.tell_all()
    counts = [count for _, count in said.new()]
    assert (counts.count(0), counts.count(1)) == (5000, 5000)


def test_lines_of_libraries(said: Said):
    logger = logging.getLogger("a library of the tests")
    texts: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            texts.append(record.getMessage())

    handler = Handler()
    handler.addFilter(said.limit.passes_record)
    logger.addHandler(handler)
    for _ in range(5):
        logger.warning("lost %s", "a thing")
    said.now_s += 60
    logger.warning("lost %s", "a thing")
    assert texts == ["lost a thing", "lost a thing (repeated: 4)"]


def test_hostile_names_are_whole_and_cannot_be_obeyed():
    """A name is a value in one line; nothing in it moves a cursor, turns the writing around or ends the line."""
    done = subprocess.run([sys.executable, "-c", HOSTILE], capture_output=True, check=True)
    lines = done.stderr.decode().split("\n")[:-1]
    assert [json.loads(line)["identity"] for line in lines] == NAMES
    assert all(line.isprintable() for line in lines)


def test_hostile_names_cannot_be_obeyed_on_a_terminal():
    controller, terminal = pty.openpty()
    subprocess.run([sys.executable, "-c", HOSTILE], stderr=terminal, check=True)
    os.close(terminal)
    drawn = os.read(controller, 65_536).decode()
    os.close(controller)
    lines = re.sub(r"\x1b\[\d*m", "", drawn).split("\r\n")[:-1]  # structlog's own colours
    assert len(lines) == len(NAMES)
    assert all(line.isprintable() for line in lines)
