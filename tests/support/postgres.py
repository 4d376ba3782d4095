"""A real PostgreSQL for the tests, from the system's packages, in a folder that is thrown away at the end."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncpg

_names = count(1)


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running cluster."""

    port: int

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"tertulia_{os.getpid()}_{next(_names)}"
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{name}"


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    if on_path:
        return Path(on_path).parent
    raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")


def _unprivileged() -> str | None:
    """initdb refuses root: run as somebody else then."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a cluster for as long as the block lasts."""
    binaries, user = _binaries(), _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="tertulia-pg-", dir="/tmp"))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(folder, user)
        shutil.chown(data, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
        user=user, check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    server = subprocess.Popen(
        [
            binaries / "postgres", "-D", data, "-p", str(port), "-k", str(folder), "-h", "127.0.0.1",
            "-c", "fsync=off", "-c", "max_connections=200",
        ],
        user=user, stdout=subprocess.DEVNULL, stderr=(folder / "log").open("wb"), cwd=folder,
    )  # fmt: skip
    try:
        asyncio.run(_until_ready(port, server))
        yield Postgres(port)
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


async def _until_ready(port: int, server: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                connection = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres")
            except (OSError, asyncpg.PostgresError):
                if server.poll() is not None:
                    raise RuntimeError("PostgreSQL did not start") from None
                await asyncio.sleep(0.1)
            else:
                await connection.close()
                return
