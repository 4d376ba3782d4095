"""`python -m support.recording_at_address ADDRESS`: a meeting is recorded whose media has this address alone."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from support.media_server_process import MediaServerProcess
from support.publisher import COLOURS, Look, Publisher, in_meeting
from support.recorder_process import RecorderProcess
from tertulia_recorder.drawing.layout import Rect
from tertulia_recorder.ids import RecordingId, RoomName
from tertulia_recorder.job import RecorderJob

WHOLE = Rect(0, 0, 1280, 720)


async def main(address: str, folder: Path) -> None:
    server = MediaServerProcess("tertulia", address=address, log=folder / "server.log")
    await server.start()
    job = RecorderJob(
        recording_id=RecordingId("r"),
        room_name=RoomName("room"),
        media_url=server.url,
        file_name="meeting.mp4",
        min_free_bytes=1_000_000,
        start_timeout_s=60.0,
    )
    try:
        async with in_meeting(Publisher(server, "room", "ann", look=Look(COLOURS["red"])), microphone=False):
            recorder = await RecorderProcess.start(folder / "recording", job, server.recorder_token("room"))
            await recorder.until_visible(WHOLE, COLOURS["red"])
            await recorder.stop()
    finally:
        await server.kill()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(main(sys.argv[1], Path(scratch)))
