"""A network that loses three of ten packets: pictures and sound go on, whichever side is behind it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser

from support.fake_media import BLUE, RED
from support.lossy_page import lossy_page, media_port_of
from support.people import People, Person
from support.product import RoomLinks

# media in real time: they run alone
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.measures_time]

LOSS = 0.3
SECONDS = 8


@dataclass(frozen=True)
class Received:
    """What a page has received in some seconds. `sound_lost`: the share of packets that never came."""

    frames_per_s: float
    sound_lost: float


@pytest.mark.parametrize("behind", ["sender", "receiver"])
async def test_pictures_and_sound_go_on(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks, behind: str
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    first, second = (ben, ana) if behind == "sender" else (ana, ben)
    await first.join(room.publisher)
    await first.sees(first.name, RED if first is ana else BLUE)
    async with lossy_page(second.page, await media_port_of(first)) as link:
        await second.join(room.publisher)
        await asyncio.gather(ana.sees("Ben", BLUE), ben.sees("Ana", RED), ben.hears())
        link.loss = LOSS
        received = await received_by(ben)
        assert link.lost
        assert received.frames_per_s > 8
        assert received.sound_lost < LOSS / 3


async def received_by(person: Person) -> Received:
    before = await counted(person)
    await asyncio.sleep(SECONDS)
    frames, sound, lost = (new - old for old, new in zip(before, await counted(person), strict=True))
    return Received(frames / SECONDS, lost / (sound + lost))


async def counted(person: Person) -> tuple[int, int, int]:
    """Return the frames that a page has decoded, and the packets of sound that it has received and lost, so far."""
    stats = await person.inbound()
    frames = sum(each.get("framesDecoded", 0) for each in stats)
    sound = [each for each in stats if each["kind"] == "audio"]
    return frames, sum(each["packetsReceived"] for each in sound), sum(each["packetsLost"] for each in sound)
