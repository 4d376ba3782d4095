"""Logs: one JSON object a line, or text on a terminal; never a secret."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from typing import Final

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
