"""Two servers that start for the first time, at the same moment, on one PostgreSQL."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.postgres import Postgres
from support.rest import RestServer


def test_one_api_key_and_one_password(postgres: Postgres, tmp_path: Path):
    """(issue 10) Each printed a key of its own, and the first one's was replaced by the second one's."""
    settings = {
        "TERTULIA_DATABASE_URL": postgres.new_database(),
        "TERTULIA_SECRET_KEY": "the-same-for-both-servers",
        "TERTULIA_API_KEY": "",
        "TERTULIA_ADMIN_PASSWORD": "",
    }
    servers = [RestServer(tmp_path / name, settings) for name in ("one", "two")]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(RestServer.start, servers))
    try:
        printed = "".join((server.folder / "stdout").read_text() for server in servers)
        (key,) = re.findall(r"API key: (\S+)", printed)
        (password,) = re.findall(r"password (\S+)", printed)
        for server in servers:
            assert server.ask("GET", "/rooms", key=key).status_code == 200
            login = server.internal("POST", "/auth/login", {"username": "admin", "password": password})
            assert login.status_code == 200
    finally:
        for server in servers:
            server.stop()
            server.http.close()
