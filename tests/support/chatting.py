"""Users at the chat, and a client of the LiveKit SDK beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlparse

from playwright.async_api import Browser, Locator, expect

from support.livekit_clients import LiveKitClient, joined
from support.people import People, Person
from support.product import Product, RoomLinks


async def chatting(people: People, one: Browser, other: Browser, room: RoomLinks) -> tuple[Person, Person]:
    """Let two join and open the chat."""
    ana, ben = await people.at(one, "Ana"), await people.at(other, "Ben")
    await open_chat(room, ana, ben)
    return ana, ben


async def open_chat(room: RoomLinks, *those: Person) -> None:
    """Let two who have their windows join, see each other, and open the chat."""
    ana, ben = those
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await asyncio.gather(ana.press("Chat"), ben.press("Chat"))
    await expect(ana.tile_of(ben.name)).to_be_visible()
    await expect(ben.tile_of(ana.name)).to_be_visible()


async def write(person: Person, text: str) -> None:
    """Send a message."""
    await person.page.get_by_label("Message to everybody").fill(text)
    await person.page.keyboard.press("Enter")


def words(person: Person) -> Locator:
    """Return what a user sees of messages and files."""
    return person.page.locator(".messages .words")


@dataclass
class _Where:
    ws_url: str


@asynccontextmanager
async def bot_in(product: Product, room: RoomLinks, name: str = "Bot") -> AsyncIterator[LiveKitClient]:
    """Connect a client of LiveKit's SDK for Python as a publisher."""
    (secret,) = parse_qs(urlparse(room.publisher).query)["secret"]
    body = {"roomName": room.name, "participantName": name, "secret": secret}
    answer = await product.ask("POST", "/participants/token", body)
    async with joined(_Where(product.url.replace("http", "ws", 1)), answer["token"]) as client:
        yield client
