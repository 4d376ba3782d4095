"""Recordings in a bucket, on a real S3 server: stored once the server has confirmed it, and through its outages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import yarl

from support.crash_states import done
from support.film import Film
from support.offline_installation import offline_installation
from support.recording_server import StartServer, until_found
from support.s3 import BUCKET, S3Server
from tertulia.domain.recordings.recording import RecordingState


@pytest.fixture
async def s3(tmp_path: Path) -> AsyncIterator[S3Server]:
    server = S3Server(tmp_path / "s3")
    server.folder.mkdir()
    await server.start()
    yield server
    await server.kill()


async def test_kept_through_an_outage_then_read_and_deleted(start_server: StartServer, s3: S3Server) -> None:
    server = await start_server(RECORDINGS_URL=f"s3://{BUCKET}/of/ours", **s3.environment)
    room = await server.create_room()
    await server.join(room)
    recording = await server.start_recording(room)
    await server.recorded(recording, 2)
    await s3.kill()
    await server.stop_recording(recording)
    await until_found("a try that fails", lambda: "the file stays here for now" in server.log())
    shown = await server.recording(recording)
    assert shown["status"] == "STOPPING"  # file-first
    local = server.folder(recording) / shown["filename"]
    content = local.read_bytes()
    assert (await server.request("GET", "/recordings")).status == 200  # nothing else depends on the bucket
    other = await server.start_recording(room)
    assert (await server.request("POST", "/recordings", {"roomName": room})).status == 409  # one-active-recording
    await server.stop_recording(other)

    await s3.start()
    assert (await server.ended(other, within_s=90))["status"] == "STOPPED"
    assert (await server.request("DELETE", f"/recordings/{other}")).status == 204
    shown = await server.ended(recording)
    assert shown["status"] == "STOPPED"
    assert shown["size"] == len(content)
    await until_found("the local copy goes", lambda: not server.folder(recording).exists())
    assert sorted(path.name for path in s3.objects()) == sorted([shown["filename"], "state.json"])

    film = await server.film(recording)
    assert film.path.read_bytes() == content
    part = await server.request("GET", f"/recordings/{recording}/stream", Range="bytes=100-299")
    assert (part.status, part.body) == (206, content[100:300])
    assert part.headers["content-range"] == f"bytes 100-299/{len(content)}"
    same = {"Range": "bytes=0-9", "If-Range": part.headers["etag"]}
    again = await server.request("GET", f"/recordings/{recording}/stream", **same)
    assert (again.status, again.body) == (206, content[:10])

    await s3.kill()
    assert (await server.request("GET", f"/recordings/{recording}/stream")).status == 503
    assert (await server.request("DELETE", f"/recordings/{recording}")).status == 204
    assert (await server.request("GET", f"/recordings/{recording}")).status == 404
    await s3.start()
    await until_found("the objects go when the store is back", lambda: not s3.objects())


async def test_clients_are_sent_to_the_bucket(start_server: StartServer, s3: S3Server) -> None:
    server = await start_server(RECORDINGS_URL=f"s3://{BUCKET}", RECORDINGS_DELIVERY="redirect", **s3.environment)
    room = await server.create_room()
    await server.join(room)
    recording = await server.start_recording(room)
    await server.stop_recording(recording)
    await server.ended(recording)
    answer = await server.request("GET", f"/recordings/{recording}/stream")
    assert answer.status == 302
    bucket = yarl.URL(answer.headers["location"]).origin()
    async with aiohttp.ClientSession() as http, http.get(server.product.own_url) as page:
        policy = page.headers["content-security-policy"]
    assert str(bucket) in next(part for part in policy.split("; ") if part.startswith("media-src")).split()
    async with aiohttp.ClientSession() as http, http.get(answer.headers["location"]) as direct:
        assert direct.status == 200
        assert direct.content_type == "video/mp4"
        path = server.data_dir / "direct.mp4"
        path.write_bytes(await direct.read())
    assert Film(path).duration_s > 0.3
    head = await server.request("HEAD", f"/recordings/{recording}/stream")  # a link is signed for GET alone
    assert (head.status, head.headers["content-length"]) == (200, str(path.stat().st_size))
    assert head.headers["accept-ranges"] == "bytes"


async def test_a_crash_between_confirmation_and_removal(
    tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    database_url = f"sqlite:///{tmp_path / 'x.db'}"
    async with offline_installation(tmp_path, database_url, recordings_url=f"s3://{BUCKET}") as installation:
        copied = await installation.add_row(RecordingState.ENDING)
        done(installation, copied)
        content = installation.file(copied).read_bytes()
        await installation.finish()
        assert (await installation.row(copied)).state is RecordingState.COMPLETE
        assert not installation.folder(copied).exists()

        # the row is final, the local folder is still there: once confirmed elsewhere, once not
        done(installation, copied)
        lost = await installation.add_row(RecordingState.COMPLETE)
        done(installation, lost)
        await installation.finish()
        assert not installation.folder(copied).exists()
        assert installation.file(lost).read_bytes() == content
