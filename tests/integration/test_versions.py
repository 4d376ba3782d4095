"""Two versions side by side on one database, and commands that only look (issue 10)."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from support.command import run_command
from support.next_version import next_version
from support.postgres import Postgres
from support.rest import RestServer, running_server
from tertulia.adapters.sql.migrate import upgrade

DOCTOR = ("doctor", "--json", "--port", "0", "--media-udp-port", "0", "--media-tcp-port", "0")


@pytest.fixture
def database_url(postgres: Postgres) -> str:
    return postgres.new_database()


def plain(database_url: str) -> str:
    return database_url.replace("+asyncpg", "")


def files(folder: Path) -> dict[str, tuple[int, str]]:
    """Return all that is in a folder: when it was changed, and a hash of it."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in folder.rglob("*")
    }


def columns(database_url: str) -> list[tuple[str, str]]:
    with psycopg.connect(plain(database_url)) as connection:
        return connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
        ).fetchall()


def found_by_doctor(folder: Path, check: str, **environment: str) -> dict[str, object]:
    done = run_command(folder, *DOCTOR, **environment)
    return {each["check"]: each for each in json.loads(done.stdout)}[check]


def old_file(folder: Path, revision: str) -> Path:
    """Make a database with an earlier schema."""
    path = folder / "data" / "tertulia.db"
    path.parent.mkdir()
    with create_engine(f"sqlite:///{path}").begin() as connection:
        upgrade(connection, revision)
    return path


@pytest.mark.parametrize("revision", [None, "0003"])
def test_looking_changes_no_file(tmp_path: Path, revision: str | None):
    """On a new machine, and on one with the schema of an earlier version."""
    if revision is not None:
        old_file(tmp_path, revision)
    before = files(tmp_path)
    finding = found_by_doctor(tmp_path, "database")
    assert finding["ok"]
    assert ("empty" if revision is None else "schema 0003: the next start") in str(finding["detail"])
    status = json.loads(run_command(tmp_path, "db", "status", "--json").stdout)
    assert (status["state"], status["schema"]) == (("empty", None) if revision is None else ("behind", revision))
    assert status["needs_migration"]
    assert files(tmp_path) == before
    assert run_command(tmp_path, "db", "migrate").returncode == 0
    assert json.loads(run_command(tmp_path, "db", "status", "--json").stdout)["state"] == "current"


def test_looking_changes_no_schema(tmp_path: Path, database_url: str):
    environment = {"TERTULIA_DATABASE_URL": database_url}
    assert found_by_doctor(tmp_path, "database", **environment)["ok"]
    assert json.loads(run_command(tmp_path, "db", "status", "--json", **environment).stdout)["state"] == "empty"
    assert columns(database_url) == []


async def test_an_older_server_runs_beside_a_newer_schema(tmp_path: Path, database_url: str):
    """The next version starts and migrates while this one runs; both serve, and this one can be started again."""
    code, revision = next_version(tmp_path / "next")
    shared = {"TERTULIA_DATABASE_URL": database_url, "TERTULIA_SECRET_KEY": "a-secret-key-of-both-servers-0123456789"}

    def walk() -> None:
        with running_server(tmp_path / "older", **shared) as older:
            first = older.create_room()
            with running_server(tmp_path / "newer", **shared, PYTHONPATH=str(code)) as newer:
                assert ("rooms", "colour") in columns(database_url)
                serve_each_other(older, newer, first.name)
                older.stop()
                older.start()
                serve_each_other(older, newer, first.name)
                assert "Traceback" not in older.log() + newer.log()

    await asyncio.to_thread(walk)
    environment = {"TERTULIA_DATABASE_URL": database_url}
    status = json.loads(run_command(tmp_path, "db", "status", "--json", **environment).stdout)
    assert (status["state"], status["schema"], status["is_usable"]) == ("newer", revision, True)
    migrated = run_command(tmp_path, "db", "migrate", **environment)
    assert (migrated.returncode, f"schema {revision} of a newer version" in migrated.stdout) == (0, True)
    assert found_by_doctor(tmp_path, "database", **environment)["ok"]


def serve_each_other(older: RestServer, newer: RestServer, room: str) -> None:
    """Make in each what is read and changed in the other."""
    for one, other in ((older, newer), (newer, older)):
        made = one.create_room()
        assert other.ask("GET", f"/rooms/{made.name}").status_code == 200
        assert other.ask("PUT", f"/rooms/{made.name}", {"chatPreferences": {"enabled": False}}).status_code == 200
        recording = one.add_recording(made.name)
        assert other.ask("GET", f"/recordings/{recording.id}").status_code == 200
        assert one.token(made, "Ana", base="/meet/api/v1")
        assert other.ask("DELETE", f"/rooms/{made.name}").status_code == 204
        assert one.ask("GET", f"/rooms/{room}").status_code == 200


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("db", "status"), ("db", "migrate"), DOCTOR])
def test_a_schema_that_is_too_new_is_refused(tmp_path: Path, command: tuple[str, ...]):
    """A version of later has taken away what this one needs: one line says so, and nothing is changed."""
    path = old_file(tmp_path, "head")
    with create_engine(f"sqlite:///{path}").begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099_from_0098'"))
    before = files(tmp_path)
    done = run_command(tmp_path, *command)
    assert done.returncode == 2
    assert "schema 0099, for versions that know 0098 at least" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if command[0] == "doctor" or command[1] == "status":
        assert files(tmp_path) == before
