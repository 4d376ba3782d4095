"""The Rust media core: commands in, events out.

No call blocks and no media thread ever takes the GIL: a command is queued for the worker that owns the peer, and what
happens is told by events. `fileno()` becomes readable when events wait (use it with `loop.add_reader`); `drain()`
hands them over in batches.

Words: a *peer* is one participant's single peer connection, named by its participant SID (`PA_…`). A *track* is one
published track, named by its track SID (`TR_…`). A *subscription* is one peer receiving one track.
"""

from typing import Literal, TypeAlias, final

Kind: TypeAlias = Literal["audio", "video"]
Channel: TypeAlias = Literal["reliable", "lossy", "data_track"]
Quality: TypeAlias = Literal["low", "medium", "high"]

@final
class MediaCore:
    """The packet engine: worker threads, one UDP port, every peer connection.

    Raises OSError from the constructor if the UDP port is taken or an address is not usable.
    """

    def __init__(
        self,
        *,
        udp_port: int,
        bind: str = "0.0.0.0",
        addresses: list[str],
        workers: int = 0,
    ) -> None:
        """`udp_port` 0: any free one. `addresses`: what candidates offer. `workers` 0: one for each core."""

    @property
    def udp_port(self) -> int: ...
    def fileno(self) -> int: ...
    def drain(self, max_events: int = 1024) -> list[Event]: ...
    def close(self) -> None:
        """Close every peer and socket and join the threads; the GIL is released meanwhile. Idempotent."""

    # ── peers ──
    def add_peer(self, peer: str) -> None: ...
    def remove_peer(self, peer: str) -> None: ...
    def offer(self, peer: str, *, offer_id: int, sdp: str) -> None:
        """Apply a client's offer (a new ICE ufrag means ICE restart); `Answered` or `NegotiationFailed` follows."""
    def trickle(self, peer: str, *, candidate: str) -> None:
        """A remote candidate line (`candidate:…`). May come before the offer. Unusable ones are ignored."""

    # ── publishing ──
    def expect_track(
        self, peer: str, *, track: str, kind: Kind, cids: list[str], layers: list[tuple[Quality, int, int]]
    ) -> None:
        """Announce a track that a section of a past or coming offer will carry.

        `cids` are what the msid of that section may say; without a match the first pending track of the same kind
        takes it. `layers`: quality, width and height in pixels, in ascending order (empty for audio).
        """
    def withdraw_track(self, peer: str, *, track: str) -> None:
        """Stop forwarding a track and drop its subscriptions, whatever the client goes on sending."""
    def set_track_muted(self, peer: str, *, track: str, muted: bool) -> None: ...

    # ── subscribing ──
    def subscribe(self, peer: str, *, track: str) -> None:
        """Give `track` a section of `peer`. Without a free one `SectionsNeeded` asks for it and the wish waits."""
    def unsubscribe(self, peer: str, *, track: str) -> None: ...
    def configure_subscription(
        self,
        peer: str,
        *,
        track: str,
        enabled: bool = True,
        quality: Quality | None = None,
        height: int | None = None,
        fps: int | None = None,
        priority: int | None = None,
    ) -> None:
        """Say what a subscription wants. Comes before or after `subscribe`; `height` (pixels) beats `quality`.

        `priority`: higher gets bandwidth first (1 if not given). `fps` has no effect: layers are chosen by size alone.
        """

    # ── data ──
    def send_data(self, peers: list[str], *, channel: Channel, payload: bytes) -> None:
        """Send one message to each peer whose channel is open; bounded per peer (lossy drops, reliable gives up)."""

    # ── insight ──
    def stats(self) -> dict[str, int]:
        """Cumulative counters over all workers, read without locks: packets, bytes, drops by reason, NACK, PLI…"""

class Event:
    """What happened; one of the nested classes. Match on them, or dispatch by `type(event)`."""

    @final
    class Answered(Event):
        """The answer to an offer. `tracks` maps the mid of every section that now sends to its track SID."""

        peer: str
        offer_id: int
        sdp: str
        tracks: dict[str, str]

    @final
    class NegotiationFailed(Event):
        peer: str
        offer_id: int
        reason: str

    @final
    class SectionsNeeded(Event):
        """The client has to offer again, with this many more receiving sections.

        Both 0: only again. A section can be given to a track, or shown empty after one, only in an answer.
        Asked once, and again after 3 s without an offer.
        """

        peer: str
        audio: int
        video: int

    @final
    class PeerConnected(Event):
        """ICE and DTLS are up (again)."""

        peer: str

    @final
    class PeerDisconnected(Event):
        """Nothing valid was heard from the peer for the ICE timeout. It may come back by an ICE restart."""

        peer: str

    @final
    class PeerFailed(Event):
        """The peer is gone from the core: a fault in its own state, or it could not follow. Others are not touched."""

        peer: str
        reason: str

    @final
    class TrackStarted(Event):
        """The first packet of an expected track came. `mime_type` as LiveKit writes it, e.g. `video/VP8`."""

        peer: str
        track: str
        cid: str
        mid: str
        mime_type: str
        simulcast: bool

    @final
    class TrackEnded(Event):
        """The client's section no longer sends: the track was unpublished."""

        peer: str
        track: str

    @final
    class SubscriptionStarted(Event):
        """The section is answered and bound: media flows from the next key frame."""

        peer: str
        track: str

    @final
    class SubscriptionFailed(Event):
        """`reason`: `codec_unsupported` or `track_not_found`."""

        peer: str
        track: str
        reason: str

    @final
    class QualityWanted(Event):
        """The best layer any subscriber wants of a video track (None: nobody wants any). Lowering waits 5 s."""

        peer: str
        track: str
        quality: Quality | None

    @final
    class SpeakersChanged(Event):
        """Peers whose speech level changed, in steps of 1/8; level 0.0 means stopped. At most every 400 ms."""

        levels: list[tuple[str, float]]

    @final
    class StreamPaused(Event):
        """The allocator paused (or resumed) a video: even the lowest layers have not fit for 10 s."""

        peer: str
        track: str
        paused: bool

    @final
    class LinkQuality(Event):
        """Every 5 s when it changed: share of packets lost (0–1) in the worse direction, and round trip time."""

        peer: str
        loss: float
        rtt_ms: int

    @final
    class DataReceived(Event):
        peer: str
        channel: Channel
        payload: bytes

    @final
    class DataOpen(Event):
        """The peer's channel can now be sent on."""

        peer: str
        channel: Channel

@final
class Receiver:
    """A participant that only receives: one peer connection on a thread and a UDP socket of its own.

    Signalling is the caller's: `offer()` gives the SDP for the media server, `answer()` takes what it says. Nothing
    here waits for the network. Raises OSError from the constructor if no socket can be had or an address is none.
    """

    def __init__(self, *, addresses: list[str]) -> None:
        """`addresses`: those of this machine at which the media server may reach it."""

    def offer(self, *, audio: int, video: int) -> str:
        """An offer with so many receiving sections more; sections without media are offered afresh."""
    def answer(self, *, sdp: str) -> None:
        """Raises ValueError for an answer that does not fit the last offer."""
    def add_candidate(self, candidate: str) -> None:
        """A remote candidate line (`candidate:…`). Unusable ones are ignored."""
    def restart(self, mid: str) -> None:
        """Ask for a key frame, and give nothing of this section before it."""
    def drain(self) -> list[Frame]:
        """Everything that came since the last call, in order. Pictures begin with a key frame and have no gaps.

        Some thousand frames wait; who does not take them loses the oldest.
        """
    @property
    def behind_us(self) -> int:
        """How old what has arrived may be without being in `drain()` yet: little, unless the machine is too slow.

        To be asked before draining.
        """
    @property
    def state(self) -> Literal["connecting", "connected", "gone"]:
        """`gone` is for good."""
    def close(self) -> None:
        """End the thread and free the port. Idempotent."""

@final
class Frame:
    """One encoded picture, or one packet of sound."""

    mid: str
    """The section that carried it; the answer's `mid_to_track_id` says whose it is."""
    codec: Literal["opus", "vp8", "vp9", "h264", "av1", "unknown"]
    rtp_time: int
    """The sender's media clock, extended beyond 32 bits."""
    clock_hz: int
    age_us: int
    """How long before the call of `drain` its first packet came."""
    is_key: bool
    quarter_turns: int
    """How often a picture is to be turned clockwise by 90 degrees."""
    @property
    def data(self) -> bytes: ...
