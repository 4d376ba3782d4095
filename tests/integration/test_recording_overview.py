"""Recordings in the console: searched, sorted and paged; lost ones taken back; repaired at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy import insert

from support import crash_states
from support.offline_installation import OfflineInstallation
from support.rest import RestServer, now_ms, running_server
from support.waiting import until
from tertulia.adapters.sql.tables import recordings
from tertulia.adapters.sql.transaction import SqlTransaction
from tertulia.domain.ids import Millis, RecordingId, RoomName
from tertulia.domain.recordings.recording import Recording, RecordingState

PATH = "/console/recordings"


@pytest.fixture(scope="module")
def admin(server: RestServer) -> str:
    return server.log_in()["accessToken"]


def ids(server: RestServer, admin: str, query: str) -> list[str]:
    """Walk all pages."""
    found: list[str] = []
    token = ""
    while True:
        answer = server.internal("GET", f"{PATH}?{query}&maxItems=2{token}", bearer=admin)
        assert answer.status_code == 200, answer.text
        found += [each["recordingId"] for each in answer.json()]
        if "x-next-page-token" not in answer.headers:
            return found
        token = f"&nextPageToken={answer.headers['x-next-page-token']}"


def test_search_and_sort(server: RestServer, admin: str):
    room = f"room-{uuid4().hex[:12]}"
    made = [
        server.add_recording(room, media=size * b"x", created_at_ms=Millis(now_ms() + number)).id
        for number, size in enumerate((300, 100, 200))
    ]
    failed = server.add_recording(
        room, state=RecordingState.FAILED, created_at_ms=Millis(now_ms() + 10), error="The disk is broken."
    ).id
    big, small, middle = made
    assert ids(server, admin, f"search={room.upper()}") == [failed, middle, small, big]
    assert ids(server, admin, f"search={room}&order=asc") == [big, small, middle, failed]
    assert ids(server, admin, f"search={room}&sort=size") == [big, middle, small, failed]
    assert ids(server, admin, f"search={room}&sort=size&order=asc") == [failed, small, middle, big]
    assert ids(server, admin, f"search={room}&sort=duration&order=asc")[0] == failed
    assert ids(server, admin, f"search={room}&status=FAILED,ABORTED") == [failed]
    (shown,) = server.internal("GET", f"{PATH}?search={failed}", bearer=admin).json()
    assert (shown["status"], shown["error"], shown["roomId"]) == ("FAILED", "The disk is broken.", room)
    for bad in ("sort=name", "status=none", "status=", "maxItems=0", "nextPageToken=x"):
        assert server.internal("GET", f"{PATH}?{bad}", bearer=admin).status_code == 422


def test_deleting_several(server: RestServer, admin: str):
    one, other = (server.add_recording("room").id for _ in range(2))
    running = server.add_recording("room", state=RecordingState.ENDING).id
    path = "/recordings"
    assert server.internal("DELETE", path, {"recordingIds": [one, running]}, bearer=admin).status_code == 409
    assert server.internal("DELETE", path, {"recordingIds": [one, other, "x"]}, bearer=admin).status_code == 204
    assert server.internal("GET", f"{path}/{one}", bearer=admin).status_code == 404


async def test_lost_recordings(tmp_path: Path):
    """lost ones taken back, and repaired"""
    with running_server(tmp_path) as server:
        admin = server.log_in()["accessToken"]
        root = server.data_dir / "recordings"
        crashed = OfflineInstallation(root=root, store=cast("Any", None), files=cast("Any", None), owner="")
        row = Recording(
            RecordingId("room--EG_1--2"), RoomName("room"), "room--2.mp4", RecordingState.ACTIVE, Millis(now_ms())
        )
        crash_states.recording(crashed, row)

        def lost() -> list[dict[str, Any]]:
            return list(server.internal("GET", "/console/lost-recordings", bearer=admin).json())

        async def is_repaired() -> bool:
            return len(found := lost()) == 1 and found[0]["duration"] != 2.0

        async def is_complete() -> bool:
            return server.internal("GET", url, bearer=admin).json()["status"] == "COMPLETE"

        (found,) = lost()
        assert (found["recordingId"], found["roomId"], found["duration"]) == (row.id, "room", 2.0)
        assert server.internal("POST", f"{PATH}/repair", bearer=admin).status_code == 204
        await until("repaired", is_repaired)
        (found,) = lost()  # repaired, and still without a recording
        assert found["duration"] > 3

        path = f"/console/lost-recordings/{row.id}/adopt"
        adopted = server.internal("POST", path, bearer=admin)
        assert (adopted.status_code, adopted.json()["status"]) == (200, "ENDING"), adopted.text
        url = f"/recordings/{row.id}"
        await until("complete", is_complete)
        assert lost() == []
        assert server.internal("POST", path, bearer=admin).status_code == 404
        assert server.internal("GET", f"{url}/stream", bearer=admin).status_code == 200


@pytest.mark.measures_time
def test_ten_thousand_recordings(server: RestServer, admin: str):
    """ "10,000 recordings: any page, search or sort ≤ 300 ms" """

    def add(tx: SqlTransaction) -> None:
        began_ms = now_ms()
        rows = [
            {
                "id": f"many-{number:05}--EG_1--2", "room": f"many-{number:05}", "filename": "x.mp4",
                "state": "COMPLETE", "created_at_ms": began_ms - number, "duration_s": number * 7 % 1000,
                "size_bytes": number * 13 % 1000, "lease_until_ms": 0,
            }
            for number in range(10_000)
        ]  # fmt: skip
        tx._connection.execute(insert(recordings), rows)

    server.write(add)
    try:
        took_ms = {}
        for query in ("", "search=many-0", "search=nothing", "sort=size", "sort=duration&order=asc", "status=FAILED"):
            token: str | None = ""
            for page in range(3):
                after = f"&nextPageToken={token}" if token else ""
                began = time.perf_counter()
                answer = server.internal("GET", f"{PATH}?maxItems=100&{query}{after}", bearer=admin)
                took_ms[query, page] = (time.perf_counter() - began) * 1000
                assert answer.status_code == 200
                token = answer.headers.get("x-next-page-token")
                if token is None:
                    break
        assert took_ms.keys() >= {(query, 2) for query in ("", "search=many-0", "sort=size")}
        assert max(took_ms.values()) <= 300, took_ms
    finally:
        server.write(lambda tx: tx._connection.execute(recordings.delete().where(recordings.c.id.startswith("many-"))))
