"""A server of the console's own, with a password that is known; a window for each administrator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Browser

from support.administrator import Administrator, Opens
from support.people import People
from support.rest import RestServer, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestServer]:
    with running_server(tmp_path_factory.mktemp("console"), TERTULIA_MEDIA_TCP_PORT="0") as running:
        yield running


@pytest.fixture
def administrators(people: People, server: RestServer, red_browser: Browser) -> Opens:
    async def opens(name: str = "admin", **window: Any) -> Administrator:
        return await people.add(await Administrator.of(server, red_browser, name, **window)).log_in()

    return opens
