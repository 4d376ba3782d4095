"""A site of another origin, whose pages embed meetings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web
from playwright.async_api import Page

from .ports import free_port

SEEN: Final = """
globalThis.seen = [];
for (const name of [
  'ready', 'meetingJoined', 'meetingLeft', 'meetingClosed', 'participantJoined', 'participantLeft',
  'participantChanged', 'microphoneChanged', 'cameraChanged', 'screenShareChanged', 'handChanged', 'reaction',
  'chatMessage', 'recordingChanged', 'activeSpeaker', 'qualityChanged', 'error',
  'joined', 'left', 'closed', 'mediaAudioStatusChanged', 'mediaVideoStatusChanged', 'mediaScreenShareStatusChanged',
]) document.addEventListener(name, ({ detail }) => seen.push({ name, detail }), true);
"""
"""Keeps the events of all elements of a page: they do not bubble, but they are captured."""

_FIND: Final = """
({ name, detail, after }) => {
  const fits = (one, wanted) => Object.entries(wanted).every(([key, value]) =>
    value !== null && typeof value === 'object' ? fits(one?.[key] ?? {}, value) : one?.[key] === value);
  return globalThis.seen.slice(after).some((one) => one.name === name && fits(one.detail ?? {}, detail));
}
"""


class HostSite:
    """Serves pages by path; each can be set while it runs."""

    def __init__(self, host: str) -> None:
        self.port = free_port()
        self.origin = f"http://{host}:{self.port}"
        self._pages: dict[str, str] = {}

    def show(self, path: str, html: str) -> str:
        """Serve a page, and return its URL."""
        self._pages[path] = html
        return self.origin + path

    def embed(self, path: str, server: str, body: str, script: str = "tertulia-meet.js") -> str:
        """Serve a page with an element in it, whose events are kept; return its URL."""
        source = f"{server}/meet/v1/{script}"
        style = "<style>tertulia-meet,openvidu-meet,iframe{display:block;width:1000px;height:640px;border:0}</style>"
        return self.show(
            path,
            f"<!doctype html><meta charset=utf-8><title>Host</title>{style}<script>{SEEN}</script>"
            f"<script async src='{source}'></script><body>{body}</body>",
        )

    async def respond(self, request: web.Request) -> web.Response:
        html = self._pages.get(request.path)
        return web.Response(text=html or "no page", content_type="text/html", status=200 if html else 404)


class HostPage:
    """A page of the host site in a browser: what it calls, and which events it gets."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def run(self, code: str) -> Any:
        """Run JavaScript with `meet`, the page's element; return its result."""
        return await self.page.evaluate(
            f"""async () => {{
              const meet = document.querySelector('tertulia-meet, openvidu-meet');
              {code if "return" in code or ";" in code else f"return {code}"}
            }}"""
        )

    async def failure(self, code: str) -> dict[str, str]:
        """Call a method that is refused; return the error."""
        found: dict[str, str] = await self.run(
            f"return {code}.then((result) => ({{ result }}), "
            "({ name, cause, message }) => ({ name, cause, message }));"
        )
        return found

    async def mark(self) -> int:
        """Return how many events there were so far."""
        count: int = await self.page.evaluate("globalThis.seen.length")
        return count

    async def event(self, name: str, detail: dict[str, Any] | None = None, *, after: int = 0) -> None:
        """Wait until there was such an event; `detail` names the fields that count."""
        await self.page.wait_for_function(_FIND, arg={"name": name, "detail": detail or {}, "after": after})

    async def events(self, name: str) -> list[dict[str, Any]]:
        """Return the details of all events of that name so far."""
        found: list[dict[str, Any]] = await self.page.evaluate(
            "(name) => globalThis.seen.filter((one) => one.name === name).map(({ detail }) => detail)", name
        )
        return found


@asynccontextmanager
async def host_site(host: str = "localhost") -> AsyncIterator[HostSite]:
    """Run a site under a host name that leads here."""
    site = HostSite(host)
    app = web.Application()
    app.router.add_get("/{path:.*}", site.respond)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", site.port).start()
    try:
        yield site
    finally:
        await runner.cleanup()
