"""Servers that record, for the soak tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.recording_server import StartServer, recording_servers


@pytest.fixture
async def start_server(tmp_path: Path) -> AsyncIterator[StartServer]:
    async with recording_servers(tmp_path) as start:
        yield start
