"""(issue 9) The command for its users: help, wrong usage, completion, tables and JSON, progress."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from support.command import run_command
from support.rest import COMMAND, RestServer
from tertulia.settings import Settings


@pytest.mark.parametrize(
    "command", ["serve", "media", "recorder", "recordings", "keys", "admin", "db", "doctor", "settings"]
)
def test_help(tmp_path: Path, command):
    """`tertulia --help` explains each with an example."""
    assert f"\n  tertulia {command} " in run_command(tmp_path, "--help").stdout.replace("doctor\n", "doctor \n")
    done = run_command(tmp_path, command, "--help")
    assert done.returncode == 0
    assert "\nExample" in done.stdout
    assert f"tertulia {command}" in done.stdout.partition("\nExample")[2]


def test_alone_it_shows_help(tmp_path: Path):
    """(issue 9) `tertulia` alone shows help, under headings by task; so does a group of commands."""
    done = run_command(tmp_path)
    assert done.returncode == 2
    assert done.stderr == run_command(tmp_path, "--help").stdout
    assert [line for line in done.stderr.splitlines() if re.fullmatch(r"[A-Z][a-z ]+:", line)] == [
        "Run:", "Operate:", "Manage access:", "Set up the shell:", "Options:", "Examples:"
    ]  # fmt: skip
    assert "rotate" in run_command(tmp_path, "keys").stderr
    assert re.fullmatch(r"tertulia \d+\.\d+\.\d+\n", run_command(tmp_path, "--version").stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "--prot", "1"], "tertulia serve: No such option '--prot'"), (["bogus"], "tertulia: No such command"),
        (["serve", "more"], "tertulia serve: Got unexpected extra argument"), (["serve", "--port"], "requires an arg"),
        (["recordings", "show"], "tertulia recordings show: Missing argument 'ID'"),
        (["completion", "tcsh"], "'tcsh' is not one of"), (["media"], "tertulia media: no API key"),
        (["media", "--port", "70000"], "--port"), (["recordings", "show", "unknown"], "does not exist"),
        (["recorder"], "TERTULIA_MEDIA_URL"), (["serve", "--data-dir", "/proc/none"], "TERTULIA_DATA_DIR"),
    ],
)  # fmt: skip
def test_wrong_usage(tmp_path: Path, arguments, said):
    """(issue 9) Wrong usage is one clear line, and no traceback."""
    done = run_command(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (1 if "unknown" in arguments else 2, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert said in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(tmp_path: Path, shell):
    """(issue 9) Shell completion."""
    done = run_command(tmp_path, "completion", shell)
    assert done.returncode == 0
    assert f"_TERTULIA_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("tertulia rec", ["recorder", "recordings"]), ("tertulia recordings ", ["list", "show", "repair", "adopt"]),
        ("tertulia serve --participant-auth ", ["none", "moderators_only", "all_users"]),
        ("tertulia serve --media-a", ["--media-api-key", "--media-api-secret", "--media-addresses"]),
        ("tertulia media --de", ["--dev"]),
    ],
)  # fmt: skip
def test_completion_in_bash(tmp_path: Path, typed, offered):
    """The script, in a real shell: what is offered for what was typed."""
    script = run_command(tmp_path, "completion", "bash").stdout.replace("tertulia;", f"{COMMAND};")
    words = typed.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    asked = f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _tertulia_completion {COMMAND}"
    printed = 'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", f"{script}\n{asked}\n{printed}"], capture_output=True, text=True, check=False)
    assert done.stdout.split() == offered, done.stderr


def test_json(tmp_path: Path):
    """(issue 9) `--json` for everything that lists."""
    given = {"TERTULIA_HOST": "127.0.0.2", "TERTULIA_SECRET_KEY": "very-hidden-0123456789"}
    done = run_command(tmp_path, "settings", "--json", "--port", "7", **given)
    listed = {each["name"]: each for each in json.loads(done.stdout)}
    assert len(listed) == len(Settings.model_fields)
    assert (listed["TERTULIA_HOST"]["value"], listed["TERTULIA_HOST"]["source"]) == ("127.0.0.2", "environment")
    assert (listed["TERTULIA_PORT"]["value"], listed["TERTULIA_PORT"]["source"]) == ("7", "option")
    assert listed["TERTULIA_RECORDING_PRESET"]["source"] == "default"
    assert "very-hidden" not in done.stdout
    assert json.loads(run_command(tmp_path, "recordings", "list", "--json").stdout) == []
    assert json.loads(run_command(tmp_path, "recordings", "repair", "--json").stdout) == []
    done = run_command(tmp_path, "doctor", "--json", "--port", "0", "--media-udp-port", "0", "--media-tcp-port", "0")
    assert {"check": "database", "ok": True, "detail": "opens, and is up to date"} in json.loads(done.stdout)


def test_recordings_as_json(tmp_path: Path):
    """(issue 9) What `tertulia recordings` shows, for programs."""
    assert run_command(tmp_path, "db", "migrate").returncode == 0
    added = RestServer(tmp_path).add_recording("room-1")
    (listed,) = json.loads(run_command(tmp_path, "recordings", "list", "--json").stdout)
    assert (listed["id"], listed["room"], listed["state"]) == (added.id, "room-1", "COMPLETE")
    shown = run_command(tmp_path, "recordings", "show", added.id, "--json")
    assert json.loads(shown.stdout) == listed | {"recorder": None}
    assert (shown.returncode, shown.stderr) == (0, "")


def test_progress_only_on_a_terminal(tmp_path: Path):
    """(issue 9) Progress bars on long work, plain lines where there is no terminal."""
    arguments = ["doctor", "--port", "0", "--media-udp-port", "0", "--media-tcp-port", "0"]
    piped = run_command(tmp_path, *arguments, FORCE_COLOR="1")
    assert (piped.returncode, piped.stderr) == (0, "")
    assert "\x1b" not in piped.stdout
    controller, terminal = pty.openpty()
    with subprocess.Popen([COMMAND, *arguments], cwd=tmp_path, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        with os.fdopen(controller, "rb", buffering=0) as screen:
            drawn = b"".join(iter(lambda: read_terminal(screen), b""))
    assert process.returncode == 0
    assert b"7/7" in drawn
    assert b"\x1b[32mok" in drawn


def read_terminal(screen: io.RawIOBase) -> bytes:
    try:
        return screen.read(4096) or b""
    except OSError:  # Linux says so when the last process has closed it
        return b""


def test_settings_before_the_verb(tmp_path: Path):
    """Options may stand before and after the verb of a group; the one after it wins."""
    assert run_command(tmp_path, "db", "--data-dir", "one", "migrate").returncode == 0
    assert (tmp_path / "one/tertulia.db").is_file()
    assert run_command(tmp_path, "db", "--data-dir", "one", "migrate", "--data-dir", "two").returncode == 0
    assert (tmp_path / "two/tertulia.db").is_file()
