"""The Rust media core: commands in, events out.

No call blocks and no media thread takes the GIL: a command is queued for the worker that owns the peer, and events
report what happens. `fileno()` is readable while events wait (use it with `loop.add_reader`); `drain()` returns them in
batches. Commands for unknown peers and tracks are ignored.

A *peer* is a peer connection. A participant has one, named by its participant SID (`PA_…`), on which its client makes
the offers; or, with clients that use two, a second one for what it receives (`add_subscriber`). A *track* is a
published track, named by its track SID (`TR_…`), or by that and a codec where it is sent in a second one
(`TR_…/vp8`): clients are told the SID. A *subscription* is one peer that receives one track.
"""

from typing import Final, Literal, TypeAlias, final

Kind: TypeAlias = Literal["audio", "video"]
Channel: TypeAlias = Literal["reliable", "lossy", "data_track"]
Quality: TypeAlias = Literal["low", "medium", "high"]

@final
class MediaCore:
    """The packet engine: worker threads, one UDP and one TCP port, all peer connections.

    Raises OSError from the constructor if a port is taken, an address is not usable, or a codec is not known.
    """

    def __init__(
        self,
        *,
        udp_port: int,
        tcp_port: int | None = None,
        shared_tcp: list[tuple[str, int]] = ...,
        bind: list[str],
        addresses: list[str],
        workers: int = 0,
    ) -> None:
        """Bind and start.

        `udp_port`, `tcp_port` 0: any free one; `tcp_port` None: it does not listen for TCP. `shared_tcp`: candidates
        for TCP whose connections come by `take_over`. `bind`: where it listens, at most one address of each family.
        `addresses`: ICE candidates. `workers` 0: one for each core.
        """

    @property
    def udp_port(self) -> int: ...
    @property
    def tcp_port(self) -> int | None: ...
    def take_over(self, descriptor: int) -> None:
        """Take over a TCP connection that was accepted elsewhere; one that does not become a participant's is closed.

        The descriptor must not be used any more (`socket.detach`).
        """
    def fileno(self) -> int: ...
    def drain(self, max_events: int = 1024) -> list[Event]: ...
    def close(self) -> None:
        """Close all peers and sockets and join the threads, without the GIL. Idempotent."""

    # ── peers ──
    def add_peer(self, peer: str, *, room: str, codecs: list[str]) -> None:
        """Create a peer, beside those of the same `room` while their worker has time.

        `codecs`: the MIME types that are negotiated. Raises ValueError for one that is not known.
        """
    def add_subscriber(self, peer: str, *, room: str, channels: bool, codecs: list[str]) -> None:
        """Create a peer on which the core makes the offers (`Offered`), and that only receives.

        `channels`: open the data channels with the first offer. Without them nothing is offered before a track is.
        """
    def remove_peer(self, peer: str) -> None: ...
    def offer(self, peer: str, *, offer_id: int, sdp: str) -> None:
        """Apply a client's offer (a new ICE ufrag means ICE restart); `Answered` or `NegotiationFailed` follows."""

    def answer(self, peer: str, *, offer_id: int, sdp: str) -> None:
        """Apply a client's answer; `NegotiationFailed` follows if it does not fit. `offer_id` 0: to the last offer.

        An answer to another offer than the open one is ignored.
        """
    def restart_ice(self, peer: str) -> None:
        """Offer new ICE credentials. An offer that has no answer yet is repeated before."""

    # ── publishing ──
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
        """Announce a track that a section of a past or coming offer will carry.

        `cids` are the client's ids of the track, as in the msid of that section; without a match the section takes the
        first pending track of its kind. `layers`: quality, width and height in pixels, in ascending order (empty for
        audio). `codec`: what the client wants to send, by the name in its offer (`H264`), in any case. None: any,
        sound with redundancy first. `dtx`, `stereo`: of sound, send next to nothing while it is silent; two channels.
        `is_screen`: of pictures, the last ones to become smaller where a link is narrow.
        """
    def withdraw_track(self, peer: str, *, track: str) -> None:
        """Stop forwarding a track and end its subscriptions, even if the client goes on sending."""
    def set_track_muted(self, peer: str, *, track: str, muted: bool) -> None: ...

    # ── subscribing ──
    def subscribe(self, peer: str, *, track: str) -> None:
        """Forward `track` to `peer`. Without a free section `SectionsNeeded` follows and the subscription waits."""
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
        fps: int | None = None,
    ) -> None:
        """Replace what a subscriber asks of a track, before or after `subscribe`.

        `height` (pixels) takes precedence over `quality`; without either the best layer is sent. `priority`: higher
        gets bandwidth first (default 1). `fps`: as many frames per second suffice, where the video has temporal layers.
        """

    # ── data ──
    def send_data(self, peers: list[str], *, channel: Channel, payload: bytes, sender: str | None = None) -> None:
        """Send one message to each peer whose channel is open.

        Lossy messages and packets of data tracks are dropped above 64 KiB unsent. Reliable messages wait, up to 3 MiB
        for each peer. They count for the `sender` until all have taken them: with more than 512 KiB on its way, its
        data channels are not read. A peer that takes less than 32 KiB in 5 s loses what waits for it (`DataLost`).
        """
    def hold_data(self, peer: str, *, seconds: float) -> None:
        """Read nothing from a peer's data channels for this time. Raises ValueError for a negative one."""

    # ── statistics ──
    def stats(self) -> dict[str, int]:
        """Return cumulative counters over all workers: packets, bytes, drops by reason, key frame requests…"""

class Event:
    """Something that happened: one of the nested classes. Match on them, or dispatch by `type(event)`."""

    @final
    class Answered(Event):
        """An offer was applied. `tracks` maps the mid of every section that now sends to its track SID."""

        peer: str
        offer_id: int
        sdp: str
        tracks: dict[str, str]

    @final
    class Offered(Event):
        """The client has to answer this offer of a subscriber peer. No other one is made before it has."""

        peer: str
        offer_id: int
        sdp: str

    @final
    class NegotiationFailed(Event):
        peer: str
        offer_id: int
        reason: str

    @final
    class SectionsNeeded(Event):
        """The client has to offer again, with this many additional receiving sections.

        Both 0: only again. A section can be given to a track, or shown empty after one, only in an answer.
        Repeated after 3 s without an offer.
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
        """Nothing was received from the peer for 10 s, or it closed its end. An ICE restart may bring it back."""

        peer: str

    @final
    class PeerFailed(Event):
        """The peer was removed because of an error, or of what its client sends. Other peers are not affected.

        `reason` names the client's address where it is known. "worker fault": all peers of a worker were lost.
        """

        peer: str
        reason: str

    @final
    class TrackStarted(Event):
        """The first packet of an expected track was received. `mime_type` as LiveKit writes it, e.g. `video/VP8`."""

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
        """The best layer that any subscriber asks of a video (None: no subscriber does). Lowering waits 5 s."""

        peer: str
        track: str
        quality: Quality | None

    @final
    class SpeakersChanged(Event):
        """Peers whose speech level changed: 0.0 to 1.0 in steps of 1/8, 0.0 when they stopped. At most every 400 ms."""

        levels: list[tuple[str, float]]

    @final
    class StreamPaused(Event):
        """The allocator paused (or resumed) a video: the link is full, even the lowest layers have not fit for 10 s."""

        peer: str
        track: str
        paused: bool

    @final
    class LinkQuality(Event):
        """At most every 5 s: share of packets lost (0.0 to 1.0) in the worse direction, and round-trip time."""

        peer: str
        loss: float
        rtt_ms: int

    @final
    class PeerReport(Event):
        """What is known of a peer's connection, and of what it sends and receives; every 5 s.

        `remote`: the client's end of the path, an address with a port; `protocol`: `udp`, `tcp` or `tls`; both empty
        while there is no path. `received_…`: what the client sends, `sent_…`: what it receives; losses from 0.0 to 1.0,
        the jitter is that of the worst stream. None: not known of these 5 s. `keyframe_requests`: how often the client
        asked for a key frame so far. `estimate_bps`: what it can receive, by its own estimate. `published`: the layers
        that are received of its videos. `subscribed`: of each video that it wants, what it is sent and the best there
        is.
        """

        peer: str
        remote: str
        protocol: str
        rtt_ms: int | None
        received_loss: float | None
        received_jitter_ms: int | None
        sent_loss: float | None
        sent_jitter_ms: int | None
        keyframe_requests: int
        estimate_bps: int | None
        published: list[tuple[str, list[Quality]]]
        subscribed: list[tuple[str, Quality | None, Quality | None]]

    @final
    class DataReceived(Event):
        peer: str
        channel: Channel
        payload: bytes

    @final
    class DataLost(Event):
        """The peer does not take its data fast enough: `bytes` were dropped. Once, until it has taken the rest."""

        peer: str
        bytes: int

    @final
    class DataOpen(Event):
        """The peer opened a channel: it can be sent on."""

        peer: str
        channel: Channel

@final
class Receiver:
    """A participant that only receives: one peer connection on a thread and sockets of its own.

    Media comes by UDP, or by TCP where no way by UDP is found within a second.

    The caller does the signalling: `offer()` returns the SDP for the media server, `answer()` takes its answer. No call
    waits for the network. Raises OSError from the constructor if there is no socket or an address is not valid.
    """

    def __init__(self, *, addresses: list[str]) -> None:
        """Bind and start. `addresses`: those of this machine at which the media server may reach it."""

    def offer(self, *, audio: int, video: int) -> str:
        """Return an offer with this many additional receiving sections; sections without media are offered again."""
    def answer(self, *, sdp: str) -> None:
        """Apply the answer to the last offer. Raises ValueError if it does not fit."""
    def add_candidate(self, candidate: str) -> None:
        """Add a remote ICE candidate (`candidate:…`). Unusable ones are ignored."""
    def restart(self, mid: str) -> None:
        """Request a key frame, and withhold frames of this section until it comes."""
    def drain_audio(self) -> list[Frame]:
        """Return all sound received since the last call, in order. No amount of pictures displaces any.

        At most 65,536 packets wait; beyond that the oldest are dropped.
        """
    def drain_video(self) -> list[Frame]:
        """Return all pictures received since the last call, in order. A section begins with a key frame, without gaps.

        At most 64 MiB wait; beyond that those of the section that has most of them are dropped.
        """
    @property
    def socket_buffer_bytes(self) -> int:
        """The UDP socket's receive buffer, as the system granted it."""
    @property
    def behind_us(self) -> int:
        """How long ago a packet may have arrived without being drained yet: little, unless the machine is slow.

        Read it before draining.
        """
    @property
    def state(self) -> Literal["connecting", "connected", "gone"]:
        """`gone` is final: a new receiver has to be made."""
    def close(self) -> None:
        """End the thread and free the port. Idempotent."""

@final
class Frame:
    """One encoded video frame, or one packet of audio."""

    mid: str
    """The section that carried it; `mid_to_track_id` of the answer names its track."""
    codec: Literal["opus", "vp8", "vp9", "h264", "av1", "unknown"]
    rtp_time: int
    """The sender's media clock, extended beyond 32 bits."""
    clock_hz: int
    age_us: int
    """Time between the arrival of its first packet and the call that took it."""
    is_key: bool
    quarter_turns: int
    """How often a video frame is to be turned clockwise by 90 degrees for display."""
    is_refused: bool
    """Whether it broke a limit: a picture of more than `MAX_PICTURE_PIXELS`, too many bytes, too many frames.

    It has no data then, and nothing of its section follows for some seconds.
    """
    @property
    def data(self) -> bytes: ...

MAX_PICTURE_PIXELS: Final[int]
"""The largest picture that `Receiver` lets through."""

def deny_unneeded_system_calls() -> None:
    """Deny this process, in all its threads and for good, the system calls that a receiving participant does not need.

    Among them: starting programs and processes, sockets other than IP and Unix ones, reaching other processes,
    mounting. They fail with EPERM. Raises OSError where the kernel or the machine cannot do that.
    """
