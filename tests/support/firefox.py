"""Firefox as its distribution ships it, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/).

Playwright drives only its own Firefox; this is the part of the protocol that our tests need, and nothing else.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import aiohttp

from .people import INBOUND_STATS, KEEP_CONNECTIONS, MEAN_COLOUR
from .waiting import DEADLINE_S, until

FIREFOX: Final = "firefox-esr"
_LISTENING: Final = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
_PREFERENCES: Final = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.gmp-manager.updateEnabled": False,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "remote.prefs.recommended": True,
}
_PAGE_ERRORS: Final = """
globalThis.testPageErrors = [];
// a ResizeObserver that finishes in the next frame is reported as an error, but is not one
const settles = (message) => message.startsWith('ResizeObserver loop');
addEventListener('error', ({ message }) => settles(message) || globalThis.testPageErrors.push(message));
addEventListener('unhandledrejection', (event) => globalThis.testPageErrors.push(String(event.reason)));
addEventListener('securitypolicyviolation', (event) => globalThis.testPageErrors.push(event.violatedDirective));
"""
_BUTTON: Final = """
(name) => {
  const nameOf = (button) => button.getAttribute('aria-label') ?? button.innerText.trim();
  return [...document.querySelectorAll('button')].find((button) => nameOf(button) === name) ?? null;
}
"""
# null while the button moves: the pointer would press what is there by then
_CENTRE: Final = f"""
async (name) => {{
  const button = ({_BUTTON})(name);
  button?.scrollIntoView({{ block: 'nearest' }});
  const centre = () => {{
    const box = button.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2].map(Math.round);
  }};
  const before = button && centre();
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  return button?.isConnected && String(before) === String(centre()) ? before : null;
}}
"""
_FILL: Final = """
(value) => {
  const input = document.querySelector('input#name');
  if (input) {
    input.value = value;
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }
  return Boolean(input);
}
"""


_FILL_FIELD: Final = """
([name, value]) => {
  const input = [...document.querySelectorAll('label')].find((one) => one.innerText.trim() === name)?.control;
  if (input) {
    input.value = value;
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }
  return Boolean(input);
}
"""


class FirefoxError(RuntimeError):
    """The browser refused a command, or a script in the page failed."""


class FirefoxWindow:
    """One window of a running Firefox."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._window = ""

    async def listen(self) -> None:
        """Resolve pending commands with their answers, as long as the browser runs."""
        async for message in self._socket:
            answer = json.loads(message.data)
            pending = self._answers.pop(answer.get("id"), None)
            if pending is not None and not pending.done():  # who waits may have given up
                pending.set_result(answer)

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result. Raises FirefoxError."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(DEADLINE_S):
            answer = await self._answers[number]
        if answer["type"] != "success":
            raise FirefoxError(f"{method}: {answer.get('error')}: {answer.get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    async def start(self) -> None:
        """Open the session and use its only window."""
        await self.command("session.new", capabilities={})
        for script in (KEEP_CONNECTIONS, _PAGE_ERRORS):
            await self.command("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}")
        self._window = (await self.command("browsingContext.getTree"))["contexts"][0]["context"]
        size = {"width": 1280, "height": 800}
        await self.command("browsingContext.setViewport", context=self._window, viewport=size)

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Call a JavaScript function in the page, as Playwright's `Page.evaluate` does; values cross as JSON."""
        called = await self.command(
            "script.callFunction",
            functionDeclaration=f"async (arg) => JSON.stringify(await ({expression})(JSON.parse(arg)) ?? null)",
            arguments=[{"type": "string", "value": json.dumps(arg)}],
            target={"context": self._window},
            awaitPromise=True,
        )
        if called["type"] != "success":
            raise FirefoxError(f"{expression.strip()[:80]}: {called['exceptionDetails']['text']}")
        return json.loads(called["result"]["value"])

    # ── actions ──

    async def open(self, link: str) -> None:
        await self.command("browsingContext.navigate", context=self._window, url=link, wait="complete")

    async def join(self, link: str, name: str) -> None:
        """Open a link, enter the name, press Join, and wait for the meeting."""
        await self.open(link)

        async def filled() -> bool:
            return bool(await self.evaluate(_FILL, name))

        await until("the form asks for a name", filled)
        await self.press("Join")
        await until(f"{name} is in the meeting", lambda: self.has_button("Leave"))

    async def fill(self, label: str, value: str) -> None:
        """Fill in the field with a label, once it is there."""
        await until(f"there is a field {label}", lambda: self.evaluate(_FILL_FIELD, [label, value]))

    async def shows(self, words: str) -> None:
        """Wait until a text can be read."""

        async def shown() -> bool:
            return words in str(await self.evaluate("() => document.body?.innerText ?? ''"))

        await until(f"Firefox shows {words}", shown)

    async def has_button(self, name: str) -> bool:
        return bool(await self.evaluate(f"(name) => Boolean(({_BUTTON})(name))", name))

    async def press(self, name: str) -> None:
        """Press a button with the pointer, once it stands still."""
        x, y = await until(f"there is a button {name}", lambda: self.evaluate(_CENTRE, name))
        pointer = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        actions = [{"type": "pointer", "id": "mouse", "actions": pointer}]
        await self.command("input.performActions", context=self._window, actions=actions)

    # ── state ──

    async def screenshot(self, path: Path) -> None:
        shot = await self.command("browsingContext.captureScreenshot", context=self._window)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    async def colour_seen_of(self, name: str, kind: str = "participant") -> list[int] | None:
        """Return the mean colour of a participant's video on this screen; None while there is none."""
        seen: list[int] | None = await self.evaluate(
            f"""([name, kind]) => {{
              const tile = [...document.querySelectorAll('.tile')]
                .find(({{ dataset }}) => dataset.identity === name && dataset.kind === kind);
              const video = tile?.querySelector('video');
              return video ? ({MEAN_COLOUR})(video) : null;
            }}""",
            [name, kind],
        )
        return seen

    async def inbound(self) -> list[dict[str, Any]]:
        """Return the inbound RTP statistics."""
        stats: list[dict[str, Any]] = await self.evaluate(INBOUND_STATS)
        return stats

    async def page_errors(self) -> list[str]:
        """Return exceptions and security policy violations of the page."""
        found: list[str] = await self.evaluate("() => globalThis.testPageErrors")
        return found


@asynccontextmanager
async def firefox() -> AsyncIterator[FirefoxWindow]:
    """Run a Firefox process, whose camera and microphone are its own test picture and tone."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        preferences = [f"user_pref({json.dumps(key)}, {json.dumps(value)});" for key, value in _PREFERENCES.items()]
        Path(profile, "user.js").write_text("\n".join(preferences))
        process = await asyncio.create_subprocess_exec(
            FIREFOX, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0",
            "about:blank",
            stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.TaskGroup() as tasks, aiohttp.ClientSession() as http:
                address = await _address(process)
                drain = tasks.create_task(_drain(process), name="firefox: stderr")
                async with http.ws_connect(f"{address}/session", max_msg_size=0) as socket:
                    window = FirefoxWindow(socket)
                    listener = tasks.create_task(window.listen(), name="firefox: answers")
                    await window.start()
                    yield window
                    listener.cancel()
                drain.cancel()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr
    output = b""
    async with asyncio.timeout(DEADLINE_S):
        while line := await process.stderr.readline():
            output += line
            if found := _LISTENING.search(line):
                return found[1].decode()
    raise FirefoxError(f"Firefox did not start: {output.decode(errors='replace')[-2000:]}")


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stderr
    while await process.stderr.readline():
        pass
