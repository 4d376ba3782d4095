"""Logs: one JSON object a line, or text on a terminal; never a secret."""

from __future__ import annotations

import json
import os
import pty
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
