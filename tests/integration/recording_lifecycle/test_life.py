"""A recording's life through the API: started once, watched, stopped, played, deleted; and every way it may end."""

from __future__ import annotations

import asyncio
import signal
import time

import av
import pytest

from support.film import is_like
from support.publisher import COLOURS
from support.recording_server import StartServer, until_found


async def test_from_start_to_deletion(start_server: StartServer) -> None:
    """Start answers once media is being written, or fails with a reason within 20 s. ACTIVE means that the first media
    is on the disk. Participants are told by the media server's own recording flag (LiveKit's `active_recording`)."""
    server = await start_server()
    room = await server.create_room()
    ann = await server.join(room, colour="green")

    answers = await asyncio.gather(*(server.request("POST", "/recordings", {"roomName": room}) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [200, 409], answers  # one-active-recording
    started = next(answer.body for answer in answers if answer.status == 200)
    recording, began_ms = started["id"], started["startedAt"]
    assert started["status"] == "RECORDING"
    assert (server.folder(recording) / f"{started['filename']}.part").stat().st_size > 0  # file-first
    assert abs(time.time() * 1000 - began_ms) < 20_000
    await until_found("participants are told", lambda: ann.room.is_recording)

    shown = await server.recorded(recording, 3)
    assert shown["size"] > 1000
    running = await server.request("DELETE", f"/recordings/{recording}")
    assert (running.status, running.body["code"]) == (409, "recording_running")
    assert (await server.request("GET", f"/recordings/{recording}/stream")).status == 409

    await server.stop_recording(recording)
    stopped_at = time.monotonic()
    assert (await server.request("PUT", f"/recordings/{recording}")).status == 409
    shown = await server.ended(recording, within_s=15)
    print(f"stop → playable: {time.monotonic() - stopped_at:.2f} s")
    film = await server.film(recording)
    assert shown["status"] == "STOPPED"
    assert shown["size"] == film.path.stat().st_size
    assert abs(shown["duration"] - film.duration_s) < 0.05
    assert abs((shown["endedAt"] - began_ms) / 1000 - film.duration_s) < 2
    assert is_like(film.frame_at(2).reshape(-1, 3).mean(0), COLOURS["green"], 60)
    assert film.loudness(440, 1, 2) > 0.02
    await until_found("participants are told", lambda: not ann.room.is_recording)

    assert '"cpu_s_per_recorded_s"' in server.log()
    assert (await server.request("DELETE", f"/recordings/{recording}")).status == 204
    assert (await server.request("GET", f"/recordings/{recording}")).status == 404
    assert not server.folder(recording).exists()


async def test_a_preset_for_one_recording(start_server: StartServer) -> None:
    """Another preset than the settings' may be asked for when a recording is started."""
    server = await start_server()
    room = await server.create_room()
    await server.join(room)
    for wrong in ("4k", None, 720):
        assert (await server.request("POST", "/recordings", {"roomName": room, "preset": wrong})).status == 422
    started = await server.request("POST", "/recordings", {"roomName": room, "preset": "audio"})
    assert started.status == 200, started
    await server.recorded(started.body["id"], 2)
    await server.stop_recording(started.body["id"])
    await server.ended(started.body["id"])
    film = await server.film(started.body["id"])
    with av.open(str(film.path)) as container:
        assert [stream.type for stream in container.streams] == ["audio"]


@pytest.mark.measures_time
async def test_ends_by_itself(start_server: StartServer) -> None:
    """Ends by itself: the meeting empty for 30 s (setting) → COMPLETE; room deleted or expired → COMPLETE at once;
    limit of duration, size or free disk → LIMITED_REACHED."""
    server = await start_server(RECORDING_CAPACITY="4", RECORDING_EMPTY_TIMEOUT_S="1.5", RECORDING_MAX_DURATION_S="6")
    left, deleted, limited = [await server.create_room() for _ in range(3)]
    for room in (left, deleted, limited):
        await server.join(room)
    in_left, in_deleted, in_limited = await asyncio.gather(
        *(server.start_recording(room) for room in (left, deleted, limited))
    )

    await server.participants[0].leave()
    assert (await server.request("DELETE", f"/rooms/{deleted}")).status == 204
    ends = [await server.ended(recording) for recording in (in_left, in_deleted, in_limited)]
    assert [end["status"] for end in ends] == ["STOPPED"] * 3
    log = server.log()
    for recording, state, details in (
        (in_left, "COMPLETE", "The meeting stayed empty"),
        (in_deleted, "COMPLETE", "room deleted"),
        (in_limited, "LIMITED_REACHED", "The longest duration allowed was reached"),
    ):
        ended = next(line for line in log.splitlines() if recording in line and '"recording ended"' in line)
        assert f'"state":"{state}"' in ended, ended
        assert details in ended, ended
    assert 5.5 < ends[2]["duration"] < 9
    for recording in (in_left, in_deleted, in_limited):
        assert (await server.film(recording)).duration_s > 0.4

    again = await server.start_recording(limited)
    await server.stop_recording(again)
    assert (await server.ended(again))["status"] == "STOPPED"


async def test_stopped_while_it_starts(start_server: StartServer) -> None:
    server = await start_server()
    room = await server.create_room()
    await server.join(room)
    starting = asyncio.ensure_future(server.request("POST", "/recordings", {"roomName": room}))
    recordings = server.data_dir / "data" / "recordings"
    folder = await until_found("a recorder's folder", lambda: next(recordings.glob("rec-*/lock"), None))
    recording = folder.parent.name
    await server.stop_recording(recording)
    answer = await starting
    assert (answer.status, answer.body["code"]) == (409, "recording_stopped"), answer
    assert (await server.ended(recording))["status"] == "FAILED"  # the public name of ABORTED
    again = await server.start_recording(room)
    assert again != recording


async def test_refused_when_it_cannot_be_carried(start_server: StartServer) -> None:
    """When this machine can't carry another recording: 503 with `Retry-After`."""
    server = await start_server(RECORDING_CAPACITY="1")
    one, other = await server.create_room(), await server.create_room()
    await server.join(one)
    await server.join(other)
    recording = await server.start_recording(one)
    busy = await server.request("POST", "/recordings", {"roomName": other}, **{"Idempotency-Key": "again"})
    assert (busy.status, busy.body["code"]) == (503, "recorders_busy"), busy
    assert int(busy.headers["retry-after"]) > 0
    assert [each["id"] for each in (await server.request("GET", "/recordings")).body] == [recording]
    await server.stop_recording(recording)
    await server.ended(recording)
    # the same key again: what was taken back was not created
    started = await server.request("POST", "/recordings", {"roomName": other}, **{"Idempotency-Key": "again"})
    assert started.status == 200, started


async def test_refused_when_the_disk_is_nearly_full(start_server: StartServer) -> None:
    server = await start_server(RECORDING_MIN_FREE_BYTES=str(10**18))
    room = await server.create_room()
    await server.join(room)
    answer = await server.request("POST", "/recordings", {"roomName": room})
    assert (answer.status, answer.body["code"]) == (503, "recording_failed"), answer
    assert "disk" in answer.body["message"]
    (shown,) = (await server.request("GET", "/recordings")).body
    assert shown["status"] == "FAILED"
    assert not server.folder(shown["id"]).exists()


async def test_a_server_that_stops_finishes_a_start(start_server: StartServer) -> None:
    """(issue 10) The client gets its answer, not a 500, and the next server goes on with the recording."""
    server = await start_server()
    room = await server.create_room()
    await server.join(room)
    starting = asyncio.ensure_future(server.request("POST", "/recordings", {"roomName": room}))
    recordings = server.data_dir / "data" / "recordings"
    await until_found("a recorder", lambda: list(recordings.glob("*/job.json")))
    assert not starting.done()
    server.product.process.send_signal(signal.SIGTERM)
    response = await starting
    assert (response.status, response.body["status"]) == (200, "RECORDING"), server.log()
    assert await server.product.process.wait() == 0
    await asyncio.gather(server.participants.pop().leave(), server.product.start())
    recording = response.body["id"]
    assert (await server.recording(recording))["status"] == "RECORDING"
    await server.stop_recording(recording)
    assert (await server.ended(recording))["status"] == "STOPPED"
