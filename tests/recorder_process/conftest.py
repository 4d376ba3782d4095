"""A media server for all tests of this folder, and recorders that end with the test that started them."""

import contextlib
import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from support.media_server_process import MediaServerProcess
from support.media_servers import find_livekit_server
from support.recorder_process import RecorderProcess
from tertulia_recorder.ids import RecordingId, RoomName
from tertulia_recorder.job import RecorderJob

StartRecorder = Callable[..., Awaitable[RecorderProcess]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that depend on the media server run with both, where both are installed; the others with ours."""
    kinds = ["tertulia"]
    if find_livekit_server() and metafunc.definition.get_closest_marker("both_media_servers"):
        kinds.append("livekit")
    for name in {"shared_server", "own_server"} & set(metafunc.fixturenames):
        metafunc.parametrize(name, kinds, indirect=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_media_servers: depends on the media server: runs with livekit-server too")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MediaServerProcess]:
    server = MediaServerProcess(request.param, log=tmp_path_factory.mktemp("media") / "log")
    await server.start()
    yield server
    await server.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def own_server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MediaServerProcess]:
    """A media server that the test may kill."""
    server = MediaServerProcess(request.param, log=tmp_path / "media.log")
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
def room() -> str:
    return f"room-{uuid.uuid4().hex[:12]}"


@pytest_asyncio.fixture(loop_scope="session")
async def record(tmp_path: Path) -> AsyncIterator[StartRecorder]:
    """Start a recorder: ``await record(server, room, max_duration_s=3)``."""
    running: list[RecorderProcess] = []
    numbers = itertools.count()

    async def start(
        server: MediaServerProcess,
        room: str,
        *,
        token: str | None = None,
        process: dict[str, object] | None = None,
        **job: object,
    ) -> RecorderProcess:
        number = next(numbers)
        values = {"recording_id": RecordingId("r"), "room_name": RoomName(room), "media_url": server.url}
        values |= {"file_name": "meeting.mp4", "min_free_bytes": 1_000_000, "start_timeout_s": 60.0}
        recorder_job = RecorderJob(**{**values, **job})  # type: ignore[arg-type]
        token = server.recorder_token(room, f"recorder-{number}") if token is None else token
        recorder = await RecorderProcess.start(tmp_path / f"recording-{number}", recorder_job, token, **(process or {}))
        running.append(recorder)
        return recorder

    yield start
    for recorder in running:
        if recorder.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                recorder.process.kill()
            await recorder.process.wait()


@pytest.fixture
def artefacts(request: pytest.FixtureRequest) -> Path:
    """The folder for pictures that a developer may want to see."""
    folder = request.config.rootpath / "test-artefacts" / "recording"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
