"""A moderator records; all participants see it, and the recording plays in the page afterwards."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Route, expect

from support.accessibility import overflows, violations
from support.fake_media import BLUE, RED
from support.people import People, Person
from support.player import Picture, Player
from support.product import Product, RoomLinks
from support.waiting import until
from tertulia_recorder.job import STATE_FILE, RecorderState

# films that are made beside other tests lack frames
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.measures_time]

SEEN: Final = 0.1
"""A tile of two takes more than this share of the frame."""
GRACE_S: Final = 3.0
"""How far the recording may be from the time that passed between start and stop."""


def item(person: Person) -> Locator:
    """Find the one recording in a user's list."""
    return person.page.locator(".recording-list li")


async def reaches(person: Person, seconds: int) -> None:
    """Wait until the recording in a user's list is that long."""

    async def long_enough() -> bool:
        shown = item(person).get_by_test_id("length")
        if await shown.count() == 0:
            return False
        minutes, rest = (await shown.inner_text()).split(":")
        return int(minutes) * 60 + int(rest) >= seconds

    await until(f"{seconds} seconds are recorded", long_enough)


async def start(person: Person) -> None:
    """Record, with the list open."""
    await person.press("Record")
    await expect(person.page.get_by_test_id("recording")).to_be_visible()
    await person.press("Recordings")
    await expect(item(person)).to_have_attribute("data-status", "ACTIVE")


async def play(person: Person) -> Player:
    """Play the one recording in a user's list."""
    await item(person).get_by_role("button", name="Play").click()
    return Player(person.page.evaluate)


def both(picture: Picture) -> bool:
    return picture.share_of(RED) > SEEN and picture.share_of(BLUE) > SEEN


def only_red(picture: Picture) -> bool:
    return picture.share_of(RED) > SEEN and picture.share_of(BLUE) == 0


async def test_a_moderator_records_and_all_participants_see_it(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.moderator), ben.join(room.publisher))
    await ana.press("Record")
    for person in (ana, ben):
        await expect(person.page.get_by_test_id("recording")).to_be_visible()
        await expect(person.page.get_by_role("log")).to_contain_text("This meeting is being recorded")
    await expect(ben.page.get_by_role("button", name="Record")).to_have_count(0)

    await ana.press("Stop recording")
    for person in (ana, ben):
        await expect(person.page.get_by_test_id("recording")).to_have_count(0)
        await expect(person.page.get_by_role("log")).to_contain_text("The recording has stopped")
    # announced although the list is closed
    await expect(ana.page.get_by_role("log")).to_contain_text("The recording is ready to play")


async def test_a_recording_plays_and_seeks_in_the_page(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.moderator), ben.join(room.publisher))
    await asyncio.gather(ana.sees("Ben", BLUE), ben.sees("Ana", RED))
    await start(ana)
    began = asyncio.get_running_loop().time()
    await reaches(ana, 4)
    await ben.press("Leave")
    await expect(ana.tiles()).to_have_count(1)
    await reaches(ana, 9)
    await people.screenshot("recordings-running")
    await ana.press("Stop recording")
    took_s = asyncio.get_running_loop().time() - began
    await expect(item(ana)).to_have_attribute("data-status", "COMPLETE")
    await people.screenshot("recordings-ready")

    player = await play(ana)
    await player.plays()
    duration_s = await player.duration_s()
    assert abs(duration_s - took_s) < GRACE_S
    await player.seeks(2.0)
    await player.shows("Ana and Ben", both)
    await people.screenshot("recording-player")
    await player.seeks(duration_s - 0.5)
    await player.shows("Ana alone, in her own red", lambda picture: picture.share_of(RED, within=12) > SEEN)
    await player.shows("Ana alone", only_red)
    await player.seeks(duration_s / 4)
    await player.shows("Ana and Ben", both)
    await player.resume()
    await player.plays()

    await ana.page.keyboard.press("Escape")
    await expect(ana.page.locator("video.player")).to_have_count(0)
    await expect(item(ana).get_by_role("button", name="Play")).to_be_focused()


@pytest_asyncio.fixture(loop_scope="session")
async def recorded(people: People, red_browser: Browser, room: RoomLinks) -> Person:
    """Give a moderator with a short recording in an open list."""
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.moderator)
    await ana.sees("Ana", RED)
    await start(ana)
    await reaches(ana, 3)
    await ana.press("Stop recording")
    await expect(item(ana)).to_have_attribute("data-status", "COMPLETE")
    return ana


async def test_a_recording_is_saved_and_deleted(
    people: People, product: Product, room: RoomLinks, recorded: Person
) -> None:
    ana = recorded
    (shown,) = await recordings_of(product, room)
    async with ana.page.expect_download() as started:
        await item(ana).get_by_role("button", name="Download").click()
    download = await started.value
    assert download.suggested_filename == shown["filename"]
    saved = Path(await download.path())
    assert saved.stat().st_size == shown["size"]
    assert saved.read_bytes()[4:8] == b"ftyp"

    question = ana.page.get_by_role("dialog", name="Delete this recording?")
    await item(ana).get_by_role("button", name="Delete").click()
    await people.screenshot("recording-question")
    await question.get_by_role("button", name="Keep").click()
    await expect(question).to_have_count(0)
    await expect(item(ana)).to_have_count(1)

    await item(ana).get_by_role("button", name="Delete").click()
    await question.get_by_role("button", name="Delete").click()
    await expect(item(ana)).to_have_count(0)
    await expect(ana.page.get_by_text("Nothing has been recorded")).to_be_visible()
    assert await recordings_of(product, room) == []


async def test_playback_continues_when_its_url_has_expired(recorded: Person) -> None:
    ana = recorded
    player = await play(ana)
    await player.plays()
    await player.seeks(1.5)
    await ana.page.clock.set_fixed_time(await ana.page.evaluate("Date.now() + 600_000"))
    async with ana.page.expect_response(lambda answer: "/stream?ticket=old" in answer.url) as refused:
        await ana.page.locator("video.player").evaluate("(video) => { video.src = video.src.replace(/=.*/, '=old') }")
    assert (await refused.value).status == 401
    await player.plays()
    assert await player.position_s() >= 1.5


async def test_a_recording_whose_file_is_missing_is_reported(
    product: Product, room: RoomLinks, recorded: Person
) -> None:
    ana = recorded
    (shown,) = await recordings_of(product, room)
    (recordings_folder(product) / shown["id"] / shown["filename"]).unlink()
    await play(ana)
    await expect(ana.page.get_by_role("alert")).to_contain_text("The recording does not play")
    await product.ask("DELETE", f"/recordings/{shown['id']}")
    await item(ana).get_by_role("button", name="Play").click()
    await expect(ana.page.get_by_role("alert")).to_contain_text("This recording is not there any more")


async def test_moderators_have_the_recordings_after_they_left(recorded: Person) -> None:
    ana = recorded
    await ana.press("Leave")
    await expect(ana.end_screen("left")).to_be_visible()
    player = await play(ana)
    await player.plays()


async def test_a_recording_whose_recorder_was_killed_plays(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.moderator)
    await ana.sees("Ana", RED)
    await start(ana)
    await reaches(ana, 6)
    (shown,) = await recordings_of(product, room)
    state = RecorderState.from_json((recordings_folder(product) / shown["id"] / STATE_FILE).read_text())
    os.kill(state.pid, signal.SIGKILL)
    await expect(item(ana)).to_have_attribute("data-status", "COMPLETE")
    await expect(ana.page.get_by_test_id("recording")).to_have_count(0)

    player = await play(ana)
    await player.plays()
    duration_s = await player.duration_s()
    assert duration_s >= 4
    for to_s in (1.0, duration_s / 2, duration_s - 0.5):
        await player.seeks(to_s)
        await player.shows("Ana", only_red)


async def recordings_of(product: Product, room: RoomLinks) -> list[dict[str, Any]]:
    return [one for one in await product.ask("GET", "/recordings") if one["roomName"] == room.name]


def recordings_folder(product: Product) -> Path:
    return product.log_path.parent / "data" / "recordings"


async def test_a_refused_start_is_reported(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.moderator)
    record = ana.page.get_by_role("button", name="Record", exact=True)

    async def switch_off_first(route: Route) -> None:
        await product.ask("PUT", f"/rooms/{room.name}", {"recordingPreferences": {"enabled": False}})
        await route.continue_()

    await ana.page.route("**/recordings", switch_off_first)
    await ana.press("Record")
    await expect(ana.page.get_by_role("alert")).to_contain_text("Recording is switched off for this meeting")
    await expect(ana.page.get_by_test_id("recording")).to_have_count(0)
    await ana.press("Dismiss")
    await expect(record).to_have_count(0)
    await ana.page.unroute("**/recordings")
    await product.ask("PUT", f"/rooms/{room.name}", {"recordingPreferences": {"enabled": True}})
    await expect(record).to_be_visible()
    await start(ana)
    await ana.press("Stop recording")
    await expect(item(ana)).to_have_attribute("data-status", re.compile("COMPLETE|ABORTED"))


async def test_recording_requests_carry_the_newest_token(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana = await people.at(red_browser, "Ana")
    async with ana.page.expect_response("**/participants/token") as answered:
        await ana.join(room.moderator)
    first: str = (await (await answered.value).json())["token"]

    async def refreshed() -> bool:
        return await ana.token_of(room.name) != first

    await until("the media server has given a newer token", refreshed)
    async with ana.page.expect_request("**/recordings") as asked:
        await ana.press("Recordings")
    assert await (await asked.value).header_value("authorization") == f"Bearer {await ana.token_of(room.name)}"


async def test_recording_that_is_off_is_not_offered(people: People, red_browser: Browser, product: Product) -> None:
    private = await product.create_room(preferences={"recordingPreferences": {"enabled": False}})
    ana = await people.at(red_browser, "Ana")
    async with ana.page.expect_response(lambda answer: answer.url.endswith(f"/rooms/{private.name}")):
        await ana.join(private.moderator)
    await expect(ana.page.get_by_role("button", name="Devices")).to_be_visible()
    await expect(ana.page.get_by_role("button", name="Record")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_axe_finds_no_violation_in_list_and_player(
    people: People, red_browser: Browser, room: RoomLinks, scheme: str, width: int
) -> None:
    look = {"color_scheme": scheme, "viewport": {"width": width, "height": 700}, "reduced_motion": "reduce"}
    ana = await people.at(red_browser, "Ana", **look)
    await ana.join(room.moderator)
    await start(ana)
    await reaches(ana, 2)
    await ana.press("Stop recording")
    await expect(item(ana)).to_have_attribute("data-status", "COMPLETE")
    assert await violations(ana.page) == []
    assert not await overflows(ana.page)
    await people.screenshot(f"recordings-{scheme}-{width}")

    player = await play(ana)
    await player.plays()
    assert await violations(ana.page) == []
    assert not await overflows(ana.page)
    await people.screenshot(f"player-{scheme}-{width}")
