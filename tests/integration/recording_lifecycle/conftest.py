"""Servers that record, and installations without a server, for the tests of a recording's life."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.disk import may_mount
from support.offline_installation import OfflineInstallation, offline_installation
from support.recording_server import StartServer, recording_servers
from support.s3 import find_versitygw

# .ci/run has an S3 server and may mount
collect_ignore = ([] if find_versitygw() else ["test_bucket.py"]) + ([] if may_mount() else ["test_full_disk.py"])


@pytest.fixture
async def start_server(tmp_path: Path) -> AsyncIterator[StartServer]:
    async with recording_servers(tmp_path) as start:
        yield start


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres").new_database())
    return f"sqlite:///{tmp_path / 'x.db'}"


@pytest.fixture
async def installation(database_url: str, tmp_path: Path) -> AsyncIterator[OfflineInstallation]:
    async with offline_installation(tmp_path, database_url) as opened:
        yield opened
