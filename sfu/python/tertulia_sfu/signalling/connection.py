"""Outgoing signal messages: one bounded queue for each WebSocket, so that a slow client delays only itself."""

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
NORMAL_CLOSURE: Final = 1000  # RFC 6455 section 7.4.1; clients take any other code for a lost connection
POLICY_VIOLATION: Final = 1008


class SignalConnection:
    """The outgoing side of one WebSocket, of `participant` once there is one."""

    def __init__(self, **log_fields: str) -> None:
        self.participant: ParticipantSid | None = None
        self._log_fields = log_fields
        self._frames: deque[bytes] = deque()
        self._queued_bytes = 0
        self._close_code: int | None = None
        self._changed = asyncio.Event()

    def send(self, frame: bytes) -> None:
        """Queue a frame. A client that does not read its frames is disconnected; it may resume."""
        if self._close_code is not None:
            return
        self._frames.append(frame)
        self._queued_bytes += len(frame)
        if len(self._frames) > MAX_QUEUED_FRAMES or self._queued_bytes > MAX_QUEUED_BYTES:
            _log.warning(
                "signal connection closed: the client does not read",
                participant=self.participant,  # not the one whose message this is
                frames=len(self._frames),
                **self._log_fields,
            )
            self._frames.clear()
            self.close(POLICY_VIOLATION)
        self._changed.set()

    def close(self, code: int = NORMAL_CLOSURE) -> None:
        """Close the WebSocket after the queued frames."""
        if self._close_code is None:
            self._close_code = code
        self._changed.set()

    async def run(self, socket: WebSocket) -> bool:
        """Write the queued frames until the connection is closed or lost.

        Return whether the client closed it: what it sent before may still be unread.
        """
        try:
            while self._frames or self._close_code is None:
                while self._frames:
                    frame = self._frames.popleft()
                    self._queued_bytes -= len(frame)
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await socket.send_bytes(frame)
                if self._close_code is None:
                    self._changed.clear()
                    await self._changed.wait()
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await socket.close(self._close_code or NORMAL_CLOSURE)
        except TimeoutError:
            self.close()
        except (WebSocketDisconnect, RuntimeError):
            # the client is gone already; Starlette raises RuntimeError for a socket that was closed before
            self.close()
            return True
        return False


class SignalConnections:
    """The current connection of each participant."""

    def __init__(self) -> None:
        self._connections: dict[ParticipantSid, SignalConnection] = {}

    def attach(self, sid: ParticipantSid, connection: SignalConnection) -> None:
        """Make this the participant's connection; an older one is closed."""
        older = self._connections.get(sid)
        self._connections[sid] = connection
        connection.participant = sid
        if older is not None:
            older.close()

    def detach(self, sid: ParticipantSid, connection: SignalConnection) -> bool:
        """Remove a lost connection. Return False if it was replaced or closed by the server before."""
        if self._connections.get(sid) is not connection:
            return False
        del self._connections[sid]
        return True

    def send(self, recipients: Sequence[ParticipantSid], message: SignalResponse | bytes) -> None:
        """Queue a message for each recipient; it is serialised once."""
        frame = message if isinstance(message, bytes) else None
        for sid in recipients:
            connection = self._connections.get(sid)
            if connection is not None:
                if frame is None:
                    frame = message.SerializeToString()  # type: ignore[union-attr]
                connection.send(frame)

    def close(self, sid: ParticipantSid) -> None:
        """Close a participant's connection after the messages sent before."""
        connection = self._connections.pop(sid, None)
        if connection is not None:
            connection.close()
