"""Users with real browsers: each has a page, and tests ask what they see and hear."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from playwright.async_api import Browser, Locator, Page, Playwright, expect
from playwright.async_api import Error as PlaywrightError

from .fake_media import Rgb
from .waiting import DEADLINE_S, until

CHROMIUM: Final = os.environ.get("TERTULIA_TEST_CHROMIUM", "/usr/bin/chromium")
expect.set_options(timeout=DEADLINE_S * 1000)
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
)
_MARK: Final = "--started-by-test"
_FAKE_DEVICES: Final = "--use-fake-device-for-media-stream"

# the page does not expose its peer connections; this lets a test read their statistics
KEEP_CONNECTIONS: Final = """
(() => {
  const connections = [];
  Object.defineProperty(globalThis, 'testConnections', { value: connections });
  globalThis.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct(target, args) {
      const connection = new target(...args);
      connections.push(connection);
      return connection;
    },
  });
})();
"""

INBOUND_STATS: Final = """
async () => {
  const found = [];
  for (const connection of globalThis.testConnections) {
    if (connection.connectionState === 'closed') continue;
    for (const stat of (await connection.getStats()).values()) if (stat.type === 'inbound-rtp') found.push(stat);
  }
  return found;
}
"""

MEAN_COLOUR: Final = """
(video) => {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !video.videoWidth) return null;
  const canvas = document.createElement('canvas');
  canvas.width = 16;
  canvas.height = 9;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const sum = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) for (const c of [0, 1, 2]) sum[c] += data[i + c];
  return sum.map((value) => Math.round(value / (data.length / 4)));
}
"""


@asynccontextmanager
async def browser_with(
    playwright: Playwright,
    *,
    picture: Path | None = None,
    voice: Path | None = None,
    cameras: int = 1,
    mark: str = "",
    flags: Sequence[str] = (),
) -> AsyncIterator[Browser]:
    """Run a Chromium process, whose camera shows `picture` and whose microphone hears `voice`.

    Without them it is Chromium's own test picture and a beep a second.

    `mark` is for `kill_browser`; `flags` are further ones.
    """
    devices = [f"{_FAKE_DEVICES}=device-count={cameras}", "--use-fake-ui-for-media-stream"]
    if picture:
        devices.append(f"--use-file-for-fake-video-capture={picture}")
    if voice:
        devices.append(f"--use-file-for-fake-audio-capture={voice}")
    arguments = [*_FLAGS, *devices, f"{_MARK}={mark}", *flags]
    browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
    try:
        yield browser
    finally:
        await browser.close()


class Person:
    """A user with a browser window."""

    def __init__(self, name: str, page: Page) -> None:
        self.name = name
        self.page = page
        self.page_errors: list[str] = []
        page.on("pageerror", lambda error: self.page_errors.append(f"{name}: {error}"))
        page.on("console", lambda message: self._on_console_error(message.text) if message.type == "error" else None)

    def _on_console_error(self, message: str) -> None:
        if "Content Security Policy" in message or "TrustedHTML" in message:
            self.page_errors.append(f"{self.name}: {message}")

    @classmethod
    async def at(cls, browser: Browser, name: str, **context: Any) -> Self:
        """Open a window for a user; nothing is shared with other windows."""
        window = await browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | context))
        await window.add_init_script(KEEP_CONNECTIONS)
        return cls(name, await window.new_page())

    def is_open(self) -> bool:
        """Tell whether the window is still open."""
        browser = self.page.context.browser
        connected: bool = browser.is_connected() if browser else False
        return connected and not self.page.is_closed()

    async def open(self, link: str) -> Self:
        await self.page.goto(link)
        return self

    async def join(self, link: str) -> Self:
        """Open a link, enter the name, press Join, and wait for the meeting."""
        await self.open(link)
        await self.fill_in()
        await self.press_join()
        await expect(self.page.get_by_role("button", name="Leave")).to_be_visible()
        return self

    async def fill_in(self) -> None:
        await self.page.get_by_label("Your name").fill(self.name)

    async def press_join(self) -> None:
        await self.page.get_by_role("button", name="Join", exact=True).click()

    async def press(self, button: str) -> None:
        """Press a button, which on a phone may be in the menu."""
        wanted = self.page.get_by_role("button", name=button, exact=True, include_hidden=True)
        if button == "Unmute":  # a notice may offer the same
            wanted = self.page.locator('[data-control="microphone"]')
        await wanted.wait_for(state="attached")
        if await wanted.and_(self.page.locator(".more-menu button")).count() and not await wanted.is_visible():
            await self.page.locator('[data-control="more"]').click()
        await wanted.click()

    async def token_of(self, room: str) -> str:
        """Return the access token that this user's tab holds for a room."""
        token: str = await self.page.evaluate("(room) => sessionStorage.getItem(`tertulia.token.${room}`)", room)
        return token

    def tile_of(self, name: str, kind: str = "participant") -> Locator:
        return self.page.locator(f'.tile[data-identity="{name}"][data-kind="{kind}"]')

    def tiles(self) -> Locator:
        return self.page.locator(".tile")

    def end_screen(self, cause: str) -> Locator:
        return self.page.locator(f'.end-screen[data-cause="{cause}"]')

    async def colour_seen_of(self, name: str, kind: str = "participant") -> Rgb | None:
        """Return the mean colour of a participant's video on this user's screen; None while there is none."""
        video = self.tile_of(name, kind).locator("video")
        if await video.count() == 0:
            return None
        colour = await video.evaluate(MEAN_COLOUR)
        return tuple(colour) if colour else None

    async def sees(self, name: str, colour: Rgb) -> None:
        """Wait until this user sees a participant's video in that colour."""
        seen: Rgb | None = None

        async def right_colour() -> bool:
            nonlocal seen
            seen = await self.colour_seen_of(name)
            return seen is not None and _distance(seen, colour) < 60

        try:
            await until("", right_colour)
        except AssertionError:
            raise AssertionError(f"{self.name} sees {name} as {seen}, not as {colour}") from None

    async def hears(self, voices: int = 1) -> None:
        """Wait until that many audio tracks that are not silent arrive."""

        async def sounding() -> bool:
            sounds = [stat for stat in await self.inbound() if stat["kind"] == "audio"]
            return len([stat for stat in sounds if stat.get("totalAudioEnergy", 0) > 0]) >= voices

        await until(f"{self.name} hears {voices} voices", sounding)

    async def decodes(self, pictures: int = 1) -> None:
        """Wait until that many video tracks are being decoded (a frozen one does not count)."""
        before = await self._frames_decoded()

        async def moving() -> bool:
            now = await self._frames_decoded()
            return sum(frames > before.get(key, 0) for key, frames in now.items()) >= pictures

        await until(f"{self.name} decodes {pictures} moving pictures", moving)

    async def _frames_decoded(self) -> dict[str, int]:
        return {stat["id"]: stat.get("framesDecoded", 0) for stat in await self.inbound() if stat["kind"] == "video"}

    async def inbound(self) -> list[dict[str, Any]]:
        stats: list[dict[str, Any]] = await self.page.evaluate(INBOUND_STATS)
        return stats


AnyPerson = TypeVar("AnyPerson", bound=Person)


class People:
    """All users of a test: opened, captured and closed together."""

    def __init__(self, artefacts: Path) -> None:
        self._artefacts = artefacts
        self._all: list[Person] = []

    async def at(self, browser: Browser, name: str, **window: Any) -> Person:
        """Open a window for a user."""
        return self.add(await Person.at(browser, name, **window))

    def add(self, person: AnyPerson) -> AnyPerson:
        """Take charge of a user whose window is open."""
        self._all.append(person)
        return person

    async def screenshot(self, title: str) -> None:
        """Save what every user sees now."""
        self._artefacts.mkdir(parents=True, exist_ok=True)
        for person in self._all:
            if person.is_open():
                name = re.sub(r"[^\w-]+", "_", f"{title}-{person.name}")[:100]
                with suppress(PlaywrightError):  # it may be closing
                    await person.page.screenshot(path=self._artefacts / f"{name}.png")

    async def close(self) -> None:
        """Close every window."""
        for person in self._all:
            if person.is_open():
                await person.page.context.close()

    def page_errors(self) -> list[str]:
        """Return exceptions and security policy violations of all pages."""
        return [complaint for person in self._all for complaint in person.page_errors]


def kill_browser(mark: str) -> None:
    """Kill the Chromium process that was started with this mark, as a crash or an empty battery would."""
    for command_line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if f"{_MARK}={mark}".encode() in command_line.read_bytes().split(b"\0"):
                os.kill(int(command_line.parent.name), signal.SIGKILL)


def _distance(a: Rgb, b: Rgb) -> int:
    return max(abs(x - y) for x, y in zip(a, b, strict=True))
