"""A real PgBouncer in front of a test's PostgreSQL, from the system's packages: a session for each transaction."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg

from support.ports import free_port
from support.postgres import Postgres, unprivileged_user

PROGRAM: Final = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_START_DEADLINE_S: Final = 20


@contextmanager
def running_pgbouncer(cluster: Postgres, database_url: str, *, sessions: int) -> Iterator[str]:
    """Run one in transaction mode with so many sessions; yield the database's URL through it."""
    assert PROGRAM
    port, name = free_port(), urlsplit(database_url).path[1:]
    folder = Path(tempfile.mkdtemp(prefix="tertulia-pgbouncer-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "users").write_text('"postgres" ""\n')
    (folder / "ini").write_text(
        f"[databases]\n{name} = host=127.0.0.1 port={cluster.port} dbname={name}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n"
        f"auth_file = {folder}/users\npool_mode = transaction\ndefault_pool_size = {sessions}\nmax_client_conn = 200\n"
    )
    user = unprivileged_user()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, folder / "ini"], user=user, stdout=log, stderr=log)
    try:
        url = f"postgresql://postgres@127.0.0.1:{port}/{name}"
        deadline = time.monotonic() + _START_DEADLINE_S
        while True:
            try:
                psycopg.connect(url).close()
                break
            except psycopg.OperationalError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError(f"PgBouncer did not start:\n{(folder / 'log').read_text()[-2000:]}") from None
                time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
