"""One participant of a live room: who it is, what it may do, what it publishes, what it wants to receive."""

from dataclasses import dataclass, field, replace
from typing import Final

from livekit.protocol.models import (
    ClientInfo,
    DisconnectReason,
    ParticipantInfo,
    ParticipantPermission,
    TrackInfo,
    TrackSource,
)
from livekit.protocol.rtc import AddTrackRequest, SubscribedQualityUpdate, SubscriptionPermission, UpdateTrackSettings

from tertulia_sfu.ids import ParticipantSid, TrackSid
from tertulia_sfu.tokens import Claims

DEPENDENT_KINDS: Final = frozenset({ParticipantInfo.EGRESS, ParticipantInfo.AGENT})


@dataclass(slots=True)
class Publication:
    """A track of a participant. `announced` once its first packet came: until then only its owner knows it."""

    info: TrackInfo
    cids: list[str]
    announced: bool = False
    told_subscribed: bool = False
    wanted: SubscribedQualityUpdate | None = None

    @property
    def sid(self) -> TrackSid:
        """The track's id."""
        return TrackSid(self.info.sid)


@dataclass(slots=True)
class Wishes:
    """What a participant wants to receive, and what the media core was told about it."""

    auto_subscribe: bool
    adaptive_stream: bool
    explicit: dict[TrackSid, bool] = field(default_factory=dict)
    settings: dict[TrackSid, UpdateTrackSettings] = field(default_factory=dict)
    active: set[TrackSid] = field(default_factory=set)


@dataclass(slots=True)
class ResumeFault:
    """A fault that a client's test suite asked for: the next resumes fail, before or after their messages."""

    silent: bool
    times: int
    until: float


@dataclass(slots=True, eq=False)
class Participant:
    """The state of one signalling session. `joined_at` and the like are the room's time (seconds)."""

    sid: ParticipantSid
    claims: Claims
    client: ClientInfo
    wishes: Wishes
    joined_at: float
    token_not_after: float | None = None
    state: "ParticipantInfo.State" = ParticipantInfo.JOINING
    version: int = 0
    publications: dict[TrackSid, Publication] = field(default_factory=dict)
    queued_tracks: list[AddTrackRequest] = field(default_factory=list)
    subscription_permission: SubscriptionPermission = field(
        default_factory=lambda: SubscriptionPermission(all_participants=True)
    )
    was_active: bool = False
    connected: bool = False
    signal_lost_at: float | None = None
    reliable_open: bool = False
    last_reliable_sequence: int = 0
    resume_fault: ResumeFault | None = None

    @property
    def identity(self) -> str:
        """The name that tokens and the server API know this participant by."""
        return self.claims.identity

    @property
    def is_dependent(self) -> bool:
        """Recorders and agents serve the others: they neither keep a room open nor fill it."""
        return self.claims.kind in DEPENDENT_KINDS or self.claims.video.recorder

    @property
    def is_hidden(self) -> bool:
        """Whether others must not know of this one."""
        return self.claims.video.hidden

    @property
    def is_recorder(self) -> bool:
        """Whether the room counts as recorded while this one is in."""
        return self.claims.video.recorder or self.claims.kind == ParticipantInfo.EGRESS

    @property
    def takes_a_place(self) -> bool:
        """Whether `max_participants` counts this one."""
        return not (self.is_hidden or self.is_dependent)

    @property
    def announced(self) -> list[Publication]:
        """The tracks that others know of."""
        return [publication for publication in self.publications.values() if publication.announced]

    def may_publish(self, source: "TrackSource") -> bool:
        """Whether the grants allow a track of this source (an empty list of sources allows all)."""
        video = self.claims.video
        return video.can_publish and (not video.can_publish_sources or source in video.can_publish_sources)

    def allows(self, subscriber: "Participant", track: TrackSid) -> bool:
        """Whether this participant lets `subscriber` have one of its tracks."""
        if self.subscription_permission.all_participants:
            return True
        for permission in self.subscription_permission.track_permissions:
            meant = (
                permission.participant_sid == subscriber.sid or permission.participant_identity == subscriber.identity
            )
            if meant and (permission.all_tracks or track in permission.track_sids):
                return True
        return False

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
        merged = dict(claims.attributes) | (attributes or {})
        self.claims = replace(
            claims,
            name=claims.name if name is None else name,
            metadata=claims.metadata if metadata is None else metadata,
            attributes={key: value for key, value in merged.items() if value},
            video=claims.video if permission is None else claims.video.with_permission(permission),
        )

    def arm_resume_fault(self, *, silent: bool, times: int, until: float) -> None:
        """Let the next resumes fail."""
        self.resume_fault = ResumeFault(silent=silent, times=times, until=until)

    def take_resume_fault(self, now: float) -> ResumeFault | None:
        """The fault that this resume shall have, if one was asked for just now."""
        fault = self.resume_fault
        if fault is None or fault.times <= 0 or now > fault.until:
            self.resume_fault = None
            return None
        fault.times -= 1
        return fault

    def touch(self) -> None:
        """Mark a change: clients drop an update whose version is not higher than the last."""
        self.version += 1

    def info(self, reason: "DisconnectReason | None" = None) -> ParticipantInfo:
        """What others are told."""
        announced = [publication.info for publication in self.announced]
        return ParticipantInfo(
            sid=self.sid,
            identity=self.identity,
            name=self.claims.name,
            metadata=self.claims.metadata,
            attributes=dict(self.claims.attributes),
            state=self.state,
            tracks=announced,
            joined_at=int(self.joined_at),
            joined_at_ms=int(self.joined_at * 1000),
            version=self.version,
            permission=self.claims.video.permission(),
            is_publisher=bool(announced),
            kind=self.claims.kind,
            disconnect_reason=DisconnectReason.UNKNOWN_REASON if reason is None else reason,
            client_protocol=self.client.client_protocol,
            capabilities=self.client.capabilities,
        )
