"""The clients' signalling lines: one bounded queue for each WebSocket, so that a slow client costs only itself."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog
from livekit.protocol.rtc import SignalResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from tertulia_sfu.ids import ParticipantSid

_log = structlog.get_logger(__name__)

MAX_QUEUED_FRAMES: Final = 4096
MAX_QUEUED_BYTES: Final = 8 * 1024 * 1024
SEND_TIMEOUT_S: Final = 10.0
NORMAL: Final = 1000  # RFC 6455 section 7.4.1; clients take any other code for a lost connection
POLICY_VIOLATION: Final = 1008


class SignalConnection:
    """The outgoing side of one WebSocket."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._queued_bytes = 0
        self._ending: int | None = None
        self._wake = asyncio.Event()

    def send(self, frame: bytes) -> None:
        """Queue a frame. A client that does not take its frames is cut off; it may resume."""
        if self._ending is not None:
            return
        self._frames.append(frame)
        self._queued_bytes += len(frame)
        if len(self._frames) > MAX_QUEUED_FRAMES or self._queued_bytes > MAX_QUEUED_BYTES:
            _log.warning("signalling line cut: the client does not read", frames=len(self._frames))
            self._frames.clear()
            self.end(POLICY_VIOLATION)
        self._wake.set()

    def end(self, code: int = NORMAL) -> None:
        """Close after what is queued."""
        if self._ending is None:
            self._ending = code
        self._wake.set()

    async def pump(self, socket: WebSocket) -> None:
        """Write what is queued until the line ends or breaks."""
        try:
            while self._frames or self._ending is None:
                while self._frames:
                    frame = self._frames.popleft()
                    self._queued_bytes -= len(frame)
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await socket.send_bytes(frame)
                if self._ending is None:
                    self._wake.clear()
                    await self._wake.wait()
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await socket.close(self._ending or NORMAL)
        except (WebSocketDisconnect, TimeoutError, RuntimeError):
            # the client is gone already; RuntimeError is Starlette's word for "closed before"
            self.end()


class SignalConnections:
    """Which participant has which line at the moment."""

    def __init__(self) -> None:
        self._lines: dict[ParticipantSid, SignalConnection] = {}

    def attach(self, who: ParticipantSid, line: SignalConnection) -> None:
        """Give a participant a (new) line; an older one ends."""
        older = self._lines.get(who)
        self._lines[who] = line
        if older is not None:
            older.end()

    def detach(self, who: ParticipantSid, line: SignalConnection) -> bool:
        """Take a broken line away. False if the participant had another already, or was hung up."""
        if self._lines.get(who) is not line:
            return False
        del self._lines[who]
        return True

    def send(self, to: Sequence[ParticipantSid], message: SignalResponse) -> None:
        """Queue a message for each; it is serialised once."""
        frame: bytes | None = None
        for who in to:
            line = self._lines.get(who)
            if line is not None:
                if frame is None:
                    frame = message.SerializeToString()
                line.send(frame)

    def close(self, who: ParticipantSid) -> None:
        """Close the line after what was sent before."""
        line = self._lines.pop(who, None)
        if line is not None:
            line.end()
