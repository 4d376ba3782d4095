"""LiveKit's webhooks: events for an in-process sink and for URLs; signed, in order for each room, and retried."""

import asyncio
import base64
import hashlib
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import aiohttp
import structlog
from google.protobuf import json_format
from livekit.protocol.models import ParticipantInfo, TrackInfo
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.webhook import WebhookEvent

from tertulia_sfu.ids import new_event_id
from tertulia_sfu.tasks import Tasks
from tertulia_sfu.tokens import Tokens

_log = structlog.get_logger(__name__)

MAX_QUEUED: Final = 200
MAX_AGE_S: Final = 30.0
FIRST_RETRY_S: Final = 0.5
REQUEST_TIMEOUT_S: Final = 10.0
TOKEN_VALID_S: Final = 300

WebhookSink = Callable[[WebhookEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Queued:
    event: WebhookEvent
    at: float


class Webhooks:
    """The delivery of webhook events. Each room has its own order at each receiver; no receiver waits for another.

    `clock` gives the room's time (s); `key` is the API key whose secret signs.
    """

    def __init__(
        self, *, sink: WebhookSink | None, urls: tuple[str, ...], key: str, tokens: Tokens, clock: Callable[[], float]
    ) -> None:
        self._receivers: dict[str, WebhookSink] = {url: self._poster(url) for url in urls}
        if sink is not None:
            self._receivers[""] = sink
        self._key = key
        self._tokens = tokens
        self._clock = clock
        self._queues: dict[tuple[str, str], deque[_Queued]] = {}
        self._dropped: dict[tuple[str, str], int] = defaultdict(int)
        self._tasks = Tasks()
        self._http: aiohttp.ClientSession | None = None

    def __call__(
        self,
        event: str,
        *,
        room: RoomInfo,
        participant: ParticipantInfo | None = None,
        track: TrackInfo | None = None,
    ) -> None:
        """Queue an event for every receiver."""
        now = self._clock()
        message = WebhookEvent(
            event=event, room=room, participant=participant, track=track, id=new_event_id(), created_at=int(now)
        )
        for receiver in self._receivers:
            self._enqueue((room.name, receiver), _Queued(message, now))

    def _enqueue(self, key: tuple[str, str], item: _Queued) -> None:
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = deque()
            self._tasks.start(self._deliver_all(key, queue), name=f"webhooks of {key[0]}")
        if len(queue) >= MAX_QUEUED:
            queue.popleft()
            self._dropped[key] += 1
        queue.append(item)

    async def _deliver_all(self, key: tuple[str, str], queue: deque[_Queued]) -> None:
        try:
            while queue:
                item = queue.popleft()
                item.event.num_dropped = self._dropped.pop(key, 0)
                await self._deliver(self._receivers[key[1]], item)
        finally:
            del self._queues[key]

    async def _deliver(self, receiver: WebhookSink, item: _Queued) -> None:
        pause_s = FIRST_RETRY_S
        while True:
            try:
                await receiver(item.event)
            except Exception as error:  # noqa: BLE001 – any failure of a receiver is retried
                if self._clock() + pause_s > item.at + MAX_AGE_S:
                    _log.warning(
                        "webhook dropped after its last retry",
                        id=item.event.id,
                        error=str(error),
                        **_about(item.event),
                    )
                    return
                _log.info("webhook failed, will be retried", error=str(error), **_about(item.event))
            else:
                return
            await asyncio.sleep(pause_s)
            pause_s *= 2

    def _poster(self, url: str) -> WebhookSink:
        async def post(event: WebhookEvent) -> None:
            if self._http is None:
                self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S))
            body = json_format.MessageToJson(event, indent=None).encode()
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            headers = {
                "Content-Type": "application/webhook+json",
                "Authorization": self._tokens.sign(self._key, body_sha256=digest, valid_s=TOKEN_VALID_S),
            }
            async with self._http.post(url, data=body, headers=headers, allow_redirects=False) as response:
                if not response.ok:
                    raise OSError(f"the receiver answered {response.status}")

        return post

    async def stop(self, grace_s: float) -> None:
        """Deliver the queued events for at most `grace_s`, then close."""
        await self._tasks.join(grace_s)
        await self._tasks.close()
        if self._http is not None:
            await self._http.close()
            self._http = None


def _about(event: WebhookEvent) -> dict[str, str]:
    """Return the fields by which log lines name an event, its room and its participant."""
    fields = {"webhook": event.event, "room": event.room.name, "identity": event.participant.identity}
    return {name: value for name, value in fields.items() if value}
