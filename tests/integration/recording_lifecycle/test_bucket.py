"""Recordings in a bucket, on a real S3 server: stored once the server has confirmed it, and through its outages."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yarl

from support.crash_states import done
from support.film import Film
from support.offline_installation import offline_installation
from support.recording_server import StartServer, until_found
from support.s3 import BUCKET, S3Server
from tertulia.adapters import blobs
from tertulia.adapters.s3_upload import S3Uploads
from tertulia.domain.recordings.recording import RecordingState
from tertulia.errors import Unavailable


@pytest.fixture
async def s3(tmp_path: Path) -> AsyncIterator[S3Server]:
    server = S3Server(tmp_path / "s3")
    server.folder.mkdir()
    await server.start()
    yield server
    await server.kill()


@pytest.mark.measures_time
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


class CutOffError(Exception):
    """What ends an upload in a test."""


@dataclass
class Upload:
    """A film in parts of 5 MiB, S3's least; `sent` are the numbers of those that were not in the bucket yet."""

    source: Path
    sent: list[int] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Upload:
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(blobs, "_PART_BYTES", 5 * 1024 * 1024)
        made, put = cls(folder / "film.mp4"), S3Uploads._put

        def counted(self: S3Uploads, key: str, upload_id: str, number: int, piece: Any, there: str | None) -> str:
            tag = put(self, key, upload_id, number, piece, there)
            if tag != there:
                made.sent.append(number)
            return tag

        monkeypatch.setattr(S3Uploads, "_put", counted)
        return made

    def write(self, megabytes: int) -> bytes:
        content = os.urandom(megabytes * 1024 * 1024)
        self.source.write_bytes(content)
        return content

    async def attempt(self, *, parts: int = 100) -> bool:
        """Upload at most so many parts, as a process of its own would."""
        left = iter(range(parts))

        async def before_part() -> None:
            if next(left, None) is None:
                raise CutOffError

        return await self.store().keep("id/film.mp4", self.source, before_part=before_part)

    def store(self) -> blobs.Blobs:
        return blobs.open_blobs(f"s3://{BUCKET}/of/ours", default_folder=self.source.parent)


async def test_an_upload_that_was_cut_off_goes_on_where_it_stopped(
    tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another process too: which parts are there, and whether they are of this file, the bucket itself says."""
    upload = Upload.make(tmp_path, s3, monkeypatch)
    content = upload.write(22)
    with pytest.raises(CutOffError):
        await upload.attempt(parts=3)
    await s3.kill()
    with pytest.raises(Unavailable):
        await upload.attempt()
    await s3.start()
    assert await upload.attempt()
    assert upload.sent == [1, 2, 3, 4, 5]
    (stored,) = s3.objects()
    assert stored.read_bytes() == content


async def test_parts_of_another_file_are_not_taken_for_this_ones(
    tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = Upload.make(tmp_path, s3, monkeypatch)
    upload.write(12)
    with pytest.raises(CutOffError):
        await upload.attempt(parts=2)
    content = upload.write(12)
    assert await upload.attempt()
    (stored,) = s3.objects()
    assert stored.read_bytes() == content


async def test_a_deletion_leaves_no_parts(tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = Upload.make(tmp_path, s3, monkeypatch)
    upload.write(12)
    with pytest.raises(CutOffError):
        await upload.attempt(parts=2)
    of_bucket = S3Uploads(BUCKET, "of/ours")
    assert len(await asyncio.to_thread(of_bucket._uploads, "of/ours/id/")) == 1
    await upload.store().delete("id/film.mp4")
    assert await asyncio.to_thread(of_bucket._uploads, "of/ours/id/") == []
    assert s3.objects() == []
