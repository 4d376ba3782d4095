"""A server whose disk is full: it says so, keeps what it has answered, and goes on when there is room again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from support.disk import fill, may_mount, small_disk
from support.rest import FAR, RestServer

pytestmark = pytest.mark.skipif(not may_mount(), reason="small disks cannot be mounted here: root may, in most places")
DISK_BYTES = 8_000_000
MORE_THAN_FIT = 2000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RestServer]:
    made = RestServer(tmp_path, {"TERTULIA_RECORDING_MIN_FREE_BYTES": "2000000"})
    made.data_dir.mkdir()
    with small_disk(made.data_dir, DISK_BYTES):
        made.start()
        yield made
        made.stop()
        made.http.close()
    assert "Traceback" not in made.log(), made.log()


def readiness(server: RestServer, disk: str) -> int:
    """Return the status that `/health/ready` has when the disk is shown like this."""
    for _ in range(40):
        answer = requests.get(f"{server.url}/health/ready", timeout=5)
        if answer.json()["disk"] == disk:
            return answer.status_code
        time.sleep(0.1)
    raise AssertionError(f"the disk is never {disk}: {answer.text}")


def test_the_disk_is_full(server: RestServer):
    """(issue 10) A full disk says so: 503 with a code, and `/health/ready` names the disk."""
    assert readiness(server, "ok") == 200
    kept = server.create_room()
    filler = fill(server.data_dir, leave_bytes=1_500_000)
    assert readiness(server, "low") == 200, "meetings need no room for a recording"
    fill(server.data_dir, leave_bytes=0)
    assert readiness(server, "full") == 503

    answered, refused = [kept.name], None
    for _ in range(MORE_THAN_FIT):
        answer = server.ask("POST", "/rooms", {"expirationDate": FAR, "roomNamePrefix": "x" * 64})
        if answer.status_code != 200:
            refused = answer
            break
        answered.append(answer.json()["roomName"])
    assert refused is not None
    assert (refused.status_code, refused.json()["code"]) == (503, "disk_full"), refused.text
    assert refused.json()["message"] == "The disk of the database is full"
    assert refused.headers["Retry-After"]
    assert server.ask("GET", f"/rooms/{kept.name}").status_code == 200
    fill(server.data_dir, leave_bytes=0)  # the refusal made some room
    login = server.internal("POST", "/auth/login", {"username": "admin", "password": "a-password-for-tests"})
    assert (login.status_code, login.json()["code"]) == (503, "disk_full")
    assert requests.get(f"{server.url}/health", timeout=5).status_code == 200

    filler.unlink()
    again = server.create_room()
    assert readiness(server, "ok") == 200
    listed = {room["roomName"] for room in server.ask("GET", "/rooms").json()}
    assert listed == {*answered, again.name}, "what was answered is there, and nothing else"
