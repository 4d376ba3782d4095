"""A recording in the page's player, in any browser: does it decode, what does it show, does it seek."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from .fake_media import Rgb
from .waiting import until

_SHOWN: Final = """
() => {
  const video = document.querySelector('video.player');
  if (!video || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.seeking) return null;
  const canvas = document.createElement('canvas');
  canvas.width = 32;
  canvas.height = 18;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
}
"""

_STATE: Final = """
() => {
  const video = document.querySelector('video.player');
  return video && {
    at: video.currentTime,
    duration: video.duration,
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    size: [video.videoWidth, video.videoHeight],
    ended: video.ended,
    paused: video.paused,
    error: video.error?.message ?? null,
  };
}
"""

_SEEK: Final = """
async (to) => {
  const video = document.querySelector('video.player');
  video.pause();
  const arrived = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
  video.currentTime = to;
  await arrived;
  return video.currentTime;
}
"""

_RESUME: Final = "() => document.querySelector('video.player').play()"
_SEEK_ERROR_S: Final = 0.05
_MOVED_S: Final = 0.5


class Evaluate(Protocol):
    """Calls a JavaScript function in the page, as Playwright's `Page.evaluate` does."""

    def __call__(self, expression: str, arg: Any = None) -> Awaitable[Any]: ...


class Player:
    """The page's player."""

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate

    async def plays(self) -> None:
        """Wait until the position advances and frames are decoded."""
        await until("the player opens the recording", self._is_open)
        before = await self._evaluate(_STATE)

        async def goes_on() -> bool:
            now = await self._evaluate(_STATE)
            assert now["error"] is None, now
            # a short recording may have been decoded as a whole, or may end, meanwhile
            has_moved = now["at"] >= before["at"] + _MOVED_S and now["frames"] > before["frames"]
            return bool(has_moved or (now["ended"] and now["frames"] > 0))

        await until(f"the recording plays on from {before}", goes_on)

    async def _is_open(self) -> bool:
        state = await self._evaluate(_STATE)
        return bool(state and state["duration"] and state["size"][0])

    async def resume(self) -> None:
        """Play from where it is."""
        await self._evaluate(_RESUME)

    async def position_s(self) -> float:
        return float((await self._evaluate(_STATE))["at"])

    async def duration_s(self) -> float:
        return float((await self._evaluate(_STATE))["duration"])

    async def seeks(self, to_s: float) -> None:
        """Seek, and land there."""
        landed_s = await self._evaluate(_SEEK, to_s)
        assert abs(landed_s - to_s) <= _SEEK_ERROR_S, f"sought {to_s}, landed at {landed_s}"

    async def shows(self, what: str, fits: Callable[[Picture], bool]) -> None:
        """Wait until the frame passes a check."""
        picture: Picture | None = None

        async def looks_right() -> bool:
            nonlocal picture
            pixels = await self._evaluate(_SHOWN)
            picture = Picture(pixels) if pixels else None
            return picture is not None and fits(picture)

        try:
            await until("", looks_right)
        except AssertionError:
            raise AssertionError(f"the player does not show {what}, but {picture}") from None


class Picture:
    """A frame, scaled down to a few pixels."""

    def __init__(self, rgba: list[int]) -> None:
        self._pixels: list[Rgb] = [(rgba[i], rgba[i + 1], rgba[i + 2]) for i in range(0, len(rgba), 4)]

    def share_of(self, colour: Rgb, *, within: int = 60) -> float:
        """Tell how much of the frame has about that colour."""
        near = [one for one in self._pixels if max(abs(x - y) for x, y in zip(one, colour, strict=True)) < within]
        return len(near) / len(self._pixels)

    def __str__(self) -> str:
        seen = sorted({tuple(value // 40 * 40 for value in one) for one in self._pixels})
        return f"a frame of about {seen}"
