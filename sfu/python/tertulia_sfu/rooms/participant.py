"""One participant of a live room: its claims, its publications, its subscriptions, and its connection state."""

from dataclasses import dataclass, field, replace
from typing import Final

from livekit.protocol.models import (
    ClientInfo,
    DataTrackInfo,
    DisconnectReason,
    ParticipantInfo,
    ParticipantPermission,
    TrackInfo,
    TrackSource,
)
from livekit.protocol.rtc import AddTrackRequest, SessionDescription, SubscribedQualityUpdate, UpdateTrackSettings

from tertulia_sfu.ids import ParticipantSid, TrackSid
from tertulia_sfu.rooms.data_budget import DataBudget
from tertulia_sfu.rooms.ports import Quality
from tertulia_sfu.rooms.protocol import PROTOCOL
from tertulia_sfu.rooms.track_access import TrackAccess
from tertulia_sfu.tokens import Claims

_SUBSCRIBER: Final = "/subscriber"
DEPENDENT_KINDS: Final = frozenset({ParticipantInfo.EGRESS, ParticipantInfo.AGENT})


def participant_of(peer: str) -> str:
    """Return the id of the participant that a peer belongs to."""
    return peer.removesuffix(_SUBSCRIBER)


@dataclass(slots=True)
class BackupCodec:
    """A second codec in which a publisher can send a video, for those who cannot decode the first one.

    `codec`: its name, in small letters. `track`: what the media core calls it. `is_asked`: the publisher was asked for
    it. `is_expected`: it will be in a section. `is_started`: its first packet came. `wanted`: the best layer that
    anyone wants of it.
    """

    codec: str
    track: str
    is_asked: bool = False
    is_expected: bool = False
    is_started: bool = False
    wanted: Quality | None = None


@dataclass(slots=True)
class Publication:
    """A track of a participant. `announced` once its first packet came: until then only its publisher knows it.

    `subscriber_reported`: the publisher was told that someone subscribed. `quality_update`: the last one it was sent.
    `wanted`: the best layer that anyone wants. `backup`: None without a second codec.
    """

    info: TrackInfo
    cids: list[str]
    announced: bool = False
    subscriber_reported: bool = False
    quality_update: SubscribedQualityUpdate | None = None
    wanted: Quality | None = "high"
    backup: BackupCodec | None = None

    @property
    def sid(self) -> TrackSid:
        """The track's id."""
        return TrackSid(self.info.sid)

    @property
    def core_tracks(self) -> list[str]:
        """What the media core calls the track, in each codec that is or will be sent."""
        backup = [self.backup.track] if self.backup is not None and self.backup.is_expected else []
        return [self.sid, *backup]

    def core_track(self, receiver: "Participant") -> str:
        """Return what the media core calls the track as one participant receives it."""
        backup = self.backup
        is_backup = backup is not None and backup.is_started and self.sid in receiver.second_codecs
        return backup.track if backup is not None and is_backup else self.sid


@dataclass(slots=True)
class SubscriptionPreferences:
    """What a participant asked to receive, by track; `auto_subscribe` decides where it asked for nothing.

    `auto_subscribe_data` and `data_tracks`: the same for data tracks.
    """

    auto_subscribe: bool
    adaptive_stream: bool
    auto_subscribe_data: bool = False
    subscribed: dict[TrackSid, bool] = field(default_factory=dict)
    settings: dict[TrackSid, UpdateTrackSettings] = field(default_factory=dict)
    data_tracks: dict[TrackSid, bool] = field(default_factory=dict)

    def wants(self, track: TrackSid) -> bool:
        """Return whether the participant wants to receive a track."""
        return self.subscribed.get(track, self.auto_subscribe)

    def wants_data(self, track: TrackSid) -> bool:
        """Return whether the participant wants to receive a data track."""
        return self.data_tracks.get(track, self.auto_subscribe_data)

    def forget(self, track: TrackSid) -> None:
        """Drop what was asked about a track that has ended."""
        self.subscribed.pop(track, None)
        self.settings.pop(track, None)


@dataclass(slots=True)
class ResumeFault:
    """A simulated fault: the next `times` resumes fail, before (`silent`) or after their messages."""

    silent: bool
    times: int
    until: float


@dataclass(slots=True, eq=False)
class Participant:
    """The state of one signal session. `joined_at` and the other times are the room's time (s).

    `subscriptions`: the tracks that the media core was told to send. `second_codecs`: those that it cannot decode in
    their first codec. `was_active`: its media was connected once.
    `address`: of its last signal connection, for the log. `signal_lost_at`: since when it has none; None while it has
    one. `is_dual`: its client uses a second peer connection for what it receives; `subscriber_primary`: the state of
    that one counts, and data is sent on it. `peers_up`: the peers that have been connected, False for those that were
    lost. `links`: loss and round-trip time (ms) by peer. `repeated_bytes`: how much of its state each of the others has
    been sent; `repeated_copies`: to how many of them, in all, where each change is sent at once. `told_changes`: it was
    sent the whole state of the room after this change (see `ParticipantUpdates`). `offer_pending`: the media core has
    an offer that it has not answered yet; `waiting_offer`: the one after it. `open_offer`: the number of our own offer
    that the client has not answered. `data_tracks`: what it publishes on `_data_track`, by the handles that it has
    chosen.
    """

    sid: ParticipantSid
    claims: Claims
    client: ClientInfo
    preferences: SubscriptionPreferences
    joined_at: float
    protocol: int = PROTOCOL
    is_dual: bool = False
    subscriber_primary: bool = False
    address: str = "unknown"
    token_not_after: float | None = None
    state: "ParticipantInfo.State" = ParticipantInfo.JOINING
    version: int = 0
    publications: dict[TrackSid, Publication] = field(default_factory=dict)
    queued_tracks: list[AddTrackRequest] = field(default_factory=list)
    data_tracks: dict[int, DataTrackInfo] = field(default_factory=dict)
    subscriptions: set[TrackSid] = field(default_factory=set)
    second_codecs: set[TrackSid] = field(default_factory=set)
    track_access: TrackAccess = field(default_factory=TrackAccess.for_all)
    was_active: bool = False
    peers_up: dict[str, bool] = field(default_factory=dict)
    links: dict[str, tuple[float, int]] = field(default_factory=dict)
    signal_lost_at: float | None = None
    reliable_channel_open: bool = False
    last_reliable_sequence: int = 0
    resume_fault: ResumeFault | None = None
    repeated_bytes: int = 0
    repeated_copies: int = 0
    told_changes: int = 0
    offer_pending: bool = False
    waiting_offer: SessionDescription | None = None
    open_offer: int | None = None
    data_refused_at: float = 0.0
    data_budget: DataBudget = field(default_factory=DataBudget)

    @property
    def subscriber_peer(self) -> str:
        """The peer that receives tracks. The other one, if there are two, has the name of the participant."""
        return f"{self.sid}{_SUBSCRIBER}" if self.is_dual else self.sid

    @property
    def primary_peer(self) -> str:
        """The peer whose connection makes the participant active, and that data is sent on."""
        return self.subscriber_peer if self.subscriber_primary else self.sid

    @property
    def connected(self) -> bool:
        """Whether its media is connected: the primary peer, and the other one unless it was never used."""
        return self.peers_up.get(self.primary_peer, False) and all(self.peers_up.values())

    @property
    def identity(self) -> str:
        """The identity in the token, by which the server API names this participant."""
        return self.claims.identity

    @property
    def log_fields(self) -> dict[str, str]:
        """The fields by which log lines name this participant and its room."""
        return {"room": self.claims.video.room, "participant": self.sid, "identity": self.identity}

    @property
    def is_dependent(self) -> bool:
        """Whether this is a recorder or agent: those neither keep a room open nor count towards its limit."""
        return self.claims.kind in DEPENDENT_KINDS or self.claims.video.recorder

    @property
    def is_hidden(self) -> bool:
        """Whether the others are not told of this participant."""
        return self.claims.video.hidden

    @property
    def is_recorder(self) -> bool:
        """Whether the room counts as recorded while this participant is in it."""
        return self.claims.video.recorder or self.claims.kind == ParticipantInfo.EGRESS

    @property
    def is_counted(self) -> bool:
        """Whether this participant counts towards `max_participants`."""
        return not (self.is_hidden or self.is_dependent)

    @property
    def announced(self) -> list[Publication]:
        """The publications that the others know."""
        return [publication for publication in self.publications.values() if publication.announced]

    @property
    def is_publisher(self) -> bool:
        """Whether the others know a track of this participant."""
        return bool(self.announced or self.data_tracks)

    def may_publish(self, source: "TrackSource") -> bool:
        """Return whether the grants allow a track of this source (an empty list of sources allows all)."""
        video = self.claims.video
        return video.can_publish and (not video.can_publish_sources or source in video.can_publish_sources)

    def allows(self, subscriber: "Participant", track: TrackSid) -> bool:
        """Return whether this participant lets `subscriber` receive one of its tracks."""
        return self.track_access.allows(subscriber.sid, subscriber.identity, track)

    def merged_attributes(self, changes: dict[str, str]) -> dict[str, str]:
        """Return this participant's attributes after these changes; an empty value deletes one."""
        merged = dict(self.claims.attributes) | changes
        return {key: value for key, value in merged.items() if value}

    def change_claims(
        self,
        *,
        name: str | None = None,
        metadata: str | None = None,
        attributes: dict[str, str] | None = None,
        permission: ParticipantPermission | None = None,
    ) -> None:
        """Replace what is given. An attribute with an empty value is deleted; a permission replaces the whole set."""
        claims = self.claims
        self.claims = replace(
            claims,
            name=claims.name if name is None else name,
            metadata=claims.metadata if metadata is None else metadata,
            attributes=self.merged_attributes(attributes or {}),
            video=claims.video if permission is None else claims.video.with_permission(permission),
        )

    def arm_resume_fault(self, *, silent: bool, times: int, until: float) -> None:
        """Let the next resumes fail, at most until a time (s)."""
        self.resume_fault = ResumeFault(silent=silent, times=times, until=until)

    def take_resume_fault(self, now: float) -> ResumeFault | None:
        """Return the fault that this resume is to have, or None."""
        fault = self.resume_fault
        if fault is None or fault.times <= 0 or now > fault.until:
            self.resume_fault = None
            return None
        fault.times -= 1
        return fault

    def increment_version(self) -> None:
        """Mark a change: clients drop an update whose version is not higher than the last."""
        self.version += 1

    def info(self, reason: "DisconnectReason | None" = None) -> ParticipantInfo:
        """Return what the others are told of this participant."""
        announced = [publication.info for publication in self.announced]
        return ParticipantInfo(
            sid=self.sid,
            identity=self.identity,
            name=self.claims.name,
            metadata=self.claims.metadata,
            attributes=dict(self.claims.attributes),
            state=self.state,
            tracks=announced,
            data_tracks=self.data_tracks.values(),
            joined_at=int(self.joined_at),
            joined_at_ms=int(self.joined_at * 1000),
            version=self.version,
            permission=self.claims.video.permission(),
            is_publisher=self.is_publisher,
            kind=self.claims.kind,
            kind_details=self.claims.kind_details,
            disconnect_reason=DisconnectReason.UNKNOWN_REASON if reason is None else reason,
            client_protocol=self.client.client_protocol,
            capabilities=self.client.capabilities,
        )
