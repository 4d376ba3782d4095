"""``python -m tertulia_recorder <folder>``: record; ``--recover <folder>``: finish what a killed recorder left."""

import argparse
import logging
import os
import re
import sys
from pathlib import Path

from tertulia_recorder.confinement import confine
from tertulia_recorder.folder import FolderBusyError, RecordingFolder
from tertulia_recorder.job import TOKEN_VARIABLE, EndReason

_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_EXIT_NOT_RECORDED, _EXIT_USAGE, _EXIT_BUSY = 1, 2, 3


def main() -> int:
    """Run one recording to its end; returns the exit code, 0 when there is a finished file or nothing to finish."""
    parser = argparse.ArgumentParser(prog="python -m tertulia_recorder", description="Record one meeting.")
    parser.add_argument("folder", type=Path, help="the recording's folder, with job.json in it")
    parser.add_argument("--recover", action="store_true", help="finish what a killed recorder left in the folder")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_hide_tokens)
    logging.getLogger("libav").setLevel(logging.ERROR)
    confine()
    try:
        if options.recover:
            from tertulia_recorder.repair.recovery import recover  # noqa: PLC0415 - it loads FFmpeg

            print(recover(options.folder).to_json())  # noqa: T201 - the output of this command
            return 0
        return _record(options.folder)
    except FolderBusyError as error:
        print(error, file=sys.stderr)  # noqa: T201 - for the caller of the command
        return _EXIT_BUSY
    except (OSError, ValueError) as error:
        print(f"cannot use {options.folder}: {error}", file=sys.stderr)  # noqa: T201 - as above
        return _EXIT_USAGE


def _hide_tokens(entry: logging.LogRecord) -> bool:
    # Whatever a library logs of a connection: more users read the log than may record.
    entry.msg, entry.args = _TOKEN.sub("…", entry.getMessage()), ()
    return True


def _record(path: Path) -> int:
    # Loaded here, since `--recover` does without. What is loaded before the meeting is joined delays the recording:
    # so neither uvloop, structlog nor aiohttp (0.4 s), and the event loop only signals anyway.
    import asyncio  # noqa: PLC0415

    from tertulia_recorder.recorder import Recorder  # noqa: PLC0415

    token = os.environ.pop(TOKEN_VARIABLE, "")
    if not token:
        raise ValueError(f"{TOKEN_VARIABLE} must hold the media server's access token")
    folder = RecordingFolder.open(path)

    async def record() -> int:
        state = await Recorder(folder, token).run()
        return _EXIT_NOT_RECORDED if state.reason is EndReason.START_FAILED else 0

    code = asyncio.run(record())
    folder.close()
    return code


if __name__ == "__main__":
    sys.exit(main())
