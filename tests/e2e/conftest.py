"""A running product and browsers with different cameras, once for the whole suite; a room of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, async_playwright

from support.fake_media import BLUE, RED, write_plain_picture, write_voice
from support.people import People, browser_with
from support.product import Product, RoomLinks, running_product

ARTEFACTS = Path(__file__).resolve().parents[2] / "test-artefacts" / "e2e"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    async with running_product(tmp_path_factory.mktemp("product")) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the fake cameras and microphones play."""
    folder = tmp_path_factory.mktemp("media")
    write_plain_picture(folder / "red.y4m", RED)
    write_plain_picture(folder / "blue.y4m", BLUE)
    write_voice(folder / "voice.wav")
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def red_browser(playwright: Playwright, media: Path) -> AsyncIterator[Browser]:
    """A browser process whose camera shows red."""
    async with browser_with(playwright, picture=media / "red.y4m", voice=media / "voice.wav") as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def blue_browser(playwright: Playwright, media: Path) -> AsyncIterator[Browser]:
    """A browser process whose camera shows blue."""
    async with browser_with(playwright, picture=media / "blue.y4m", voice=media / "voice.wav") as browser:
        yield browser


@pytest.fixture
def artefacts() -> Path:
    """The folder for screenshots."""
    return ARTEFACTS


@pytest_asyncio.fixture(loop_scope="session")
async def room(product: Product) -> RoomLinks:
    return await product.create_room()


@pytest_asyncio.fixture(loop_scope="session")
async def people(request: pytest.FixtureRequest, artefacts: Path) -> AsyncIterator[People]:
    users = People(artefacts)
    yield users
    await users.screenshot(request.node.name)
    await users.close()
    assert users.page_errors() == []
