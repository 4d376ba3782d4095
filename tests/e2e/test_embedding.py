"""A page of another site embeds a meeting: each attribute, method and event of the element, in one meeting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FrameLocator, Locator, expect

from support.fake_media import RED
from support.host_site import HostPage, HostSite, host_site
from support.people import Person
from support.product import Product, RoomLinks, running_product
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

ELEMENT: Final = "<tertulia-meet room-url='{link}' participant-name='Ana' skip-prejoin lang='en'></tertulia-meet>"


@dataclass(frozen=True, slots=True)
class Scene:
    """Ana, a moderator, in the element of another site's page; Ben in the page itself."""

    ana: Person
    host: HostPage
    frame: FrameLocator
    ben: Person
    room: RoomLinks

    def control(self, name: str) -> Locator:
        return self.frame.locator(f'[data-control="{name}"]')


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[HostSite]:
    async with host_site("localhost") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def product(tmp_path_factory: pytest.TempPathFactory, site: HostSite) -> AsyncIterator[Product]:
    """A server that names the site among those that may embed it."""
    settings = {"TERTULIA_EMBED_ORIGINS": f"https://else.example,{site.origin}"}
    async with running_product(tmp_path_factory.mktemp("embedding"), settings=settings) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(red_browser: Browser, blue_browser: Browser, site: HostSite, product: Product) -> AsyncIterator[Scene]:
    room = await product.create_room("embed")
    ana = await Person.at(red_browser, "Ana")
    ben = await Person.at(blue_browser, "Ben")
    await ana.open(site.embed("/scene", product.url, ELEMENT.format(link=room.moderator)))
    host = HostPage(ana.page)
    await host.event("ready")
    await host.event("meetingJoined", {"roomId": room.name, "participantIdentity": "Ana", "role": "moderator"})
    assert await host.run("(await meet.participants()).length") == 1
    await ben.join(room.publisher)
    await host.event("participantJoined", {"roomId": room.name, "participant": {"identity": "Ben", "isLocal": False}})
    frame = ana.page.frame_locator("iframe")
    await expect(frame.locator(".tile video")).to_have_count(2)
    yield Scene(ana, host, frame, ben, room)
    assert ana.page_errors + ben.page_errors == []
    for person in (ana, ben):
        await person.page.context.close()


# ── methods, with the events that tell of them ──


@pytest.mark.parametrize(("device", "look"), [("Microphone", "data-muted"), ("Camera", None)])
async def test_a_device_is_switched(scene: Scene, device: str, look: str | None) -> None:
    tile = scene.ben.tile_of("Ana")
    for on in (False, True):
        before = await scene.host.mark()
        await scene.host.run(f"await meet.set{device}({str(on).lower()});")
        await scene.host.event(f"{device.lower()}Changed", {"on": on, "by": "participant"}, after=before)
        await scene.host.event(
            "participantChanged", {"participant": {"identity": "Ana", device.lower(): on}}, after=before
        )
        if look:
            await expect(tile).to_have_attribute(look, str(not on).lower())
        else:
            await expect(tile.locator("video")).to_have_count(int(on))


async def test_a_method_without_argument_switches_over(scene: Scene) -> None:
    before = await scene.host.mark()
    await scene.host.run("await meet.setMicrophone();")
    await scene.host.event("microphoneChanged", {"on": False}, after=before)
    await scene.host.run("await meet.setMicrophone();")
    await scene.host.event("microphoneChanged", {"on": True}, after=before)


async def test_set_screen_share(scene: Scene) -> None:
    """The click is on the page around: the element passes it on."""
    await scene.host.run(
        """const button = document.createElement('button');
        button.textContent = 'Show'; button.onclick = () => { globalThis.shown = meet.setScreenShare(true); };
        document.body.prepend(button);"""
    )
    await scene.ana.page.get_by_role("button", name="Show", exact=True).click()
    await scene.host.run("await globalThis.shown;")
    await scene.host.event("screenShareChanged", {"on": True})
    await expect(scene.ben.tile_of("Ana", "screen_share")).to_be_visible()
    await scene.host.run("await meet.setScreenShare(false);")
    await scene.host.event("screenShareChanged", {"on": False})
    await expect(scene.ben.tile_of("Ana", "screen_share")).to_have_count(0)


async def test_set_hand(scene: Scene) -> None:
    for on in (True, False):
        await scene.host.run(f"await meet.setHand({str(on).lower()});")
        await scene.host.event("handChanged", {"on": on})
        await scene.host.event("participantChanged", {"participant": {"identity": "Ana", "hand": on}})


async def test_send_chat(scene: Scene) -> None:
    await scene.control("chat").click()
    await scene.frame.get_by_label("Message to everybody").fill("half a sen")
    await scene.host.run("await meet.sendChat('from the page around');")
    await scene.host.event("chatMessage", {"from": "Ana", "mine": True, "text": "from the page around"})
    await expect(scene.ben.page.get_by_role("log")).to_contain_text("from the page around")
    await expect(scene.frame.get_by_label("Message to everybody")).to_have_value("half a sen")
    await scene.control("chat").click()
    await scene.ben.press("Chat, 1 unread")
    await scene.ben.page.get_by_label("Message to everybody").fill("back")
    await scene.ben.press("Send")
    await scene.host.event("chatMessage", {"from": "Ben", "mine": False, "text": "back"})
    assert (await scene.host.failure("meet.sendChat(7)"))["cause"] == "bad_argument"


async def test_set_layout(scene: Scene) -> None:
    await scene.host.run("await meet.setLayout('speaker');")
    await expect(scene.frame.locator(".with-stage")).to_be_visible()
    await scene.host.run("await meet.setLayout('grid');")
    await expect(scene.frame.locator(".with-stage")).to_have_count(0)
    assert (await scene.host.failure("meet.setLayout('pile')"))["cause"] == "bad_argument"


async def test_participants(scene: Scene) -> None:
    found = await scene.host.run("meet.participants()")
    assert [(one["identity"], one["isLocal"], one["role"]) for one in found] == [
        ("Ana", True, "moderator"),
        ("Ben", False, "publisher"),
    ]


async def test_devices_and_choose_device(scene: Scene) -> None:
    devices = await scene.host.run("meet.devices()")
    assert {one["kind"] for one in devices} == {"camera", "microphone"}
    other = next(one for one in devices if one["kind"] == "microphone" and not one["selected"])
    await scene.host.run(f"await meet.chooseDevice('microphone', '{other['id']}');")
    chosen = next(one for one in await scene.host.run("meet.devices()") if one["id"] == other["id"])
    assert chosen["selected"]
    assert (await scene.host.failure("meet.chooseDevice('camera', 'none')"))["cause"] == "not_found"


async def test_participant_mute_and_mute_all(scene: Scene) -> None:
    tile = scene.frame.locator('.tile[data-identity="Ben"]')
    for call in ("participantMute('Ben')", "muteAll()"):
        await expect(tile).to_have_attribute("data-muted", "false")
        await scene.host.run(f"await meet.{call};")
        await expect(tile).to_have_attribute("data-muted", "true")
        await scene.ben.page.locator('[data-control="microphone"]').click()
    await expect(tile).to_have_attribute("data-muted", "false")
    await scene.host.run("await meet.participantMute('Ben', 'camera');")
    await scene.host.event("participantChanged", {"participant": {"identity": "Ben", "camera": False}})
    await scene.ben.page.locator('[data-control="camera"]').click()
    assert (await scene.host.failure("meet.participantMute('Nobody')"))["cause"] == "not_found"


async def test_start_and_stop_recording(scene: Scene) -> None:
    await scene.host.run("await meet.startRecording();")
    await scene.host.event("recordingChanged", {"recording": True})
    await expect(scene.ben.page.get_by_test_id("recording")).to_be_visible()
    await scene.host.run("await meet.stopRecording();")
    await scene.host.event("recordingChanged", {"recording": False})


async def test_set_background(scene: Scene, product: Product) -> None:
    await scene.host.run("await meet.setBackground('night');")

    async def is_night() -> bool:
        seen = await scene.ben.colour_seen_of("Ana")
        return seen is not None and seen[2] > seen[0]

    await until("Ben sees the night in place of what is behind Ana", is_night)
    await scene.host.run("await meet.setBackground('none');")
    await scene.ben.sees("Ana", RED)
    failed = await scene.host.failure("meet.setBackground('own')")
    assert (failed["name"], failed["cause"]) == ("TertuliaMeetError", "not_found")

    async def cause() -> str:
        return str(await scene.host.run("meet.setBackground('light').then(() => '', (error) => error.cause)"))

    async def is_forbidden() -> bool:
        return await cause() == "not_allowed"

    async def is_allowed() -> bool:
        return await cause() == ""

    for enabled, is_told in ((False, is_forbidden), (True, is_allowed)):
        preferences = {"virtualBackgroundPreferences": {"enabled": enabled}}
        await product.ask("PUT", f"/rooms/{scene.room.name}", preferences)
        await until(f"backgrounds are {enabled}", is_told)
    await scene.host.run("await meet.setBackground('none');")
    await scene.ben.sees("Ana", RED)


# ── events that no method causes ──


async def test_reactions_speakers_and_quality(scene: Scene) -> None:
    await scene.ben.press("Reactions")
    await scene.ben.press("Applause")
    await scene.host.event("reaction", {"participantIdentity": "Ben", "reaction": "👏"})
    await scene.host.event("activeSpeaker")
    speakers = {name for one in await scene.host.events("activeSpeaker") for name in one["participantIdentities"]}
    assert speakers <= {"Ana", "Ben"}
    await scene.host.event("qualityChanged")


async def test_errors_have_a_cause_and_words(scene: Scene) -> None:
    """A device that fails in the meeting."""
    frame = scene.ana.page.frames[1]
    await frame.evaluate(
        """() => { const real = navigator.mediaDevices.getUserMedia;
        MediaDevices.prototype.getUserMedia = async () => { MediaDevices.prototype.getUserMedia = real;
          throw new DOMException('x', 'NotReadableError') } }"""
    )
    await scene.host.run("await meet.setCamera(false);")
    failed = await scene.host.failure("meet.setCamera(true)")
    assert failed["cause"] == "device_in_use"
    assert "another program" in failed["message"]
    await scene.host.event("error", {"cause": "device_in_use", "message": failed["message"]})
    await scene.host.run("await meet.setCamera(true);")


async def test_on_once_and_off(scene: Scene) -> None:
    heard = await scene.host.run(
        """const heard = [];
        const each = ({ on }) => heard.push(['each', on]);
        meet.on('microphoneChanged', each).once('microphoneChanged', ({ on }) => heard.push(['once', on]));
        const told = (on) => new Promise((resolve) => {
          meet.addEventListener('microphoneChanged', resolve, { once: true }); meet.setMicrophone(on); });
        await told(false);
        await told(true);
        meet.off('microphoneChanged', each);
        await told(false);
        await told(true);
        meet.on('microphoneChanged', each).off('microphoneChanged');
        await told(false);
        await told(true);
        return heard;"""
    )
    assert heard == [["each", False], ["once", False], ["each", True]]


# ── attributes, while it runs ──

SET: Final = "meet.setAttribute({name!r}, {value!r});"


async def test_camera_and_microphone(scene: Scene) -> None:
    for name in ("camera", "microphone"):
        for value in ("off", "on"):
            before = await scene.host.mark()
            await scene.host.run(SET.format(name=name, value=value))
            await scene.host.event(f"{name}Changed", {"on": value == "on"}, after=before)


async def test_theme(scene: Scene) -> None:
    frame = scene.ana.page.frames[1]
    for theme in ("dark", "light"):
        await scene.host.run(f"meet.theme = '{theme}'; return meet.getAttribute('theme');")
        await frame.wait_for_function(f"getComputedStyle(document.documentElement).colorScheme === '{theme}'")


async def test_lang(scene: Scene) -> None:
    await scene.host.run("meet.lang = 'es';")
    await expect(scene.frame.get_by_role("button", name="Salir")).to_be_visible()
    await expect(scene.frame.locator(".tile video")).to_have_count(2)
    await scene.host.run("meet.lang = 'en';")
    await expect(scene.frame.get_by_role("button", name="Leave")).to_be_visible()


async def test_layout(scene: Scene) -> None:
    await scene.host.run("meet.layout = 'speaker';")
    await expect(scene.frame.locator(".with-stage")).to_be_visible()
    await scene.host.run("meet.layout = 'grid';")
    await expect(scene.frame.locator(".with-stage")).to_have_count(0)


async def test_hide(scene: Scene) -> None:
    names = ("chat", "people", "share", "record", "leave")
    await scene.control("people").click()
    await scene.host.run(f"meet.hide = '{' '.join(names)}';")
    for name in names:
        await expect(scene.control(name)).to_be_hidden()
    await expect(scene.frame.locator(".people-panel")).to_have_count(0)
    await scene.frame.locator("main").press("p")
    await expect(scene.frame.locator(".people-panel")).to_have_count(0)
    await scene.host.run("meet.hide = null;")
    for name in names:
        await expect(scene.control(name)).to_be_visible()


async def test_properties_mirror_attributes(scene: Scene) -> None:
    found = await scene.host.run(
        """const one = document.createElement('tertulia-meet');
        for (const name of ['roomUrl', 'recordingUrl', 'participantName', 'leaveRedirectUrl', 'showRecording', 'theme',
          'camera', 'microphone', 'layout', 'hide', 'lang']) one[name] = 'x';
        one.showOnlyRecordings = true; one.skipPrejoin = true; one.hide = null;
        const given = [...one.attributes].map(({ name, value }) => `${name}=${value}`).sort();
        one.setAttribute('skip-prejoin', 'false');
        return [given, one.skipPrejoin, one.showOnlyRecordings, one.roomUrl, one.hide];"""
    )
    assert found == [
        ["camera=x", "lang=x", "layout=x", "leave-redirect-url=x", "microphone=x", "participant-name=x",
         "recording-url=x", "room-url=x", "show-only-recordings=", "show-recording=x", "skip-prejoin=", "theme=x"],
        False, True, "x", None,
    ]  # fmt: skip


# ── the element's life ──


async def test_moved_in_the_page(scene: Scene) -> None:
    """The iframe is loaded again: the same participant is back, with the devices as they were."""
    await scene.host.run("await meet.setCamera(false);")
    before = await scene.host.mark()
    await scene.host.run(
        "const box = document.createElement('div'); document.body.append(box); box.append(meet); return true;"
    )
    await scene.host.event("meetingJoined", {"participantIdentity": "Ana"}, after=before)
    assert await scene.host.events("meetingLeft") == []
    assert {one["identity"] for one in await scene.host.run("meet.participants()")} == {"Ana", "Ben"}
    await expect(scene.control("camera")).to_have_accessible_name("Start camera")
    await scene.host.run("await meet.setCamera(true);")
    await expect(scene.ben.tiles()).to_have_count(2)
    await scene.ben.sees("Ana", RED)


async def test_participant_kick(scene: Scene) -> None:
    await scene.host.run("await meet.participantKick('Ben');")
    await expect(scene.ben.end_screen("removed")).to_be_visible()
    await scene.host.event("participantLeft", {"roomId": scene.room.name, "participant": {"identity": "Ben"}})


async def test_meeting_leave_and_close(scene: Scene) -> None:
    await scene.host.run("await meet.meetingLeave();")
    left = {"roomId": scene.room.name, "participantIdentity": "Ana", "reason": "voluntary_leave"}
    await scene.host.event("meetingLeft", left)
    assert (await scene.host.failure("meet.setHand(true)"))["cause"] == "not_in_meeting"
    assert await scene.host.events("meetingClosed") == []
    await scene.frame.get_by_role("button", name="Close").click()
    await scene.host.event("meetingClosed", {"roomId": scene.room.name})


async def test_meeting_end(scene: Scene, blue_browser: Browser) -> None:
    before = await scene.host.mark()
    await scene.frame.get_by_role("button", name="Join again").click()
    await scene.host.event("meetingJoined", after=before)
    cleo = await Person.at(blue_browser, "Cleo")
    await cleo.join(scene.room.publisher)
    await scene.host.event("participantJoined", {"participant": {"identity": "Cleo"}}, after=before)
    await scene.host.run("await meet.meetingEnd();")
    await scene.host.event("meetingLeft", {"reason": "meeting_ended_by_self"}, after=before)
    await expect(cleo.end_screen("meeting_over")).to_be_visible()
    await cleo.page.context.close()
