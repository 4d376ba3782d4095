"""Ports of a live room: the media core, the clients' signal connections, timers, and a listener for events."""

from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol

from livekit.protocol.models import ParticipantInfo, TrackInfo, VideoQuality
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.rtc import SignalResponse

from tertulia_sfu.ids import ParticipantSid

Kind = Literal["audio", "video"]
Channel = Literal["reliable", "lossy", "data_track"]
Quality = Literal["low", "medium", "high"]

QUALITIES: Final[dict[VideoQuality, Quality]] = {
    VideoQuality.LOW: "low",
    VideoQuality.MEDIUM: "medium",
    VideoQuality.HIGH: "high",
}
"""The qualities of the protocol, the lowest first."""


class MediaCommands(Protocol):
    """The commands of the media core, specified in `_core.pyi`; none of them blocks."""

    def add_peer(self, peer: str, *, room: str, codecs: list[str]) -> None:
        """Create the peer connection of a participant."""

    def add_subscriber(self, peer: str, *, room: str, channels: bool, codecs: list[str]) -> None:
        """Create a peer connection that only receives, on which the core makes the offers."""

    def remove_peer(self, peer: str) -> None:
        """Close a peer connection."""

    def offer(self, peer: str, *, offer_id: int, sdp: str) -> None:
        """Apply a client's SDP offer."""

    def answer(self, peer: str, *, offer_id: int, sdp: str) -> None:
        """Apply a client's SDP answer."""

    def restart_ice(self, peer: str) -> None:
        """Offer new ICE credentials."""

    def expect_track(
        self,
        peer: str,
        *,
        track: str,
        kind: Kind,
        cids: list[str],
        layers: list[tuple[Quality, int, int]],
        codec: str | None,
        dtx: bool = False,
        stereo: bool = False,
        is_screen: bool = False,
    ) -> None:
        """Announce a track that a section of a past or coming offer carries."""

    def withdraw_track(self, peer: str, *, track: str) -> None:
        """Stop forwarding a track."""

    def set_track_muted(self, peer: str, *, track: str, muted: bool) -> None:
        """Mute or unmute a track."""

    def subscribe(self, peer: str, *, track: str) -> None:
        """Start to forward a track to a peer."""

    def unsubscribe(self, peer: str, *, track: str) -> None:
        """Stop to forward a track to a peer."""

    def configure_subscription(
        self,
        peer: str,
        *,
        track: str,
        enabled: bool = True,
        quality: Quality | None = None,
        height: int | None = None,
        priority: int | None = None,
        fps: int | None = None,
    ) -> None:
        """Set what a subscription receives; `height` in pixels."""

    def send_data(self, peers: list[str], *, channel: Channel, payload: bytes, sender: str | None = None) -> None:
        """Send one data message to each of the peers. `sender`: the peer that waits until they have taken it."""

    def hold_data(self, peer: str, *, seconds: float) -> None:
        """Read nothing from a peer's data channels for this time."""


class SignalSink(Protocol):
    """The clients' signal connections. A client that has none at the moment misses the message."""

    def send(self, recipients: Sequence[ParticipantSid], message: SignalResponse | bytes) -> None:
        """Send a message, serialised already or not, to each recipient."""

    def close(self, sid: ParticipantSid) -> None:
        """Close the participant's connection after the messages sent before."""


class Timers(Protocol):
    """Actions at a later time. A key names one timer: setting it again moves it."""

    def set(self, key: tuple[str, ...], at: float, action: Callable[[float], None]) -> None:
        """Run an action at a time (s), in place of an earlier one with this key."""

    def cancel(self, key: tuple[str, ...]) -> None:
        """Drop the action of this key, if there is one."""


class EventListener(Protocol):
    """A listener for what happens in rooms, in the terms of LiveKit's webhooks."""

    def __call__(
        self,
        event: str,
        *,
        room: RoomInfo,
        participant: ParticipantInfo | None = None,
        track: TrackInfo | None = None,
    ) -> None:
        """Take an event (LiveKit's name of it) and what it is about."""
