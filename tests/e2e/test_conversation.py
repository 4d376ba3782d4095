"""Two participants see and hear each other, a third watches; what one does, the others see."""

from __future__ import annotations

import asyncio

import pytest
from livekit import api, rtc
from livekit.rtc.participant import PublishTrackError
from playwright.async_api import Browser, expect

from support.fake_media import BLUE, RED
from support.people import People
from support.product import MEDIA_API_KEY, MEDIA_API_SECRET, Product, RoomLinks
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_two_participants_see_and_hear_each_other_and_a_viewer_both(
    people: People, red_browser: Browser, blue_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.moderator), ben.join(room.publisher))
    await asyncio.gather(ana.sees("Ben", BLUE), ben.sees("Ana", RED))
    await asyncio.gather(ana.hears(), ben.hears(), ana.decodes(), ben.decodes())

    vera = await people.at(red_browser, "Vera")
    await vera.open(room.viewer)
    await expect(vera.page.get_by_text("you watch and listen")).to_be_visible()
    await expect(vera.page.get_by_label("Camera")).to_have_count(0)
    await vera.join(room.viewer)
    await asyncio.gather(vera.sees("Ana", RED), vera.sees("Ben", BLUE), vera.hears(voices=2))
    await vera.decodes(pictures=2)

    for control in ("Mute", "Unmute", "Stop camera", "Start camera", "Share screen"):
        await expect(vera.page.get_by_role("button", name=control, exact=True)).to_have_count(0)
    await expect(ana.page.get_by_test_id("count")).to_have_attribute("data-count", "3")
    await expect(ana.tiles()).to_have_count(2)

    await people.screenshot("three-people")
    assert not await can_publish(product, await vera.token_of(room.name))
    await expect(ana.tiles()).to_have_count(2)


async def can_publish(product: Product, token: str) -> bool:
    """Try to publish with the page's token in another client. The SDK does not report a refusal: it times out."""
    client = rtc.Room()
    await client.connect(product.url.replace("http", "ws"), token)
    track = rtc.LocalAudioTrack.create_audio_track("noise", rtc.AudioSource(48_000, 1))
    try:
        async with asyncio.timeout(3):
            await client.local_participant.publish_track(track)
    except (TimeoutError, PublishTrackError):
        return False
    finally:
        await client.disconnect()
    return True


async def test_a_late_participant_sees_the_others(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.publisher)
    await ana.sees("Ana", RED)
    ben = await people.at(blue_browser, "Ben")
    await ben.join(room.publisher)
    await ben.sees("Ana", RED)
    await ana.sees("Ben", BLUE)


async def test_mute_and_camera_are_seen_by_the_others(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "false")

    await ana.press("Mute")
    await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "true")
    await ana.page.keyboard.press("m")
    await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "false")

    await ben.sees("Ana", RED)
    await ana.press("Stop camera")
    await expect(ben.tile_of("Ana").locator(".initials")).to_have_text("A")
    await ana.press("Start camera")
    await ben.sees("Ana", RED)
    await ben.decodes()


async def test_active_speakers_are_marked(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await expect(ben.tile_of("Ana")).to_have_attribute("data-speaking", "true")
    await ana.press("Mute")
    await expect(ben.tile_of("Ana")).to_have_attribute("data-speaking", "false")


async def test_screen_share(people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await ana.press("Share screen")

    async def arrived() -> bool:
        return await ben.colour_seen_of("Ana", kind="screen_share") is not None

    await until("Ben sees Ana's screen", arrived)
    await people.screenshot("screen-share")
    await ana.press("Stop sharing")
    await expect(ben.tile_of("Ana", kind="screen_share")).to_have_count(0)


async def test_chat_messages_arrive_and_markup_stays_text(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    name = "<img src=x onerror=alert(1)>"
    ana, ben = await people.at(red_browser, name), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await expect(ana.page.get_by_test_id("count")).to_have_attribute("data-count", "2")
    await ana.press("Chat")
    await ana.page.get_by_label("Message to everybody").fill("<b>Hello</b> & welcome")
    await ana.page.keyboard.press("Enter")

    await ben.press("Chat, 1 unread")
    message = ben.page.locator(".messages li")
    await expect(message.locator(".words")).to_have_text("<b>Hello</b> & welcome")
    await expect(message.locator("bdi")).to_have_text(name)
    await expect(ben.page.locator(".tile").filter(has_text=name)).to_have_count(1)


async def test_chat_that_is_off_is_not_offered(people: People, red_browser: Browser, product: Product) -> None:
    silent_room = await product.create_room(preferences={"chatPreferences": {"enabled": False}})
    ana = await people.at(red_browser, "Ana")
    await ana.join(silent_room.moderator)
    await expect(ana.page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    await expect(ana.page.get_by_role("button", name="Chat")).to_have_count(0)


async def test_all_participants_see_that_the_meeting_is_recorded(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana, vera = await people.at(red_browser, "Ana"), await people.at(red_browser, "Vera")
    await asyncio.gather(ana.join(room.publisher), vera.join(room.viewer))
    recorder = rtc.Room()
    await recorder.connect(product.url.replace("http", "ws"), recorder_token(room))
    for person in (ana, vera):
        await expect(person.page.get_by_test_id("recording")).to_be_visible()
        await expect(person.page.get_by_role("log")).to_contain_text("This meeting is being recorded")
        await expect(person.page.get_by_test_id("count")).to_have_attribute("data-count", "2")
    await people.screenshot("recording")

    late = await people.at(red_browser, "Late")
    await late.join(room.viewer)
    await expect(late.page.get_by_test_id("recording")).to_be_visible()

    await recorder.disconnect()
    for person in (ana, vera, late):
        await expect(person.page.get_by_test_id("recording")).to_have_count(0)


def recorder_token(room: RoomLinks) -> str:
    """Return a token as the recorder has it."""
    grants = api.VideoGrants(room_join=True, room=room.name, hidden=True, recorder=True, can_publish=False)
    return api.AccessToken(MEDIA_API_KEY, MEDIA_API_SECRET).with_identity("recorder").with_grants(grants).to_jwt()


async def test_joining_works_without_any_device(people: People, red_browser: Browser, room: RoomLinks) -> None:
    ana, dee = await people.at(red_browser, "Ana"), await people.at(red_browser, "Dee")
    await dee.page.add_init_script(
        "MediaDevices.prototype.getUserMedia = async () => { throw new DOMException('none', 'NotFoundError') }"
    )
    await ana.join(room.publisher)
    await dee.open(room.publisher)
    await expect(dee.page.get_by_text("Camera: None was found")).to_be_visible()
    await dee.join(room.publisher)
    await dee.sees("Ana", RED)
    await expect(ana.tile_of("Dee")).to_have_attribute("data-muted", "true")
