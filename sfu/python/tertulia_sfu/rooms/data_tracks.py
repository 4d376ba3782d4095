"""Data tracks: streams of small packets, which those receive who ask for them (data channel `_data_track`).

A packet has a header of 12 bytes: flags, the track's handle, two counters and a time. Its publisher chose the handle.
Subscribers know the track by another one, which is the same for all of them, so that a packet is rewritten once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final

from livekit.protocol.models import DataTrackInfo
from livekit.protocol.rtc import (
    DataTrackSubscriberHandles,
    PublishDataTrackRequest,
    PublishDataTrackResponse,
    RequestResponse,
    SignalResponse,
    SubscriptionPermissionUpdate,
    UnpublishDataTrackResponse,
    UpdateDataSubscription,
)

from tertulia_sfu.ids import ParticipantSid, TrackSid, new_data_track_sid
from tertulia_sfu.rooms.data_relay import MAX_PACKET_BYTES
from tertulia_sfu.rooms.limits import MAX_LISTED_TRACKS
from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.roster import Roster
from tertulia_sfu.tokens import MAX_NAME_LENGTH

MAX_DATA_TRACKS: Final = 256  # of one participant
MAX_HANDLE: Final = 0xFFFF
MAX_ENCODING_LENGTH: Final = 32
HEADER_BYTES: Final = 12

_BAD_NAME: Final = f"a name has 1 to {MAX_NAME_LENGTH} characters"
_BAD_ENCODING: Final = f"the name of an encoding of one's own has 1 to {MAX_ENCODING_LENGTH} characters"
_HANDLE: Final = slice(2, 4)
_EXTENSIONS_SIZE: Final = slice(HEADER_BYTES, HEADER_BYTES + 2)
_HAS_EXTENSIONS: Final = 0x04
_WORD_BYTES: Final = 4


@dataclass(slots=True, eq=False)
class DataTrack:
    """One data track. `handle`: by which its subscribers know it; `receivers`: who is sent its packets."""

    owner: Participant
    info: DataTrackInfo
    handle: int
    receivers: dict[ParticipantSid, Participant] = field(default_factory=dict)

    @property
    def sid(self) -> TrackSid:
        """The track's id."""
        return TrackSid(self.info.sid)

    def is_for(self, subscriber: Participant) -> bool:
        """Return whether a participant wants this track, and may receive it."""
        return (
            subscriber is not self.owner
            and subscriber.claims.video.can_subscribe
            and not self.owner.is_hidden
            and self.owner.allows(subscriber, self.sid)
            and subscriber.preferences.wants_data(self.sid)
        )


class DataTrackManager:
    """The data tracks of a room, and who receives them. `counts_changed` is called when its counts may have changed."""

    def __init__(self, roster: Roster, counts_changed: Callable[[float], None]) -> None:
        self._roster = roster
        self._counts_changed = counts_changed
        self._tracks: dict[TrackSid, DataTrack] = {}
        self._received: dict[ParticipantSid, dict[int, DataTrack]] = {}
        self._handles: set[int] = set()
        self._last_handle = 0

    # ── publishing ──

    def publish(
        self, owner: Participant, request: PublishDataTrackRequest, now: float
    ) -> tuple["RequestResponse.Reason", str] | None:
        """Handle `publish_data_track_request`. Return why it is refused, or None."""
        refusal = _refusal(owner, request)
        if refusal is None and len(self._handles) >= MAX_HANDLE:
            refusal = RequestResponse.LIMIT_EXCEEDED, "the room has too many data tracks"
        if refusal is not None:
            return refusal
        track = DataTrack(owner, _info(request), self._take_handle())
        self._tracks[track.sid] = track
        owner.data_tracks[request.pub_handle] = track.info
        response = PublishDataTrackResponse(info=track.info)
        self._roster.send(owner, SignalResponse(publish_data_track_response=response))
        owner.increment_version()
        # clients are told of a track before they are told that they receive it
        self._roster.announce(owner, now, to_itself=False, then=partial(self._start, track))
        self._counts_changed(now)
        return None

    def unpublish(self, owner: Participant, pub_handle: int, now: float) -> bool:
        """Handle `unpublish_data_track_request`. Return whether there is such a track."""
        if pub_handle not in owner.data_tracks:
            return False
        self._end(owner, [pub_handle])
        owner.increment_version()
        self._roster.announce(owner, now, to_itself=False)
        self._counts_changed(now)
        return True

    def follow_grants(self, participant: Participant) -> None:
        """End and start what a participant may publish and receive since its grants have changed."""
        if not participant.claims.video.can_publish_data:
            self._end(participant, list(participant.data_tracks))
        self.reconcile_owner(participant)
        self.reconcile_subscriber(participant)

    def _end(self, owner: Participant, pub_handles: Iterable[int]) -> None:
        tracks = [self._tracks[TrackSid(owner.data_tracks[each].sid)] for each in pub_handles]
        self._tell(self._remove(tracks))
        for track in tracks:
            response = UnpublishDataTrackResponse(info=track.info)
            self._roster.send(owner, SignalResponse(unpublish_data_track_response=response))

    def _remove(self, tracks: Iterable[DataTrack]) -> list[Participant]:
        """Remove tracks. Return who has received them."""
        receivers: dict[ParticipantSid, Participant] = {}
        for track in tracks:
            del self._tracks[track.sid]
            self._handles.discard(track.handle)
            track.owner.data_tracks.pop(track.info.pub_handle, None)
            for sid, receiver in track.receivers.items():
                del self._received[sid][track.handle]
                receivers[sid] = receiver
            for each in self._roster:
                each.preferences.data_tracks.pop(track.sid, None)
        return list(receivers.values())

    def _take_handle(self) -> int:
        """Return the next handle that no track has: one that has just become free may still be in packets."""
        while True:
            self._last_handle = self._last_handle % MAX_HANDLE + 1
            if self._last_handle not in self._handles:
                self._handles.add(self._last_handle)
                return self._last_handle

    # ── subscribing ──

    def update_subscription(self, subscriber: Participant, request: UpdateDataSubscription) -> None:
        """Handle `update_data_subscription`: store what is wanted of known tracks, and answer with what is received."""
        has_known = False
        for update in islice(request.updates, MAX_LISTED_TRACKS):
            track = self._tracks.get(TrackSid(update.track_sid))
            if track is None or track.owner is subscriber:
                continue
            has_known = True
            subscriber.preferences.data_tracks[track.sid] = update.subscribe
            self._reconcile(subscriber, track)
            if update.subscribe and not track.owner.allows(subscriber, track.sid):
                self._send_permission(subscriber, track, allowed=False)
        if has_known:
            self._tell([subscriber])

    def _start(self, track: DataTrack) -> None:
        """Send a new track to those who want every one."""
        if track.sid in self._tracks:
            self._tell([each for each in self._roster if self._reconcile(each, track)])

    def reconcile_subscriber(self, subscriber: Participant) -> None:
        """Start or end what one participant receives: it is new, or its grants have changed."""
        changes = [track for track in self._tracks.values() if self._reconcile(subscriber, track)]
        if changes:
            self._tell([subscriber])

    def reconcile_owner(self, owner: Participant) -> None:
        """Start or end what others may receive of one participant, and tell those for whom that has changed."""
        tracks = [self._tracks[TrackSid(info.sid)] for info in owner.data_tracks.values()]
        changed: dict[ParticipantSid, Participant] = {}
        for subscriber in self._roster if tracks else ():
            for track in tracks:
                if self._reconcile(subscriber, track):
                    changed[subscriber.sid] = subscriber
                    self._send_permission(subscriber, track, allowed=subscriber.sid in track.receivers)
        self._tell(changed.values())

    def _reconcile(self, subscriber: Participant, track: DataTrack) -> bool:
        """Start or end one subscription. Return whether it has changed."""
        is_wanted, sid = track.is_for(subscriber), subscriber.sid
        if is_wanted == (sid in track.receivers):
            return False
        if is_wanted:
            track.receivers[sid] = subscriber
            self._received.setdefault(sid, {})[track.handle] = track
        else:
            del track.receivers[sid]
            del self._received[sid][track.handle]
        return True

    def _send_permission(self, subscriber: Participant, track: DataTrack, *, allowed: bool) -> None:
        if not track.owner.is_hidden:
            update = SubscriptionPermissionUpdate(participant_sid=track.owner.sid, track_sid=track.sid, allowed=allowed)
            self._roster.send(subscriber, SignalResponse(subscription_permission_update=update))

    def _tell(self, subscribers: Iterable[Participant]) -> None:
        """Tell participants by which handles they know the tracks that they receive."""
        for subscriber in subscribers:
            handles = {
                handle: DataTrackSubscriberHandles.PublishedDataTrack(
                    publisher_identity=track.owner.identity, publisher_sid=track.owner.sid, track_sid=track.sid
                )
                for handle, track in self._received.get(subscriber.sid, {}).items()
            }
            message = DataTrackSubscriberHandles(sub_handles=handles)
            self._roster.send(subscriber, SignalResponse(data_track_subscriber_handles=message))

    def repeat_handles(self, subscriber: Participant) -> None:
        """Tell a participant that has resumed what it may have missed."""
        if self._received.get(subscriber.sid):
            self._tell([subscriber])

    # ── leaving ──

    def forget(self, participant: Participant, *, tell: bool) -> None:
        """Remove a participant that has left, with its tracks. `tell`: those who have received them are told."""
        tracks = [self._tracks[TrackSid(info.sid)] for info in participant.data_tracks.values()]
        receivers = self._remove(tracks)
        for track in self._received.pop(participant.sid, {}).values():
            track.receivers.pop(participant.sid, None)
        if tell:
            self._tell(receivers)

    # ── packets ──

    def handle_packet(self, sender: Participant, payload: bytes) -> int | None:
        """Send a packet to those who receive its track. Return to how many; None if it is none, or too large.

        One of a track that has just ended, or of none, reaches nobody.
        """
        if len(payload) > MAX_PACKET_BYTES or not _is_packet(payload):
            return None
        info = sender.data_tracks.get(int.from_bytes(payload[_HANDLE]))
        track = None if info is None else self._tracks.get(TrackSid(info.sid))
        if track is None or not track.receivers:
            return 0
        stamped = payload[: _HANDLE.start] + track.handle.to_bytes(2) + payload[_HANDLE.stop :]
        peers = [each.primary_peer for each in track.receivers.values()]
        self._roster.media.send_data(peers, channel="data_track", payload=stamped, sender=sender.sid)
        return len(peers)


def _is_packet(payload: bytes) -> bool:
    """Return whether a header, with the extensions that it announces, is there."""
    if len(payload) < HEADER_BYTES or not payload[0] & _HAS_EXTENSIONS:
        return len(payload) >= HEADER_BYTES
    words = int.from_bytes(payload[_EXTENSIONS_SIZE]) + 1
    return len(payload) >= HEADER_BYTES + words * _WORD_BYTES


def _refusal(owner: Participant, request: PublishDataTrackRequest) -> tuple["RequestResponse.Reason", str] | None:
    reasons, tracks = RequestResponse, owner.data_tracks
    problems = (
        (not 1 <= request.pub_handle <= MAX_HANDLE, reasons.INVALID_HANDLE, f"a handle is 1 to {MAX_HANDLE}"),
        (not 1 <= len(request.name) <= MAX_NAME_LENGTH, reasons.INVALID_NAME, _BAD_NAME),
        (not _has_valid_encodings(request), reasons.INVALID_REQUEST, _BAD_ENCODING),
        (request.pub_handle in tracks, reasons.DUPLICATE_HANDLE, "another data track has this handle"),
        (_is_taken(request.name, tracks.values()), reasons.DUPLICATE_NAME, "another data track has this name"),
        (len(tracks) >= MAX_DATA_TRACKS, reasons.LIMIT_EXCEEDED, "too many data tracks"),
    )
    return next(((reason, text) for is_wrong, reason, text in problems if is_wrong), None)


def _is_taken(name: str, tracks: Iterable[DataTrackInfo]) -> bool:
    return any(info.name == name for info in tracks)


def _has_valid_encodings(request: PublishDataTrackRequest) -> bool:
    if len(request.schema.name) > MAX_NAME_LENGTH:
        return False
    encodings = (request.frame_encoding, request.schema.encoding)
    own = [each.custom for each in encodings if each.WhichOneof("value") == "custom"]
    return all(1 <= len(name) <= MAX_ENCODING_LENGTH for name in own)


def _info(request: PublishDataTrackRequest) -> DataTrackInfo:
    """Return what the others are told of a new track: no fields that this server does not know."""
    info = DataTrackInfo(
        pub_handle=request.pub_handle, sid=new_data_track_sid(), name=request.name, encryption=request.encryption
    )
    if request.HasField("frame_encoding"):
        info.frame_encoding.CopyFrom(request.frame_encoding)
    if request.HasField("schema"):
        info.schema.CopyFrom(request.schema)
    info.DiscardUnknownFields()
    return info
