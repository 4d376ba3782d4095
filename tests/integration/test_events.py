"""`GET /console/events`: what administrators see live, from every server on a database."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from support.console_events import Events, following
from support.livekit_clients import joined
from support.postgres import Postgres
from support.rest import RestServer, TestRoom, running_server
from tertulia.domain.recordings.recording import RecordingState


@pytest.fixture
def admin(server: RestServer) -> str:
    return server.log_in()["accessToken"]


def test_rooms(server: RestServer, admin: str):
    with following(server, admin) as events:
        assert events.next()[:2] == ("ready", {"resumed": False})
        room = server.create_room()
        told, _ = events.until("roomCreated", roomName=room.name)
        assert told["at"] > 0
        path = f"/rooms/{room.name}"
        server.ask("PUT", path, {"chatPreferences": {"enabled": False}})
        events.until("roomChanged", roomName=room.name)
        server.ask("POST", f"{path}/rotate-links")
        events.until("roomChanged", roomName=room.name)
        server.ask("DELETE", path)
        events.until("roomDeleted", roomName=room.name)


def test_recordings(server: RestServer, room: TestRoom, admin: str):
    with following(server, admin) as events:
        recording = server.add_recording(room.name, state=RecordingState.COMPLETE)
        told, _ = events.until("recordingChanged", recordingId=recording.id)
        assert (told["status"], told["size"]) == ("COMPLETE", 10_000)
        server.ask("DELETE", f"/recordings/{recording.id}")
        events.until("recordingDeleted", recordingId=recording.id)


async def test_meetings(server: RestServer, room: TestRoom, admin: str):
    with following(server, admin) as events:
        async with joined(server, server.token(room, "Pia", "publisher")):
            events.until("meetingStarted", roomName=room.name)
            events.until("participantJoined", participantName="Pia", role="publisher")
            path = f"/rooms/{room.name}/participants/Pia"
            server.ask("PUT", path, {"role": "viewer"})
            events.until("participantChanged", participantName="Pia", role="viewer")
        events.until("participantLeft", participantName="Pia")


def test_after_a_break(server: RestServer, admin: str):
    with following(server, admin) as events:
        first = server.create_room()
        _, event_id = events.until("roomCreated", roomName=first.name)
    second = server.create_room()
    with following(server, admin, after=event_id) as events:
        assert events.next() == ("ready", {"resumed": True}, event_id)
        events.until("roomCreated", roomName=second.name)
    query = f"/console/events?lastEventId={event_id}"
    with server.internal("GET", query, bearer=admin, stream=True) as response:
        assert Events(response).next() == ("ready", {"resumed": True}, event_id)


def test_the_end_of_the_session(server: RestServer, admin: str):
    with following(server, admin) as events:
        events.next()
        assert server.internal("POST", "/auth/logout", bearer=admin).status_code == 204
        events.until("sessionEnded")
        with pytest.raises(EOFError):
            events.next()


@pytest.mark.parametrize("last_id", ["x", "-1", "9" * 20])
def test_bad_ids(server: RestServer, admin: str, last_id: str):
    answer = server.internal("GET", "/console/events", bearer=admin, headers={"Last-Event-ID": last_id})
    assert answer.status_code == 422
    assert server.internal("GET", f"/console/events?lastEventId={last_id}", bearer=admin).status_code == 422


def test_a_server_that_stops_ends_the_stream(tmp_path: Path):
    """ "a server that is stopped waits for running requests": these would never end."""
    with running_server(tmp_path) as server, following(server, server.log_in()["accessToken"]) as events:
        events.next()
        assert server.stop() == 0
        with pytest.raises((EOFError, requests.RequestException)):
            events.next()


def test_events_of_another_server(postgres: Postgres, tmp_path: Path):
    settings = {"TERTULIA_DATABASE_URL": postgres.new_database(), "TERTULIA_SECRET_KEY": "k" * 32}
    with running_server(tmp_path / "a", **settings) as one, running_server(tmp_path / "b", **settings) as other:
        admin = one.log_in()["accessToken"]
        with following(other, admin) as events:
            events.next()
            room = one.create_room()
            _, event_id = events.until("roomCreated", roomName=room.name)
        later = other.create_room()
        with following(one, admin, after=event_id) as events:
            events.until("roomCreated", roomName=later.name)
