"""Who receives what: wishes, permissions and grants on one side, subscriptions of the media core on the other."""

from collections.abc import Iterable
from functools import partial
from typing import Final

from livekit.protocol.models import SubscriptionError, TrackType, VideoQuality
from livekit.protocol.rtc import (
    MediaSectionsRequirement,
    SignalResponse,
    StreamState,
    StreamStateInfo,
    StreamStateUpdate,
    SubscriptionPermission,
    SubscriptionPermissionUpdate,
    SubscriptionResponse,
    TrackSubscribed,
    UpdateSubscription,
    UpdateTrackSettings,
)

from .ids import TrackSid
from .participant import Participant, Publication
from .ports import Quality
from .roster import Roster

SETTINGS_DEBOUNCE_S: Final = 0.1
MAX_WISHES: Final = 10_000

QUALITIES: Final[dict[VideoQuality, Quality]] = {
    VideoQuality.LOW: "low",
    VideoQuality.MEDIUM: "medium",
    VideoQuality.HIGH: "high",
}
_FAILURES: Final = {
    "codec_unsupported": SubscriptionError.SE_CODEC_UNSUPPORTED,
    "track_not_found": SubscriptionError.SE_TRACK_NOTFOUND,
}


class Subscribing:
    """Keeps the media core's subscriptions equal to what is wanted and allowed."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    # ── bringing wishes and facts together ──

    def reconcile(self, subscriber: Participant, owner: Participant, publication: Publication) -> None:
        """Start or end one subscription, if what is wanted and allowed has changed."""
        if subscriber is owner or not publication.announced:
            return
        wishes, track = subscriber.wishes, publication.sid
        wanted = (
            subscriber.claims.video.can_subscribe
            and not owner.is_hidden
            and owner.allows(subscriber, track)
            and wishes.explicit.get(track, wishes.auto_subscribe)
        )
        if wanted and track not in wishes.active:
            wishes.active.add(track)
            self._configure(subscriber, publication)
            self._roster.media.subscribe(subscriber.sid, track=track)
        elif not wanted and track in wishes.active:
            wishes.active.discard(track)
            self._roster.media.unsubscribe(subscriber.sid, track=track)

    def reconcile_subscriber(self, subscriber: Participant) -> None:
        """The same for everything that one participant could receive."""
        for owner in self._roster:
            for publication in owner.announced:
                self.reconcile(subscriber, owner, publication)

    def reconcile_publication(self, owner: Participant, publication: Publication) -> None:
        """The same for everyone who could receive one track."""
        for subscriber in self._roster:
            self._introduce(subscriber, owner, publication)

    def welcome(self, subscriber: Participant) -> None:
        """Somebody is new: it gets what it may have, and is told what it may not."""
        for owner in self._roster:
            for publication in owner.announced:
                self._introduce(subscriber, owner, publication)

    def _introduce(self, subscriber: Participant, owner: Participant, publication: Publication) -> None:
        if subscriber is not owner and not owner.allows(subscriber, publication.sid):
            self._tell_permission(owner, subscriber, publication, allowed=False)
        self.reconcile(subscriber, owner, publication)

    def forget_track(self, track: TrackSid) -> None:
        """A track has ended; the media core dropped its subscriptions by itself."""
        for subscriber in self._roster:
            wishes = subscriber.wishes
            wishes.active.discard(track)
            wishes.explicit.pop(track, None)
            wishes.settings.pop(track, None)

    # ── what clients ask ──

    def update(self, subscriber: Participant, request: UpdateSubscription) -> None:
        """`setSubscribed`: an explicit wish, which beats auto-subscribe."""
        tracks = [*request.track_sids, *(sid for each in request.participant_tracks for sid in each.track_sids)]
        self.wish(subscriber, tracks, subscribe=request.subscribe)

    def wish(self, subscriber: Participant, tracks: Iterable[str], *, subscribe: bool) -> None:
        """Remember what a participant wants of each track, known already or not, and act on it."""
        for sid in tracks:
            if len(subscriber.wishes.explicit) >= MAX_WISHES:
                return
            subscriber.wishes.explicit[TrackSid(sid)] = subscribe
            found = self._roster.owner_of(sid)
            if found is not None:
                self.reconcile(subscriber, *found)

    def change_settings(self, subscriber: Participant, settings: UpdateTrackSettings, now: float) -> None:
        """`track_setting`: which layer. A flood of changes is calmed to one in 100 ms; resuming is immediate."""
        for sid in settings.track_sids:
            track = TrackSid(sid)
            known = subscriber.wishes.settings
            if len(known) >= MAX_WISHES and track not in known:
                return
            before = known.get(track)
            known[track] = settings
            resumes = before is not None and before.disabled and not settings.disabled
            at = now if before is None or resumes else now + SETTINGS_DEBOUNCE_S
            if at == now:
                self._apply_settings(subscriber, track)
            else:
                apply = partial(self._apply_later, subscriber, track)
                self._roster.timers.set(("settings", subscriber.sid, track), at, apply)

    def _apply_later(self, subscriber: Participant, track: TrackSid, _now: float) -> None:
        self._apply_settings(subscriber, track)

    def _apply_settings(self, subscriber: Participant, track: TrackSid) -> None:
        if track not in subscriber.wishes.active or self._roster.get(subscriber.sid) is not subscriber:
            return
        found = self._roster.owner_of(track)
        if found is not None:
            self._configure(subscriber, found[1])

    def _configure(self, subscriber: Participant, publication: Publication) -> None:
        media, settings = self._roster.media, subscriber.wishes.settings.get(publication.sid)
        is_video = publication.info.type == TrackType.VIDEO
        if settings is None:
            if is_video and subscriber.wishes.adaptive_stream:
                media.configure_subscription(subscriber.sid, track=publication.sid, quality="low")
            return
        media.configure_subscription(
            subscriber.sid,
            track=publication.sid,
            enabled=not settings.disabled,
            quality=QUALITIES.get(settings.quality, "high") if is_video else None,
            height=self._wanted_height(settings, publication) if is_video else None,
            priority=min(settings.priority, 255) or None,
        )

    @staticmethod
    def _wanted_height(settings: UpdateTrackSettings, publication: Publication) -> int | None:
        """Height in pixels; a width alone is converted by the picture's shape. None: the quality decides."""
        info = publication.info
        if settings.width <= 0:
            return None
        if settings.height > 0:
            return min(settings.height, 65_535)
        return min(settings.width * info.height // info.width, 65_535) if info.width and info.height else None

    def change_permission(self, owner: Participant, permission: SubscriptionPermission) -> None:
        """`setTrackSubscriptionPermissions`: who may have this participant's tracks. Those affected are told."""
        pairs = [(one, track) for one in self._roster if one is not owner for track in owner.announced]
        before = [owner.allows(subscriber, publication.sid) for subscriber, publication in pairs]
        owner.subscription_permission = permission
        for (subscriber, publication), was_allowed in zip(pairs, before, strict=True):
            allowed = owner.allows(subscriber, publication.sid)
            if allowed != was_allowed:
                self._tell_permission(owner, subscriber, publication, allowed=allowed)
                self.reconcile(subscriber, owner, publication)

    def _tell_permission(
        self, owner: Participant, subscriber: Participant, publication: Publication, *, allowed: bool
    ) -> None:
        if owner.is_hidden:
            return
        update = SubscriptionPermissionUpdate(participant_sid=owner.sid, track_sid=publication.sid, allowed=allowed)
        self._roster.send(subscriber, SignalResponse(subscription_permission_update=update))

    # ── what the media core tells ──

    def sections_needed(self, subscriber: Participant, *, audio: int, video: int) -> None:
        """The client has to offer (more) receiving sections."""
        need = MediaSectionsRequirement(num_audios=audio, num_videos=video)
        self._roster.send(subscriber, SignalResponse(media_sections_requirement=need))

    def started(self, subscriber: Participant, track: str) -> None:
        """Media flows to a subscriber: the publisher is told at the first one it may know of."""
        found = self._roster.owner_of(track)
        if found is None or found[1].told_subscribed or subscriber.is_hidden:
            return
        owner, publication = found
        publication.told_subscribed = True
        self._roster.send(owner, SignalResponse(track_subscribed=TrackSubscribed(track_sid=track)))

    def failed(self, subscriber: Participant, track: str, reason: str) -> None:
        """A subscription could not be made."""
        subscriber.wishes.active.discard(TrackSid(track))
        error = _FAILURES.get(reason, SubscriptionError.SE_UNKNOWN)
        response = SubscriptionResponse(track_sid=track, err=error)
        self._roster.send(subscriber, SignalResponse(subscription_response=response))

    def paused(self, subscriber: Participant, track: str, *, paused: bool) -> None:
        """The allocator paused or resumed a video for want of bandwidth."""
        found = self._roster.owner_of(track)
        if found is None:
            return
        state = StreamState.PAUSED if paused else StreamState.ACTIVE
        info = StreamStateInfo(participant_sid=found[0].sid, track_sid=track, state=state)
        self._roster.send(subscriber, SignalResponse(stream_state_update=StreamStateUpdate(stream_states=[info])))
