import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia_recorder.folder import RecordingFolder
from tertulia_recorder.ids import RecordingId, RoomName
from tertulia_recorder.job import JOB_FILE, STOP_FILE, EndReason, RecorderJob, RecorderPhase
from tertulia_recorder.recorder import Recorder

JOB = RecorderJob(
    recording_id=RecordingId("r"),
    room_name=RoomName("room"),
    media_url="ws://127.0.0.1:1",
    file_name="a.mp4",
    start_timeout_s=0.1,
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RecordingFolder]:
    """A folder; the signal handlers that a recorder replaces are restored."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    (tmp_path / JOB_FILE).write_text(JOB.to_json())
    opened = RecordingFolder.open(tmp_path)
    yield opened
    opened.close()
    for number, handler in handlers.items():
        signal.signal(number, handler)


async def test_a_meeting_that_cannot_be_joined_ends_with_its_reason(folder: RecordingFolder):
    state = await Recorder(folder, "token").run()
    assert (state.phase, state.reason) == (RecorderPhase.DONE, EndReason.START_FAILED)
    assert "could not be joined" in state.details[0]
    assert state == folder.read_state()
    assert not folder.part.exists()


@pytest.mark.parametrize("how", ["signal", "file"])
async def test_a_stop_while_joining_leaves_no_file(folder: RecordingFolder, how: str):
    recorder = Recorder(folder, "token")
    if how == "file":
        (folder.path / STOP_FILE).touch()
    else:
        recorder.end(EndReason.STOPPED)
    state = await recorder.run()
    assert state.reason is EndReason.STOPPED
    assert state.file_name is None
