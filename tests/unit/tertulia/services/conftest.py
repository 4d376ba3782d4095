"""An installation's services over a store of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.services import Installation
from tertulia.adapters.sql.store import SqlStore, open_store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'x.db'}")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def inst(store: SqlStore) -> Installation:
    made = Installation(store)
    made.room = await made.create_room()
    return made
