"""Subscriptions: preferences, permissions and grants decide which tracks the media core sends to whom."""

from collections.abc import Iterable
from functools import partial
from itertools import chain, islice
from typing import Final

from livekit.protocol.models import SubscriptionError, TrackType
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

from tertulia_sfu.ids import TrackSid, track_of
from tertulia_sfu.rooms.dynacast import Dynacast
from tertulia_sfu.rooms.limits import MAX_LISTED_TRACKS, distinct_tracks
from tertulia_sfu.rooms.participant import Participant, Publication
from tertulia_sfu.rooms.ports import QUALITIES
from tertulia_sfu.rooms.roster import Roster
from tertulia_sfu.rooms.track_access import TrackAccess

SETTINGS_DEBOUNCE_S: Final = 0.1
BACKUP_WITHIN_S: Final = 10.0  # a publisher that is asked for its second codec negotiates once more
MAX_PREFERENCES: Final = 10_000  # more than MAX_LISTED_TRACKS, for tracks that are named before or after they exist

_FAILURES: Final = {
    "codec_unsupported": SubscriptionError.SE_CODEC_UNSUPPORTED,
    "track_not_found": SubscriptionError.SE_TRACK_NOTFOUND,
}


class SubscriptionManager:
    """The subscriptions of a room: those of the media core follow what is wanted and allowed."""

    def __init__(self, roster: Roster, dynacast: Dynacast) -> None:
        self._roster = roster
        self._dynacast = dynacast

    # ── reconciling what is wanted and allowed with the media core ──

    def reconcile(self, subscriber: Participant, owner: Participant, publication: Publication) -> None:
        """Start or end one subscription, if what is wanted and allowed has changed."""
        if subscriber is owner or not publication.announced:
            return
        track, subscriptions = publication.sid, subscriber.subscriptions
        wanted = (
            subscriber.claims.video.can_subscribe
            and not owner.is_hidden
            and owner.allows(subscriber, track)
            and subscriber.preferences.wants(track)
        )
        if wanted and track not in subscriptions:
            subscriptions.add(track)
            self._subscribe(subscriber, publication)
        elif not wanted and track in subscriptions:
            subscriptions.discard(track)
            core_track = publication.core_track(subscriber)
            self._roster.media.unsubscribe(subscriber.subscriber_peer, track=core_track)

    def _subscribe(self, subscriber: Participant, publication: Publication) -> None:
        self._configure(subscriber, publication)
        core_track = publication.core_track(subscriber)
        self._roster.media.subscribe(subscriber.subscriber_peer, track=core_track)

    def reconcile_subscriber(self, subscriber: Participant) -> None:
        """Reconcile everything that one participant could receive."""
        for owner, publication in self._roster.announced_publications():
            self.reconcile(subscriber, owner, publication)

    def reconcile_publication(self, owner: Participant, publication: Publication) -> None:
        """Reconcile one track, if it has not ended, for everyone who could receive it, and tell those who may not."""
        if self._roster.find_publication(publication.sid) is None:
            return
        for subscriber in self._roster:
            self._offer(subscriber, owner, publication)

    def add_subscriber(self, subscriber: Participant) -> None:
        """Subscribe a new participant to what it may receive, and tell it what it may not."""
        for owner, publication in self._roster.announced_publications():
            self._offer(subscriber, owner, publication)

    def _offer(self, subscriber: Participant, owner: Participant, publication: Publication) -> None:
        if subscriber is not owner and not owner.allows(subscriber, publication.sid):
            self._send_permission(owner, subscriber, publication, allowed=False)
        self.reconcile(subscriber, owner, publication)

    def forget_track(self, track: TrackSid) -> None:
        """Forget a track that has ended; the media core drops its subscriptions by itself."""
        for subscriber in self._roster:
            subscriber.subscriptions.discard(track)
            subscriber.second_codecs.discard(track)
            subscriber.preferences.forget(track)

    # ── requests of clients ──

    def update(self, subscriber: Participant, request: UpdateSubscription) -> None:
        """Handle `setSubscribed`, which overrides auto-subscribe."""
        of_participants = islice(request.participant_tracks, MAX_LISTED_TRACKS)
        tracks = chain(request.track_sids, (sid for each in of_participants for sid in each.track_sids))
        self.set_subscribed(subscriber, tracks, subscribe=request.subscribe)

    def set_subscribed(self, subscriber: Participant, tracks: Iterable[str], *, subscribe: bool) -> None:
        """Store whether a participant wants each of these tracks, known already or not, and reconcile."""
        known = subscriber.preferences.subscribed
        for track in distinct_tracks(tracks):
            if len(known) >= MAX_PREFERENCES and track not in known:
                continue
            known[track] = subscribe
            found = self._roster.find_publication(track)
            if found is not None:
                self.reconcile(subscriber, *found)

    def change_track_settings(self, subscriber: Participant, settings: UpdateTrackSettings, now: float) -> None:
        """Handle `track_setting`: which layer to receive. At most one change in 100 ms; enabling is immediate."""
        known = subscriber.preferences.settings
        tracks = distinct_tracks(settings.track_sids)
        kept = _without_tracks(settings)
        for track in tracks:
            if len(known) >= MAX_PREFERENCES and track not in known:
                continue
            before = known.get(track)
            known[track] = kept
            enables = before is not None and before.disabled and not settings.disabled
            at = now if before is None or enables else now + SETTINGS_DEBOUNCE_S
            if at == now:
                self._apply_settings(subscriber, track)
            else:
                apply = partial(self._apply_later, subscriber, track)
                self._roster.timers.set(("settings", subscriber.sid, track), at, apply)

    def _apply_later(self, subscriber: Participant, track: TrackSid, _now: float) -> None:
        self._apply_settings(subscriber, track)

    def _apply_settings(self, subscriber: Participant, track: TrackSid) -> None:
        if track not in subscriber.subscriptions or self._roster.get(subscriber.sid) is not subscriber:
            return
        found = self._roster.find_publication(track)
        if found is not None:
            self._configure(subscriber, found[1])

    def _configure(self, subscriber: Participant, publication: Publication) -> None:
        media, settings = self._roster.media, subscriber.preferences.settings.get(publication.sid)
        core_track = publication.core_track(subscriber)
        is_video = publication.info.type == TrackType.VIDEO
        if settings is None:
            if is_video and subscriber.preferences.adaptive_stream:
                media.configure_subscription(subscriber.subscriber_peer, track=core_track, quality="low")
            return
        media.configure_subscription(
            subscriber.subscriber_peer,
            track=core_track,
            enabled=not settings.disabled,
            quality=QUALITIES.get(settings.quality, "high") if is_video else None,
            height=self._wanted_height(settings, publication) if is_video else None,
            priority=min(settings.priority, 255) or None,
            fps=min(settings.fps, 255) or None if is_video else None,
        )

    @staticmethod
    def _wanted_height(settings: UpdateTrackSettings, publication: Publication) -> int | None:
        """Return the height (pixels); a width alone is converted by the aspect ratio. None: the quality decides."""
        info = publication.info
        if settings.width <= 0:
            return None
        if settings.height > 0:
            return min(settings.height, 65_535)
        return min(settings.width * info.height // info.width, 65_535) if info.width and info.height else None

    def change_permission(self, owner: Participant, permission: SubscriptionPermission) -> None:
        """Handle `setTrackSubscriptionPermissions`: who may receive this participant's tracks. Tell those affected."""
        tracks = owner.announced
        others = [each for each in self._roster if each is not owner] if tracks else []
        pairs = [(each, track) for each in others for track in tracks]
        before = [owner.allows(subscriber, publication.sid) for subscriber, publication in pairs]
        owner.track_access = TrackAccess.of(permission)
        for (subscriber, publication), was_allowed in zip(pairs, before, strict=True):
            allowed = owner.allows(subscriber, publication.sid)
            if allowed != was_allowed:
                self._send_permission(owner, subscriber, publication, allowed=allowed)
                self.reconcile(subscriber, owner, publication)

    def _send_permission(
        self, owner: Participant, subscriber: Participant, publication: Publication, *, allowed: bool
    ) -> None:
        if owner.is_hidden:
            return
        update = SubscriptionPermissionUpdate(participant_sid=owner.sid, track_sid=publication.sid, allowed=allowed)
        self._roster.send(subscriber, SignalResponse(subscription_permission_update=update))

    # ── events of the media core ──

    def request_sections(self, subscriber: Participant, *, audio: int, video: int) -> None:
        """Ask the client for an offer with (more) receiving sections."""
        need = MediaSectionsRequirement(num_audios=audio, num_videos=video)
        self._roster.send(subscriber, SignalResponse(media_sections_requirement=need))

    def handle_started(self, subscriber: Participant, core_track: str) -> None:
        """Tell the publisher when the first visible subscriber receives media."""
        track = track_of(core_track)
        found = self._roster.find_publication(track)
        if found is None or found[1].subscriber_reported or subscriber.is_hidden:
            return
        owner, publication = found
        publication.subscriber_reported = True
        self._roster.send(owner, SignalResponse(track_subscribed=TrackSubscribed(track_sid=track)))

    def handle_failed(self, subscriber: Participant, core_track: str, reason: str, now: float) -> None:
        """Ask for the second codec of a video that a subscriber cannot decode, or tell it that it gets nothing."""
        track = track_of(core_track)
        found = self._roster.find_publication(track) if reason == "codec_unsupported" else None
        if found is not None and found[1].backup is not None and core_track == track:
            self._use_backup(subscriber, *found, now)
        else:
            self._fail(subscriber, track, reason)

    def _fail(self, subscriber: Participant, track: TrackSid, reason: str) -> None:
        subscriber.subscriptions.discard(track)
        error = _FAILURES.get(reason, SubscriptionError.SE_UNKNOWN)
        response = SubscriptionResponse(track_sid=track, err=error)
        self._roster.send(subscriber, SignalResponse(subscription_response=response))

    # ── second codecs ──

    def _use_backup(self, subscriber: Participant, owner: Participant, publication: Publication, now: float) -> None:
        backup = publication.backup
        if backup is None or publication.sid not in subscriber.subscriptions:
            return
        subscriber.second_codecs.add(publication.sid)
        if backup.is_started:
            self._subscribe(subscriber, publication)
        else:
            self._wait_for_backup(subscriber, owner, publication, now)

    def _wait_for_backup(
        self, subscriber: Participant, owner: Participant, publication: Publication, now: float
    ) -> None:
        self._dynacast.ask_for_backup(owner, publication)
        expire = partial(self._give_backup_up, subscriber, publication)
        self._roster.timers.set(("backup", publication.sid, subscriber.sid), now + BACKUP_WITHIN_S, expire)

    def _give_backup_up(self, subscriber: Participant, publication: Publication, _now: float) -> None:
        backup = publication.backup
        if backup is not None and not backup.is_started and publication.sid in subscriber.subscriptions:
            self._fail(subscriber, publication.sid, "codec_unsupported")

    def backup_started(self, publication: Publication) -> None:
        """Subscribe those who wait for a second codec, of which the first packet came."""
        for subscriber in self._in_second_codec(publication):
            self._roster.timers.cancel(("backup", publication.sid, subscriber.sid))
            self._subscribe(subscriber, publication)

    def backup_ended(self, owner: Participant, publication: Publication, now: float) -> None:
        """Ask once more for a second codec that has ended alone, if anyone has received it."""
        for subscriber in self._in_second_codec(publication):
            self._wait_for_backup(subscriber, owner, publication, now)

    def _in_second_codec(self, publication: Publication) -> list[Participant]:
        track = publication.sid
        return [each for each in self._roster if track in each.second_codecs and track in each.subscriptions]

    def handle_paused(self, subscriber: Participant, core_track: str, *, paused: bool) -> None:
        """Tell a subscriber that a video was paused for lack of bandwidth, or resumed."""
        track = track_of(core_track)
        found = self._roster.find_publication(track)
        if found is None:
            return
        state = StreamState.PAUSED if paused else StreamState.ACTIVE
        info = StreamStateInfo(participant_sid=found[0].sid, track_sid=track, state=state)
        self._roster.send(subscriber, SignalResponse(stream_state_update=StreamStateUpdate(stream_states=[info])))


def _without_tracks(settings: UpdateTrackSettings) -> UpdateTrackSettings:
    """Return the fields that are used: what is kept for each track must not hold the list of all of them."""
    return UpdateTrackSettings(
        disabled=settings.disabled,
        quality=settings.quality,
        width=settings.width,
        height=settings.height,
        priority=settings.priority,
        fps=settings.fps,
    )
