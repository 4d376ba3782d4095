"""Recordings in a bucket, on a real S3 server: kept when the store has confirmed it, whatever happens to the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import yarl

from integration.recording_lifecycle.conftest import MakePlace, until
from integration.recording_lifecycle.test_crafted_states import done
from support.crafted_worker import crafted
from support.film import Film
from support.s3 import BUCKET, S3Server
from tertulia.domain.recordings.recording import RecordingState


@pytest.fixture
async def s3(tmp_path: Path) -> AsyncIterator[S3Server]:
    server = S3Server(tmp_path / "s3")
    server.folder.mkdir()
    await server.start()
    yield server
    await server.kill()


async def test_kept_through_an_outage_then_read_and_deleted(place: MakePlace, s3: S3Server) -> None:
    here = await place(RECORDINGS_URL=f"s3://{BUCKET}/of/ours", **s3.environment)
    room = await here.room()
    await here.join(room)
    recording = await here.start(room)
    await here.recorded(recording, 2)
    await s3.kill()
    await here.stop(recording)
    await until(lambda: "the file stays here for now" in here.log(), "a try that fails")
    shown = await here.shown(recording)
    assert shown["status"] == "STOPPING"  # file-first
    local = here.folder(recording) / shown["filename"]
    content = local.read_bytes()
    assert (await here.ask("GET", "/recordings")).status == 200  # nothing else minds the outage
    other = await here.start(room)
    assert (await here.ask("POST", "/recordings", {"roomName": room})).status == 409  # one-active-recording
    await here.stop(other)

    await s3.start()
    assert (await here.ended(other, within_s=90))["status"] == "STOPPED"
    assert (await here.ask("DELETE", f"/recordings/{other}")).status == 204
    shown = await here.ended(recording)
    assert shown["status"] == "STOPPED"
    assert shown["size"] == len(content)
    await until(lambda: not here.folder(recording).exists(), "the local copy goes")
    assert sorted(path.name for path in s3.objects()) == sorted([shown["filename"], "state.json"])

    film = await here.film(recording)
    assert film.path.read_bytes() == content
    part = await here.ask("GET", f"/recordings/{recording}/stream", Range="bytes=100-299")
    assert (part.status, part.body) == (206, content[100:300])
    assert part.headers["content-range"] == f"bytes 100-299/{len(content)}"
    same = {"Range": "bytes=0-9", "If-Range": part.headers["etag"]}
    again = await here.ask("GET", f"/recordings/{recording}/stream", **same)
    assert (again.status, again.body) == (206, content[:10])

    await s3.kill()
    assert (await here.ask("GET", f"/recordings/{recording}/stream")).status == 503
    assert (await here.ask("DELETE", f"/recordings/{recording}")).status == 204
    assert (await here.ask("GET", f"/recordings/{recording}")).status == 404
    await s3.start()
    await until(lambda: not s3.objects(), "the objects go when the store is back")


async def test_clients_are_sent_to_the_bucket(place: MakePlace, s3: S3Server) -> None:
    here = await place(RECORDINGS_URL=f"s3://{BUCKET}", RECORDINGS_DELIVERY="redirect", **s3.environment)
    room = await here.room()
    await here.join(room)
    recording = await here.start(room)
    await here.stop(recording)
    await here.ended(recording)
    answer = await here.ask("GET", f"/recordings/{recording}/stream")
    assert answer.status == 302
    bucket = yarl.URL(answer.headers["location"]).origin()
    async with aiohttp.ClientSession() as http, http.get(here.product.own_url) as page:
        policy = page.headers["content-security-policy"]
    assert str(bucket) in next(part for part in policy.split("; ") if part.startswith("media-src")).split()
    async with aiohttp.ClientSession() as http, http.get(answer.headers["location"]) as direct:
        assert direct.status == 200
        assert direct.content_type == "video/mp4"
        path = here.data_dir / "direct.mp4"
        path.write_bytes(await direct.read())
    assert Film(path).duration_s > 0.3


async def test_a_crash_between_confirmation_and_removal(
    tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    async with crafted(tmp_path, f"sqlite:///{tmp_path / 'x.db'}", recordings_url=f"s3://{BUCKET}") as here:
        copied = await here.row(RecordingState.ENDING)
        done(here, copied)
        content = (here.root / copied.id / copied.filename).read_bytes()
        await here.finish()
        assert (await here.found(copied)).state is RecordingState.COMPLETE
        assert not (here.root / copied.id).exists()

        # the row is final, the local folder is still there: once confirmed elsewhere, once not
        done(here, copied)
        lost = await here.row(RecordingState.COMPLETE)
        done(here, lost)
        await here.finish()
        assert not (here.root / copied.id).exists()
        assert (here.root / lost.id / lost.filename).read_bytes() == content
