"""What a live room needs from outside: a packet engine, the clients' signalling lines, timers, and a listener."""

# ruff: noqa: D102 – the commands are described where they are made, in _core.pyi

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from livekit.protocol.models import ParticipantInfo, TrackInfo
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.rtc import SignalResponse

from .ids import ParticipantSid

Kind = Literal["audio", "video"]
Channel = Literal["reliable", "lossy"]
Quality = Literal["low", "medium", "high"]


class Media(Protocol):
    """The commands of the media core (see `_core.pyi`); none of them blocks."""

    def add_peer(self, peer: str) -> None: ...
    def remove_peer(self, peer: str) -> None: ...
    def offer(self, peer: str, *, offer_id: int, sdp: str) -> None: ...
    def trickle(self, peer: str, *, candidate: str) -> None: ...
    def expect_track(
        self, peer: str, *, track: str, kind: Kind, cids: list[str], layers: list[tuple[Quality, int, int]]
    ) -> None: ...
    def withdraw_track(self, peer: str, *, track: str) -> None: ...
    def set_track_muted(self, peer: str, *, track: str, muted: bool) -> None: ...
    def subscribe(self, peer: str, *, track: str) -> None: ...
    def unsubscribe(self, peer: str, *, track: str) -> None: ...
    def configure_subscription(
        self,
        peer: str,
        *,
        track: str,
        enabled: bool = True,
        quality: Quality | None = None,
        height: int | None = None,
        priority: int | None = None,
    ) -> None: ...
    def send_data(self, peers: list[str], *, channel: Channel, payload: bytes) -> None: ...


class Signals(Protocol):
    """The clients' signalling lines. Whoever has none at the moment misses the message."""

    def send(self, to: Sequence[ParticipantSid], message: SignalResponse) -> None: ...
    def hang_up(self, who: ParticipantSid) -> None:
        """Close the line, in order, after what was sent before."""


class Timers(Protocol):
    """Things to do later. A key names one timer: setting it again moves it."""

    def set(self, key: tuple[str, ...], at: float, action: Callable[[float], None]) -> None: ...
    def cancel(self, key: tuple[str, ...]) -> None: ...


class Notices(Protocol):
    """Is told what applications may want to know (LiveKit's webhooks)."""

    def __call__(
        self,
        event: str,
        *,
        room: RoomInfo,
        participant: ParticipantInfo | None = None,
        track: TrackInfo | None = None,
    ) -> None: ...
