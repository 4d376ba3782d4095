"""Figures for Prometheus: under LiveKit's names where they mean the same. They are counted when they are asked for."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from livekit.protocol.models import TrackType
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tertulia_sfu.rooms.live_room import LiveRoom

_KINDS: Final = {TrackType.AUDIO: "AUDIO", TrackType.VIDEO: "VIDEO", TrackType.DATA: "DATA"}
_PACKETS: Final = {"incoming": "media_packets_in", "outgoing": "media_packets_forwarded"}
"""The core's counters of RTP packets, by LiveKit's directions."""


class MediaCollector(Collector):
    """Yields the figures of a media server: of its rooms now, and of its core since the start.

    Nothing is registered but by who asks, so several servers of one process do not meet.
    """

    def __init__(self, rooms: Callable[[], Iterable[LiveRoom]], stats: Callable[[], dict[str, int]]) -> None:
        self._rooms = rooms
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        """Yield all figures; called by Prometheus' library in the event loop."""
        yield from self._of_rooms()
        stats = self._stats()
        packets = CounterMetricFamily(
            "livekit_packet", "RTP packets of tracks, without repeated ones.", labels=["direction", "transmission"]
        )
        for direction, name in _PACKETS.items():
            packets.add_metric([direction, "initial"], stats.get(name, 0))
        yield packets
        for name, count in stats.items():
            yield CounterMetricFamily(f"tertulia_media_{name}", "A counter of the media core.", value=count)

    def _of_rooms(self) -> Iterator[Metric]:
        rooms = participants = 0
        published: Counter[str] = Counter()
        subscribed: Counter[str] = Counter()
        for room in self._rooms():
            rooms += 1
            kinds: dict[str, str] = {}
            for participant in room.roster:
                participants += 1
                kinds |= {each.sid: _KINDS.get(each.info.type, "DATA") for each in participant.announced}
            published.update(kinds.values())
            for participant in room.roster:
                subscribed.update(kinds[track] for track in participant.subscriptions if track in kinds)
        yield GaugeMetricFamily("livekit_room_total", "Rooms that are open now.", value=rooms)
        yield GaugeMetricFamily("livekit_participant_total", "Participants who are connected now.", value=participants)
        yield _by_kind("livekit_track_published_total", "Tracks that are published now.", published)
        yield _by_kind("livekit_track_subscribed_total", "Tracks that are subscribed to now.", subscribed)


def _by_kind(name: str, what: str, counts: Counter[str]) -> Metric:
    gauge = GaugeMetricFamily(name, what, labels=["kind"])
    for kind in ("AUDIO", "VIDEO"):
        gauge.add_metric([kind], counts[kind])
    return gauge


class MetricsEndpoint:
    """`GET /metrics` for those who have the token, as a bearer."""

    def __init__(self, token: str, *collectors: Collector) -> None:
        self._expected = f"Bearer {token}".encode()
        self._registry = CollectorRegistry()
        for collector in collectors:
            self._registry.register(collector)

    async def handle(self, request: Request) -> Response:
        """Answer with the text format, or 401."""
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._expected):
            return PlainTextResponse("The metrics need the token.", 401, {"WWW-Authenticate": "Bearer"})
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
