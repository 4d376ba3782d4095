"""A real PostgreSQL for the tests, from the system's packages, in a folder that is thrown away at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql

from support.ports import free_port

_names = count(1)


class Postgres:
    """A cluster: initialised once, started as often as a test wants."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._folder = folder
        self._binaries, self._user = _binaries(), unprivileged_user()
        self._fsync = "on" if durable else "off"
        self.port = free_port()
        data = folder / "data"
        data.mkdir(mode=0o700)
        if self._user is not None:
            shutil.chown(folder, self._user)
            shutil.chown(data, self._user)
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """Start, and return when it answers."""
        options = f"-p {self.port} -k {self._folder} -h 127.0.0.1 -c fsync={self._fsync} -c max_connections=200"
        self._run("pg_ctl", "start", "--wait", "--timeout=60", "-l", str(self._folder / "log"), "-o", options)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop: `fast` as an administrator would, `immediate` as after a crash."""
        self._run("pg_ctl", "stop", "--wait", "--mode", mode)

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"tertulia_{os.getpid()}_{next(_names)}"
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def frozen(self, *, supervisor_too: bool) -> Iterator[None]:
        """Stop every process that serves a client, as a machine that hangs would; or the one that accepts clients too.

        Connections stay open, and the kernel goes on taking what is sent.
        """
        first = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        served = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        stopped = [*([first] if supervisor_too else []), *map(int, served)]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def set_read_only(self, *, read_only: bool) -> None:
        """Refuse writes, as a standby does, or take them again."""
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/postgres", autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            value = "on" if read_only else "off"
            connection.execute(
                sql.SQL("ALTER SYSTEM SET default_transaction_read_only = {}").format(sql.Literal(value))
            )
            connection.execute("SELECT pg_reload_conf()")

    def _run(self, command: str, *arguments: str) -> None:
        # what is inherited by the cluster's processes must not keep anybody waiting: no pipes
        with (self._folder / f"{command}.log").open("ab") as output:
            subprocess.run(
                [self._binaries / command, "-D", self._folder / "data", *arguments],
                user=self._user, check=True, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self._folder,
            )  # fmt: skip


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    if on_path:
        return Path(on_path).parent
    raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")


def unprivileged_user() -> str | None:
    """initdb refuses root: run as another user then."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Run a cluster for as long as the block lasts. `durable`: a commit is on the disk, as in production."""
    folder = Path(tempfile.mkdtemp(prefix="tertulia-pg-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        cluster = Postgres(folder, durable=durable)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
