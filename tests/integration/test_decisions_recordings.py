"""decisions.md, "Recordings": states, permissions, errors and streaming, on real rows and files."""

from __future__ import annotations

import asyncio
import copy
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
import requests

from support.livekit_clients import joined
from support.rest import API_KEY, PUBLIC, RestServer, TestRoom, now_ms
from tertulia.domain.ids import Millis, RoomName
from tertulia.domain.recordings.recording import OCCUPYING, RUNNING, RecordingState, recording_names

MEDIA = bytes(range(256)) * 40  # 10,240 bytes


@pytest.fixture
def recording(server: RestServer, room: TestRoom):
    return server.add_recording(room.name, media=MEDIA)


@pytest.mark.parametrize(
    ("state", "public"),
    [
        ("STARTING", "STARTING"), ("ACTIVE", "RECORDING"), ("ENDING", "STOPPING"), ("COMPLETE", "STOPPED"),
        ("LIMITED_REACHED", "STOPPED"), ("FAILED", "FAILED"), ("ABORTED", "FAILED"),
    ],
)  # fmt: skip
def test_states(server: RestServer, room: TestRoom, state, public):
    """Canonical states: STARTING → ACTIVE → ENDING → COMPLETE, or FAILED, ABORTED (nothing was recorded),
    LIMITED_REACHED. The internal representation shows them as they are. The public one (`OpenViduMeetRecording`) maps.
    One domain model stands behind both; two thin representations stand in front of it."""
    made = server.add_recording(room.name, state=RecordingState(state))
    shown = server.ask("GET", f"/recordings/{made.id}").json()
    assert (shown["status"], shown["id"], shown["roomName"], shown["outputMode"]) == (
        public,
        made.id,
        room.name,
        "COMPOSED",
    )
    bearer = server.token(room, "Mona")
    inside = server.internal("GET", f"/recordings/{made.id}", bearer=bearer).json()
    assert (inside["status"], inside["recordingId"], inside["roomId"]) == (state, made.id, room.name)


def test_answers(server: RestServer, room: TestRoom, recording):
    """Start date = first frame written, end date = the stop, duration = the file's, size = the file's. `outputMode` is
    `COMPOSED`."""
    shown = server.ask("GET", f"/recordings/{recording.id}").json()
    assert shown == {
        "id": recording.id, "roomName": room.name, "outputMode": "COMPOSED", "status": "STOPPED",
        "filename": recording.filename, "startedAt": recording.started_at_ms, "endedAt": recording.ended_at_ms,
        "duration": 5.0, "size": len(MEDIA),
    }  # fmt: skip
    admin = server.log_in()["accessToken"]
    assert server.internal("GET", f"/recordings/{recording.id}", bearer=admin).json() == {
        "recordingId": recording.id, "roomId": room.name, "status": "COMPLETE", "filename": recording.filename,
        "startDate": recording.started_at_ms, "endDate": recording.ended_at_ms, "duration": 5.0, "size": len(MEDIA),
    }  # fmt: skip
    assert server.ask("GET", f"/recordings/{recording.id}?fields=id").json() == {"id": recording.id}
    assert server.ask("GET", "/recordings/unknown").status_code == 404


def test_names(room: TestRoom):
    """Ids: `<roomName>--EG_<random>--<random>`, opaque (never parsed); file `<roomName>--<random>.mp4`."""
    name, file = recording_names(RoomName(room.name), "Aa1", "Bb2")
    assert (name, file) == (f"{room.name}--EG_Aa1--Bb2", f"{room.name}--Bb2.mp4")


def test_ids_are_opaque(server: RestServer, room: TestRoom):
    """opaque (never parsed): one of another shape is found by it, and its room is the row's."""
    made = server.add_recording(room.name, id="elsewhere--made-otherwise")
    shown = server.ask("GET", f"/recordings/{made.id}").json()
    assert (shown["id"], shown["roomName"]) == (made.id, room.name)
    assert server.ask("DELETE", f"/recordings/{made.id}").status_code == 204


# ── start ──


def test_start_order(server: RestServer):
    """Start: unknown room 404; recording switched off 403; already recording 409; nobody in the room 409 (in this
    order). Recording off: refused on the server."""

    def start(name: str) -> tuple[int, str]:
        answer = server.ask("POST", "/recordings", {"roomName": name})
        return answer.status_code, answer.json()["code"]

    room = server.create_room(preferences={"recordingPreferences": {"enabled": False}})
    assert start("unknown") == (404, "room_not_found")
    running = server.add_recording(room.name, state=RecordingState.ACTIVE)
    assert start(room.name) == (403, "recording_disabled")
    server.ask("PUT", f"/rooms/{room.name}", {"recordingPreferences": {"enabled": True}})
    assert start(room.name) == (409, "already_recording")
    server.write(lambda tx: tx.recordings.delete([running.id]))
    assert start(room.name) == (409, "room_empty")


@pytest.mark.parametrize(
    ("body", "status"),
    [({"roomId": "r"}, 200), ({"roomName": "r"}, 200), ({}, 422), ({"roomId": "r", "roomName": "r"}, 422),
     ({"roomId": None}, 422), ({"roomId": 5}, 422), ({"room": "r"}, 422)],
)  # fmt: skip
def test_internal_start_body(server: RestServer, room: TestRoom, body, status):
    """Internal path: `POST /recordings` `{"roomId": …}` (`roomName` is accepted too)."""
    body = {name: room.name if value == "r" else value for name, value in body.items()}
    answer = server.internal("POST", "/recordings", body, bearer=server.token(room, "Mona"))
    assert answer.status_code == (409 if status == 200 else status), answer.text  # 409: nobody is in


def test_at_most_one_active(server: RestServer, room: TestRoom):
    """At most one active recording per room holds under any race …, by a constraint in the database."""
    first = server.add_recording(room.name, state=RecordingState.STARTING)
    for state in OCCUPYING:
        second = replace(first, id=f"{room.name}--EG_2--2", state=state)
        assert server.write(lambda tx, second=second: tx.recordings.insert(second)) is False
    finished = replace(first, state=RecordingState.COMPLETE)
    assert server.write(lambda tx: tx.recordings.update(finished, only_from=RUNNING))
    assert server.write(lambda tx: tx.recordings.insert(replace(first, id=f"{room.name}--EG_2--2")))


async def test_racing_starts_make_one(server: RestServer, room: TestRoom):
    """At most one active recording per room holds under any race: of ten starts at once one gets the room."""
    async with joined(server, server.token(room, "Ana", "publisher")):

        def start() -> int:
            answer = requests.post(
                f"{server.url}{PUBLIC}/recordings",
                json={"roomName": room.name},
                headers={"X-API-KEY": API_KEY},
                timeout=60,
            )
            return answer.status_code

        with ThreadPoolExecutor(10) as threads:
            loop = asyncio.get_running_loop()
            asked = [loop.run_in_executor(threads, start) for _ in range(10)]
            refused = 0
            for next_one in asyncio.as_completed(asked):
                refused += await next_one == 409
                if refused == 9:
                    break
            running = await asyncio.to_thread(server.write, lambda tx: tx.recordings.active_in(room.name))
            if running is not None:
                await asyncio.to_thread(_other(server).ask, "PUT", f"/recordings/{running.id}")
            statuses = sorted(await asyncio.gather(*asked))
    assert statuses.count(409) >= 9, statuses
    rows = server.write(lambda tx: tx.recordings.page(room=room.name, limit=20, after=None))
    assert len(rows) <= 1  # none: the machine may be busy, and says so with 503


async def test_stop_while_starting(server: RestServer, room: TestRoom):
    """Stop: 204 as soon as it is accepted (while STARTING too: the start that waits then answers 409
    `recording_stopped`)."""
    body = {"roomName": room.name}
    async with joined(server, server.token(room, "Ana", "publisher")):
        waiting = asyncio.ensure_future(asyncio.to_thread(server.ask, "POST", "/recordings", body))
        async with asyncio.timeout(10):
            while (row := await asyncio.to_thread(server.write, lambda tx: tx.recordings.active_in(room.name))) is None:
                await asyncio.sleep(0.02)
        if row.state is RecordingState.STARTING:
            stopped = await asyncio.to_thread(_other(server).ask, "PUT", f"/recordings/{row.id}")
            assert stopped.status_code == 204
            answer = await waiting
            assert (answer.status_code, answer.json()["code"]) == (409, "recording_stopped")


def _other(server: RestServer) -> RestServer:
    """The same server over a connection of its own, since the first one waits for its answer."""
    twin = copy.copy(server)
    twin.http = requests.Session()
    return twin


# ── stop and delete ──


@pytest.mark.parametrize("state", list(RecordingState))
def test_stop(server: RestServer, room: TestRoom, state):
    """Stop: 204 as soon as it is accepted; unknown 404; not running 409."""
    made = server.add_recording(room.name, state=state)
    answer = server.ask("PUT", f"/recordings/{made.id}")
    if state in {RecordingState.STARTING, RecordingState.ACTIVE}:
        assert (answer.status_code, answer.content) == (204, b"")
        stopped = server.ask("GET", f"/recordings/{made.id}").json()
        assert stopped["endedAt"] <= now_ms()
        assert server.ask("PUT", f"/recordings/{made.id}").status_code == 409
        if state is RecordingState.ACTIVE:
            assert stopped["status"] == "STOPPING"
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "recording_not_running")
    assert server.ask("PUT", "/recordings/unknown").status_code == 404


@pytest.mark.parametrize("state", list(RecordingState))
def test_delete(server: RestServer, room: TestRoom, state):
    """Delete: 204; unknown 404; running 409."""
    made = server.add_recording(room.name, state=state)
    folder = server.data_dir / "recordings" / made.id
    answer = server.ask("DELETE", f"/recordings/{made.id}")
    if state in RUNNING:
        assert (answer.status_code, answer.json()["code"]) == (409, "recording_running")
    else:
        assert (answer.status_code, answer.content) == (204, b"")
        assert not folder.exists()
        assert server.ask("GET", f"/recordings/{made.id}").status_code == 404
        assert server.ask("DELETE", f"/recordings/{made.id}").status_code == 404


def test_bulk_delete(server: RestServer, room: TestRoom):
    """Bulk delete: ids in the JSON body or in `?recordingIds=a,b` (both: 422); an empty list is 204; unknown ids count
    as deleted; if one is still running nothing is deleted and the answer is 409 naming it; else 204."""
    other = server.create_room()
    done = [server.add_recording(other.name) for _ in range(4)]
    running = server.add_recording(room.name, state=RecordingState.ACTIVE)
    delete = lambda body=None, query="": server.ask("DELETE", f"/recordings{query}", body)  # noqa: E731
    refused = delete({"recordingIds": [done[0].id, running.id]})
    assert refused.status_code == 409
    assert running.id in refused.json()["message"]
    assert server.ask("GET", f"/recordings/{done[0].id}").status_code == 200
    assert delete({"recordingIds": []}).status_code == 204
    assert delete({"recordingIds": ["unknown", "nul\u0000", done[0].id, done[0].id]}).status_code == 204
    assert delete(query=f"?recordingIds={done[1].id}, {done[2].id},unknown").status_code == 204
    assert delete(query="?recordingIds=").status_code == 204
    left = [one["id"] for one in server.ask("GET", "/recordings").json() if one["roomName"] == other.name]
    assert left == [done[3].id]
    for wrong in ({}, {"recordingIds": None}, {"recordingIds": "a"}, {"recordingIds": [1]}, []):
        assert delete(wrong).status_code == 422
    assert delete({"recordingIds": []}, "?recordingIds=a").status_code == 422
    assert delete().status_code == 422
    assert server.ask("DELETE", "/recordings", {"recordingIds": []}, key=None).status_code == 401


def test_recordings_outlive_their_room(server: RestServer, room: TestRoom, recording):
    """Recordings outlive their room."""
    assert server.ask("DELETE", f"/rooms/{room.name}").status_code == 204
    assert server.ask("GET", f"/recordings/{recording.id}").status_code == 200
    assert server.ask("GET", f"/recordings/{recording.id}/stream").content == MEDIA


def test_list_pages(server: RestServer, room: TestRoom):
    """(Both APIs) With `maxItems` and `nextPageToken` …. Newest first."""
    made = [server.add_recording(room.name, created_at_ms=Millis(now_ms() + n // 2)).id for n in range(5)]
    bearer = server.token(room, "Mona")
    whole = [one["recordingId"] for one in server.internal("GET", "/recordings", bearer=bearer).json()]
    assert set(whole) == set(made)
    seen, token = [], None
    while True:
        query = "?maxItems=2" + (f"&nextPageToken={token}" if token else "")
        answer = server.internal("GET", f"/recordings{query}", bearer=bearer)
        seen += [one["recordingId"] for one in answer.json()]
        token = answer.headers.get("x-next-page-token")
        if token is None:
            break
    assert seen == whole


def test_who_may(server: RestServer, room: TestRoom, recording):
    """a moderator's participant token for its own room, an admin session for all."""
    other = server.create_room()
    theirs = server.add_recording(other.name)
    mona, admin = server.token(room, "Mona"), server.log_in()["accessToken"]
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/stream"), ("POST", "/stream-ticket")):
        assert server.internal(method, f"/recordings/{theirs.id}{path}", bearer=mona).status_code == 403
        for role in ("publisher", "viewer"):
            bearer = server.token(room, f"R-{role}", role)
            assert server.internal(method, f"/recordings/{recording.id}{path}", bearer=bearer).status_code == 403
        assert server.internal(method, f"/recordings/{recording.id}{path}").status_code == 401
    assert server.internal("POST", "/recordings", {"roomId": other.name}, bearer=mona).status_code == 403
    assert [one["recordingId"] for one in server.internal("GET", "/recordings", bearer=mona).json()] == [recording.id]
    everything = [one["recordingId"] for one in server.internal("GET", "/recordings", bearer=admin).json()]
    assert {recording.id, theirs.id} <= set(everything)
    assert server.internal("DELETE", f"/recordings/{recording.id}", bearer=mona).status_code == 204


# ── stream ──


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1), ("bytes=0-1023", 0, 1024), ("bytes=100-", 100, len(MEDIA)),
        ("bytes=-10", len(MEDIA) - 10, len(MEDIA)), ("bytes=-999999", 0, len(MEDIA)),
        ("bytes=10-999999", 10, len(MEDIA)), (f"bytes={len(MEDIA) - 1}-", len(MEDIA) - 1, len(MEDIA)),
    ],
)  # fmt: skip
def test_one_range(server: RestServer, recording, header, start, end):
    """206 for one range (`a-b`, `a-`, `-n`)."""
    answer = server.ask("GET", f"/recordings/{recording.id}/stream", headers={"Range": header})
    assert answer.status_code == 206
    assert answer.content == MEDIA[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(MEDIA)}"
    assert answer.headers["content-length"] == str(end - start)


def test_whole(server: RestServer, recording):
    """Stream: `video/mp4`, `Accept-Ranges`, `ETag`; 200 whole; HEAD too; several ranges 200 whole."""
    path = f"/recordings/{recording.id}/stream"
    for headers in ({}, {"Range": "bytes=0-1,5-6"}, {"Range": "bytes=0-1, -5"}):
        answer = server.ask("GET", path, headers=headers)
        assert (answer.status_code, answer.content) == (200, MEDIA)
        assert answer.headers["content-type"] == "video/mp4"
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-length"] == str(len(MEDIA))
    head = server.ask("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert {k: v for k, v in head.headers.items() if k not in {"date", "x-request-id"}} == {
        k: v for k, v in answer.headers.items() if k not in {"date", "x-request-id"}
    }


@pytest.mark.parametrize(
    "header", ["bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-1", "items=0-5", "bytes=0-5,", "0-5", "bytes=0-5;x",
               "bytes=--5", "bytes=0 - 5", "bytes=1-2,5-1"]
)  # fmt: skip
def test_bad_ranges(server: RestServer, recording, header):
    """bad syntax, reversed or another unit 400."""
    answer = server.ask("GET", f"/recordings/{recording.id}/stream", headers={"Range": header})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_range")


@pytest.mark.parametrize("header", ["bytes=-0", f"bytes={len(MEDIA)}-", "bytes=99999999999999999999-"])
def test_unsatisfiable(server: RestServer, recording, header):
    """unsatisfiable (`bytes=-0` too) 416 with `Content-Range: bytes */size`."""
    answer = server.ask("GET", f"/recordings/{recording.id}/stream", headers={"Range": header})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(MEDIA)}"


def test_if_range(server: RestServer, recording):
    """`ETag`, `If-Range`."""
    path = f"/recordings/{recording.id}/stream"
    etag = server.ask("HEAD", path).headers["etag"]
    ask = lambda condition: server.ask("GET", path, headers={"Range": "bytes=0-4", "If-Range": condition})  # noqa: E731
    assert (ask(etag).status_code, ask(etag).content) == (206, MEDIA[:5])
    assert (ask('"other"').status_code, ask('"other"').content) == (200, MEDIA)


@pytest.mark.parametrize(
    "state", [s for s in RecordingState if s not in {RecordingState.COMPLETE, RecordingState.LIMITED_REACHED}]
)
def test_not_finished(server: RestServer, room: TestRoom, state):
    """not finished 409."""
    made = server.add_recording(room.name, state=state)
    assert server.ask("GET", f"/recordings/{made.id}/stream").status_code == 409


def test_file_is_gone(server: RestServer, room: TestRoom):
    """(no sentence; what a user expects) a finished recording whose file was removed behind our back: 404."""
    made = server.add_recording(room.name, media=None)
    answer = server.ask("GET", f"/recordings/{made.id}/stream")
    assert (answer.status_code, answer.json()["code"]) == (404, "recording_file_not_found")
    assert server.ask("DELETE", f"/recordings/{made.id}").status_code == 204


def test_stream_ticket(server: RestServer, room: TestRoom, recording):
    """addition `POST /recordings/{id}/stream-ticket` (internal) → a ticket for this one file, 10 minutes, accepted as
    `?ticket=`."""
    other = server.add_recording(server.create_room().name)
    mona = server.token(room, "Mona")
    ticket = server.internal("POST", f"/recordings/{recording.id}/stream-ticket", bearer=mona).json()["ticket"]
    claims = jwt.decode(ticket, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 600
    again = server.internal("POST", f"/recordings/{recording.id}/stream-ticket", bearer=mona).json()["ticket"]
    assert again != ticket, "within the same second too: an address that stays the same is not loaded again"
    with_ticket = lambda one, ticket=ticket: server.internal("GET", f"/recordings/{one}/stream?ticket={ticket}")  # noqa: E731
    assert with_ticket(recording.id).content == MEDIA
    assert with_ticket(other.id).status_code == 403
    assert with_ticket(recording.id, ticket[:-3] + "abc").status_code == 401
    assert server.internal("GET", f"/recordings/{recording.id}?ticket={ticket}").status_code == 401


def test_streamed_in_pieces(server: RestServer, room: TestRoom):
    """Bytes are streamed, never read whole into memory: a client that reads slowly does not make the server grow."""
    size = 200 * 1024 * 1024
    made = server.add_recording(room.name, media=b"")
    with (server.data_dir / "recordings" / made.id / made.filename).open("wb") as file:
        file.truncate(size)
    before = _memory_bytes(server)
    answer = server.ask("GET", f"/recordings/{made.id}/stream", stream=True)
    assert answer.headers["content-length"] == str(size)
    read = sum(len(chunk) for chunk in answer.iter_content(1024 * 1024))
    assert read == size
    assert _memory_bytes(server, peak=True) - before < 64 * 1024 * 1024
    server.ask("DELETE", f"/recordings/{made.id}")


def _memory_bytes(server: RestServer, *, peak: bool = False) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+)", status).group(1)) * 1024
