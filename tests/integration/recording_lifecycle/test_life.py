"""A recording's life through the API: started once, watched, stopped, played, deleted; and every way it may end."""

from __future__ import annotations

import asyncio
import time

import av

from integration.recording_lifecycle.conftest import MakePlace, until
from support.film import is_like
from support.publisher import COLOURS


async def test_from_start_to_deletion(place: MakePlace) -> None:
    """Start answers once media is being written, or fails with a reason within 20 s. ACTIVE means that the first media
    is on the disk. Participants are told by the media server's own recording flag (LiveKit's `active_recording`)."""
    here = await place()
    room = await here.room()
    ann = await here.join(room, colour="green")

    answers = await asyncio.gather(*(here.ask("POST", "/recordings", {"roomName": room}) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [200, 409], answers  # one-active-recording
    started = next(answer.body for answer in answers if answer.status == 200)
    recording, began_ms = started["id"], started["startedAt"]
    assert started["status"] == "RECORDING"
    assert (here.folder(recording) / f"{started['filename']}.part").stat().st_size > 0  # file-first
    assert abs(time.time() * 1000 - began_ms) < 20_000
    await until(lambda: ann.room.is_recording, "everybody is told")

    shown = await here.recorded(recording, 3)
    assert shown["size"] > 1000
    running = await here.ask("DELETE", f"/recordings/{recording}")
    assert (running.status, running.body["code"]) == (409, "recording_running")
    assert (await here.ask("GET", f"/recordings/{recording}/stream")).status == 409

    await here.stop(recording)
    stopped_at = time.monotonic()
    assert (await here.ask("PUT", f"/recordings/{recording}")).status == 409
    shown = await here.ended(recording, within_s=15)
    print(f"stop → playable: {time.monotonic() - stopped_at:.2f} s")
    film = await here.film(recording)
    assert shown["status"] == "STOPPED"
    assert shown["size"] == film.path.stat().st_size
    assert abs(shown["duration"] - film.duration_s) < 0.05
    assert abs((shown["endedAt"] - began_ms) / 1000 - film.duration_s) < 2
    assert is_like(film.frame_at(2).reshape(-1, 3).mean(0), COLOURS["green"], 60)
    assert film.loudness(440, 1, 2) > 0.02
    await until(lambda: not ann.room.is_recording, "everybody is told")

    assert '"cpu_s_per_recorded_s"' in here.log()
    assert (await here.ask("DELETE", f"/recordings/{recording}")).status == 204
    assert (await here.ask("GET", f"/recordings/{recording}")).status == 404
    assert not here.folder(recording).exists()


async def test_a_preset_for_one_recording(place: MakePlace) -> None:
    """Another preset than the settings' may be asked for when a recording is started."""
    here = await place()
    room = await here.room()
    await here.join(room)
    for wrong in ("4k", None, 720):
        assert (await here.ask("POST", "/recordings", {"roomName": room, "preset": wrong})).status == 422
    started = await here.ask("POST", "/recordings", {"roomName": room, "preset": "audio"})
    assert started.status == 200, started
    await here.recorded(started.body["id"], 2)
    await here.stop(started.body["id"])
    await here.ended(started.body["id"])
    film = await here.film(started.body["id"])
    with av.open(str(film.path)) as container:
        assert [stream.type for stream in container.streams] == ["audio"]


async def test_ends_by_itself(place: MakePlace) -> None:
    """Ends by itself: the meeting empty for 30 s (setting) → COMPLETE; room deleted or expired → COMPLETE at once;
    limit of duration, size or free disk → LIMITED_REACHED."""
    here = await place(RECORDING_CAPACITY="4", RECORDING_EMPTY_TIMEOUT_S="1.5", RECORDING_MAX_DURATION_S="6")
    left, deleted, limited = [await here.room() for _ in range(3)]
    for room in (left, deleted, limited):
        await here.join(room)
    in_left, in_deleted, in_limited = await asyncio.gather(*(here.start(room) for room in (left, deleted, limited)))

    await here.people[0].leave()
    assert (await here.ask("DELETE", f"/rooms/{deleted}")).status == 204
    ends = [await here.ended(recording) for recording in (in_left, in_deleted, in_limited)]
    assert [end["status"] for end in ends] == ["STOPPED"] * 3
    log = here.log()
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
        assert (await here.film(recording)).duration_s > 0.4

    again = await here.start(limited)
    await here.stop(again)
    assert (await here.ended(again))["status"] == "STOPPED"


async def test_stopped_while_it_starts(place: MakePlace) -> None:
    here = await place()
    room = await here.room()
    await here.join(room)
    starting = asyncio.ensure_future(here.ask("POST", "/recordings", {"roomName": room}))
    recordings = here.data_dir / "data" / "recordings"
    folder = await until(lambda: next(recordings.glob("rec-*/lock"), None), "a recorder's folder")
    recording = folder.parent.name
    await here.stop(recording)
    answer = await starting
    assert (answer.status, answer.body["code"]) == (409, "recording_stopped"), answer
    assert (await here.ended(recording))["status"] == "FAILED"  # the public name of ABORTED
    again = await here.start(room)
    assert again != recording


async def test_refused_when_it_cannot_be_carried(place: MakePlace) -> None:
    """When this machine can't carry another recording: 503 with `Retry-After`."""
    here = await place(RECORDING_CAPACITY="1")
    one, other = await here.room(), await here.room()
    await here.join(one)
    await here.join(other)
    recording = await here.start(one)
    busy = await here.ask("POST", "/recordings", {"roomName": other}, **{"Idempotency-Key": "again"})
    assert (busy.status, busy.body["code"]) == (503, "recorders_busy"), busy
    assert int(busy.headers["retry-after"]) > 0
    assert [each["id"] for each in (await here.ask("GET", "/recordings")).body] == [recording]
    await here.stop(recording)
    await here.ended(recording)
    # the same key again: what was taken back was not created
    started = await here.ask("POST", "/recordings", {"roomName": other}, **{"Idempotency-Key": "again"})
    assert started.status == 200, started


async def test_refused_when_the_disk_is_nearly_full(place: MakePlace) -> None:
    here = await place(RECORDING_MIN_FREE_BYTES=str(10**18))
    room = await here.room()
    await here.join(room)
    answer = await here.ask("POST", "/recordings", {"roomName": room})
    assert (answer.status, answer.body["code"]) == (503, "recording_failed"), answer
    assert "disk" in answer.body["message"]
    (shown,) = (await here.ask("GET", "/recordings")).body
    assert shown["status"] == "FAILED"
    assert not here.folder(shown["id"]).exists()
