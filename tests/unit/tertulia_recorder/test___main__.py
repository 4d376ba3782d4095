"""The command, as a worker calls it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tertulia_recorder.folder import RecordingFolder
from tertulia_recorder.ids import RecordingId, RoomName
from tertulia_recorder.job import JOB_FILE, TOKEN_VARIABLE, EndReason, RecorderJob

JOB = RecorderJob(
    recording_id=RecordingId("r"),
    room_name=RoomName("room"),
    media_url="ws://127.0.0.1:1",
    file_name="a.mp4",
    start_timeout_s=0.1,
)
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ2aWRlbyI6e319.signature"


def command(*arguments: str | Path, token: str = TOKEN) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | ({TOKEN_VARIABLE: token} if token else {})
    line = [sys.executable, "-m", "tertulia_recorder", *map(str, arguments)]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / JOB_FILE).write_text(JOB.to_json())
    return tmp_path


def test_without_a_token_it_says_which_variable_is_missing(folder: Path):
    done = command(folder, token="")
    assert done.returncode == 2
    assert TOKEN_VARIABLE in done.stderr


def test_a_folder_without_a_job_is_a_usage_error(tmp_path: Path):
    done = command(tmp_path)
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr


def test_a_folder_that_is_in_use_is_busy(folder: Path):
    owned = RecordingFolder.open(folder)
    assert command("--recover", folder).returncode == 3
    owned.close()


def test_a_recovered_state_is_printed_as_json(folder: Path):
    done = command("--recover", folder)
    assert done.returncode == 0
    assert json.loads(done.stdout)["reason"] == EndReason.CRASHED


def test_a_meeting_that_is_not_there_is_an_exit_code_and_no_token_in_the_log(folder: Path):
    done = command(folder)
    assert done.returncode == 1
    assert "cannot join" in done.stderr
    assert TOKEN not in done.stderr


def test_no_library_logs_a_token(folder: Path):
    """The filter is on the handlers, so it holds for whatever is logged by whom."""
    code = f"""
import logging, sys, tertulia_recorder.__main__ as main
sys.argv = ["x", "--recover", {str(folder)!r}]
main.main()
logging.getLogger("a library").warning("GET /rtc?access_token=%s", {TOKEN!r})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "GET /rtc?access_token=…" in done.stderr
    assert TOKEN not in done.stderr
