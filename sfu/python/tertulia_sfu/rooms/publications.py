"""Publications: tracks are requested, announced with their first packet, muted, changed and ended."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Final

from livekit.protocol.models import (
    AudioTrackFeature,
    SimulcastCodecInfo,
    TrackInfo,
    TrackSource,
    TrackType,
    VideoLayer,
    VideoQuality,
)
from livekit.protocol.rtc import (
    AddTrackRequest,
    MuteTrackRequest,
    RequestResponse,
    SignalResponse,
    TrackPublishedResponse,
    TrackUnpublishedResponse,
    UpdateLocalAudioTrack,
    UpdateLocalVideoTrack,
)

from tertulia_sfu.ids import TrackSid, backup_track, new_track_sid, track_of
from tertulia_sfu.rooms.limits import MAX_SID_LENGTH, distinct_values
from tertulia_sfu.rooms.participant import BackupCodec, Participant, Publication
from tertulia_sfu.rooms.ports import QUALITIES, Kind, Quality
from tertulia_sfu.rooms.protocol import TRACK_UNPUBLISHED
from tertulia_sfu.rooms.roster import Roster
from tertulia_sfu.rooms.subscriptions import SubscriptionManager

MAX_PENDING_TRACKS: Final = 20
MAX_QUEUED_REQUESTS: Final = 3
MAX_TEXT_LENGTH: Final = 256
# three texts of 256 characters, two codecs with three layers each (40 bytes) and seven features make 3.5 kB at most
MAX_ADD_TRACK_BYTES: Final = 8 * 1024
MAX_CODECS: Final = 8  # a client names its codec and one backup codec
MAX_LAYERS: Final = 8  # simulcast has three

_KINDS: Final[dict[int, Kind]] = {TrackType.AUDIO: "audio", TrackType.VIDEO: "video"}
_DEFAULT_MIME: Final = {TrackType.AUDIO: "audio/opus", TrackType.VIDEO: "video/VP8"}


class PublicationManager:
    """The publications of all participants of a room. `counts_changed` is called when its counts may have changed."""

    def __init__(
        self, roster: Roster, subscriptions: SubscriptionManager, counts_changed: Callable[[float], None]
    ) -> None:
        self._roster = roster
        self._subscriptions = subscriptions
        self._counts_changed = counts_changed

    # ── requests of publishers ──

    def add(self, owner: Participant, request: AddTrackRequest) -> None:
        """Handle `add_track`: reserve a track for a section of a past or coming offer."""
        refusal = self._refusal(owner, request)
        if refusal is not None:
            response = RequestResponse(reason=refusal[0], message=refusal[1], add_track=_echo(request))
            self._roster.send(owner, SignalResponse(request_response=response))
            return
        if request.sid:
            self._expect_backup(owner, owner.publications[TrackSid(request.sid)], request)
            return
        info = _track_info(request, _mime_type(request, self._roster.codecs))
        publication = Publication(info, _cids(request), backup=self._backup(info, request))
        self._roster.add_publication(owner, publication)
        self._roster.media.expect_track(
            owner.sid,
            track=publication.sid,
            kind=_KINDS[request.type],
            cids=publication.cids,
            layers=_layers(publication.info),
            codec=_wanted_codec(request),
            is_screen=request.source == TrackSource.SCREEN_SHARE,
            **_opus_options(request),
        )
        if request.muted:
            self._roster.media.set_track_muted(owner.sid, track=publication.sid, muted=True)
        self._confirm(owner, request.cid, publication)

    def _backup(self, info: TrackInfo, request: AddTrackRequest) -> BackupCodec | None:
        """Return the second codec in which a client can send a video: the second one that it names."""
        first, second, *_ = [*(codec.codec.rpartition("/")[2].lower() for codec in request.simulcast_codecs), "", ""]
        known = {mime.partition("/")[2].lower() for mime in self._roster.codecs if mime.startswith("video/")}
        if info.type != TrackType.VIDEO or second == first or second not in known:
            return None
        return BackupCodec(second, backup_track(TrackSid(info.sid), second))

    def _expect_backup(self, owner: Participant, publication: Publication, request: AddTrackRequest) -> None:
        """Handle `add_track` of a known track: a section will carry it in its second codec."""
        backup = publication.backup
        is_small = request.ByteSize() <= MAX_ADD_TRACK_BYTES and 0 < len(request.cid) <= MAX_TEXT_LENGTH
        if backup is not None and not backup.is_expected and is_small:
            backup.is_expected = True
            self._roster.media.expect_track(
                owner.sid,
                track=backup.track,
                kind="video",
                cids=_cids(request),
                layers=_layers(_track_info(request, "")),
                codec=backup.codec,
                is_screen=publication.info.source == TrackSource.SCREEN_SHARE,
            )
            if publication.info.muted:
                self._roster.media.set_track_muted(owner.sid, track=backup.track, muted=True)
        self._confirm(owner, request.cid, publication)

    def _refusal(self, owner: Participant, request: AddTrackRequest) -> tuple["RequestResponse.Reason", str] | None:
        reasons = RequestResponse
        if not owner.may_publish(request.source):
            return reasons.NOT_ALLOWED, "does not have permission to publish this source"
        if request.type not in _KINDS:
            return reasons.UNSUPPORTED_TYPE, "only audio and video tracks can be published"
        if request.sid:
            return None if request.sid in owner.publications else (reasons.NOT_FOUND, "there is no such track")
        return self._exceeded_limit(owner, request)

    def _exceeded_limit(
        self, owner: Participant, request: AddTrackRequest
    ) -> tuple["RequestResponse.Reason", str] | None:
        reasons = RequestResponse
        if request.ByteSize() > MAX_ADD_TRACK_BYTES or len(request.simulcast_codecs) > MAX_CODECS:
            return reasons.LIMIT_EXCEEDED, f"a request has at most {MAX_ADD_TRACK_BYTES} bytes and {MAX_CODECS} codecs"
        if not request.cid or max(len(request.cid), len(request.name), len(request.stream)) > MAX_TEXT_LENGTH:
            return reasons.LIMIT_EXCEEDED, f"cid, name and stream have 1 to {MAX_TEXT_LENGTH} characters"
        pending = [each for each in owner.publications.values() if not each.announced]
        if len(pending) >= MAX_PENDING_TRACKS:
            return reasons.LIMIT_EXCEEDED, "too many tracks wait for their media"
        if any(request.cid in each.cids for each in pending):
            if len(owner.queued_tracks) >= MAX_QUEUED_REQUESTS:
                return reasons.LIMIT_EXCEEDED, "too many requests for the same track"
            owner.queued_tracks.append(request)
            return reasons.QUEUED, "a track with this cid waits for its media"
        return None

    def _confirm(self, owner: Participant, cid: str, publication: Publication) -> None:
        response = TrackPublishedResponse(cid=cid, track=publication.info)
        self._roster.send(owner, SignalResponse(track_published=response))

    def _take_queued(self, owner: Participant, cids: list[str]) -> None:
        queued, owner.queued_tracks = owner.queued_tracks, []
        for request in queued:
            if request.cid in cids:
                self.add(owner, request)
            else:
                owner.queued_tracks.append(request)

    def mute(self, owner: Participant, request: MuteTrackRequest, now: float) -> bool:
        """Handle `mute`: the publisher muted or unmuted its track. Return whether it has such a track."""
        publication = owner.publications.get(TrackSid(request.sid))
        if publication is not None:
            self._set_muted(owner, publication, now, muted=request.muted)
        return publication is not None

    def mute_by_moderator(self, owner: Participant, publication: Publication, now: float, *, muted: bool) -> None:
        """Mute a track for its publisher.

        Its client is told first: it would answer the update alone by restoring its own state.
        """
        if publication.info.muted != muted:
            message = MuteTrackRequest(sid=publication.sid, muted=muted)
            self._roster.send(owner, SignalResponse(mute=message))
            self._set_muted(owner, publication, now, muted=muted)

    def _set_muted(self, owner: Participant, publication: Publication, now: float, *, muted: bool) -> None:
        if publication.info.muted == muted:
            return
        publication.info.muted = muted
        for core_track in publication.core_tracks:
            self._roster.media.set_track_muted(owner.sid, track=core_track, muted=muted)
        self._announce_change(owner, publication, now)

    def update_audio(self, owner: Participant, request: UpdateLocalAudioTrack, now: float) -> bool:
        """Handle `update_audio_track`: the features changed (stereo, noise suppression …).

        Return whether the participant has such a track.
        """
        publication = owner.publications.get(TrackSid(request.track_sid))
        if publication is not None and publication.info.type == TrackType.AUDIO:
            del publication.info.audio_features[:]
            publication.info.audio_features.extend(distinct_values(request.features))
            self._announce_change(owner, publication, now)
        return publication is not None

    def update_video(self, owner: Participant, request: UpdateLocalVideoTrack, now: float) -> bool:
        """Handle `update_video_track`: the size changed (rotation, another shared window …).

        Return whether the participant has such a track.
        """
        publication = owner.publications.get(TrackSid(request.track_sid))
        if publication is not None and publication.info.type == TrackType.VIDEO:
            publication.info.width, publication.info.height = request.width, request.height
            self._announce_change(owner, publication, now)
        return publication is not None

    def _announce_change(self, owner: Participant, publication: Publication, now: float) -> None:
        if publication.announced:
            owner.increment_version()
            self._roster.announce(owner, now)

    # ── events of the media core ──

    def handle_started(self, owner: Participant, track: str, *, mid: str, mime_type: str, cid: str, now: float) -> None:
        """Announce a track whose first packet came, and subscribe those who want it."""
        publication = owner.publications.get(track_of(track))
        if publication is None:
            return
        if track != publication.sid:
            self._backup_started(owner, publication, mid=mid, mime_type=mime_type, now=now)
            return
        if publication.announced:
            return
        info = publication.info
        info.mid, info.mime_type = mid, mime_type
        codec = info.codecs[0] if info.codecs else info.codecs.add(cid=publication.cids[0], layers=info.layers)
        codec.mid, codec.mime_type = mid, mime_type
        if cid and cid != codec.cid:
            codec.sdp_cid = cid
        publication.announced = True
        owner.increment_version()
        # clients are told of a track before they are sent it
        subscribe = partial(self._subscriptions.reconcile_publication, owner, publication)
        self._roster.announce(owner, now, to_itself=False, then=subscribe)
        self._roster.notify("track_published", owner, info)
        self._take_queued(owner, publication.cids)
        self._counts_changed(now)

    def _backup_started(
        self, owner: Participant, publication: Publication, *, mid: str, mime_type: str, now: float
    ) -> None:
        backup = publication.backup
        if backup is None or backup.is_started:
            return
        backup.is_started = True
        publication.info.codecs.add(mid=mid, mime_type=mime_type, layers=publication.info.layers)
        self._announce_change(owner, publication, now)
        self._subscriptions.backup_started(publication)

    def _backup_ended(self, owner: Participant, publication: Publication, backup: BackupCodec, now: float) -> None:
        publication.backup = BackupCodec(backup.codec, backup.track)
        if backup.is_started:
            del publication.info.codecs[-1]
            self._announce_change(owner, publication, now)
        self._subscriptions.backup_ended(owner, publication, now)

    def handle_ended(self, owner: Participant, track: str, now: float) -> None:
        """Remove a track whose section stopped sending, or only its second codec."""
        publication = owner.publications.get(track_of(track))
        if publication is None:
            return
        if track == publication.sid:
            self._remove(owner, publication, now)
        elif publication.backup is not None:
            self._backup_ended(owner, publication, publication.backup, now)

    def withdraw(self, owner: Participant, publication: Publication, now: float) -> None:
        """End a track that the grants no longer allow, whatever its client sends."""
        self._roster.media.withdraw_track(owner.sid, track=publication.sid)
        if owner.protocol >= TRACK_UNPUBLISHED:
            gone = TrackUnpublishedResponse(track_sid=publication.sid)
            self._roster.send(owner, SignalResponse(track_unpublished=gone))
        self._remove(owner, publication, now)

    def withdraw_forbidden(self, owner: Participant, now: float) -> None:
        """End the tracks that the changed grants do not allow."""
        for publication in list(owner.publications.values()):
            if not owner.may_publish(publication.info.source):
                self.withdraw(owner, publication, now)

    def _remove(self, owner: Participant, publication: Publication, now: float) -> None:
        for core_track in publication.core_tracks[1:]:
            self._roster.media.withdraw_track(owner.sid, track=core_track)
        self._roster.remove_publication(owner, publication)
        self._subscriptions.forget_track(publication.sid)
        if publication.announced:
            owner.increment_version()
            self._roster.announce(owner, now, to_itself=False)
            self._roster.notify("track_unpublished", owner, publication.info)
            self._counts_changed(now)
        self._take_queued(owner, publication.cids)


def _cids(request: AddTrackRequest) -> list[str]:
    return list(dict.fromkeys([request.cid, *(codec.cid for codec in request.simulcast_codecs if codec.cid)]))


def _wanted_codec(request: AddTrackRequest) -> str | None:
    """Return the codec that the client wants to send, as in its offer: the first one, the others are backups.

    Otherwise the media core answers with redundant sound (RFC 2198) first.
    """
    if request.type == TrackType.AUDIO and request.disable_red:
        return "opus"
    wanted = request.simulcast_codecs[0].codec if request.simulcast_codecs else ""
    return wanted.rpartition("/")[2] or None


def _mime_type(request: AddTrackRequest, enabled: Sequence[str]) -> str:
    """Return the codec that the client names first, or the usual one if that is not enabled; empty if it names none."""
    if not request.simulcast_codecs:
        return ""
    kind = _DEFAULT_MIME[request.type].partition("/")[0]
    of_kind = [mime_type for mime_type in enabled if mime_type.startswith(f"{kind}/")]
    wanted = request.simulcast_codecs[0].codec.rpartition("/")[2].lower()
    named = (mime_type for mime_type in of_kind if mime_type.lower() == f"{kind}/{wanted}")
    return next(named, of_kind[0] if of_kind else "")


def _opus_options(request: AddTrackRequest) -> dict[str, bool]:
    """Return how sound is to be encoded: nothing is sent while it is silent, unless the client does not want that."""
    if request.type != TrackType.AUDIO:
        return {}
    features = AudioTrackFeature
    return {
        "dtx": not request.disable_dtx and features.TF_NO_DTX not in request.audio_features,
        "stereo": request.stereo or features.TF_STEREO in request.audio_features,
    }


def _echo(request: AddTrackRequest) -> AddTrackRequest:
    """Return what a refusal repeats of a request: all, or of a very large one only what identifies it."""
    is_small = request.ByteSize() <= MAX_ADD_TRACK_BYTES
    return request if is_small else AddTrackRequest(cid=request.cid[:MAX_TEXT_LENGTH], type=request.type)


def _bounded_layers(layers: Iterable[VideoLayer]) -> list[VideoLayer]:
    """Return the layers as they are repeated to others: few, and without fields that this server does not know."""
    return [
        VideoLayer(
            quality=layer.quality,
            width=layer.width,
            height=layer.height,
            bitrate=layer.bitrate,
            ssrc=layer.ssrc,
            spatial_layer=layer.spatial_layer,
            rid=layer.rid[:MAX_SID_LENGTH],
            repair_ssrc=layer.repair_ssrc,
        )
        for layer in islice(layers, MAX_LAYERS)
    ]


def _track_info(request: AddTrackRequest, mime_type: str) -> TrackInfo:
    """Return what others are told of a track; `mime_type` is empty while its codec is not known."""
    layers = _bounded_layers(request.layers or (request.simulcast_codecs[0].layers if request.simulcast_codecs else ()))
    if request.type == TrackType.VIDEO and not layers:
        layers = [VideoLayer(quality=VideoQuality.HIGH, width=request.width, height=request.height)]
    codecs = [
        SimulcastCodecInfo(
            cid=codec.cid[:MAX_TEXT_LENGTH],
            mime_type=mime_type,
            layers=_bounded_layers(codec.layers) or layers,
            video_layer_mode=codec.video_layer_mode,
        )
        for codec in request.simulcast_codecs[:1]
    ]
    return TrackInfo(
        sid=new_track_sid(),
        type=request.type,
        name=request.name,
        muted=request.muted,
        width=request.width,
        height=request.height,
        source=request.source,
        simulcast=request.type == TrackType.VIDEO and len(layers) > 1,
        disable_dtx=request.disable_dtx,
        layers=layers,
        mime_type=mime_type or _DEFAULT_MIME[request.type],
        codecs=codecs,
        stereo=request.stereo,
        disable_red=request.disable_red,
        encryption=request.encryption,
        stream=request.stream,
        audio_features=distinct_values(request.audio_features),
        backup_codec_policy=request.backup_codec_policy,
        packet_trailer_features=distinct_values(request.packet_trailer_features),
    )


def _layers(info: TrackInfo) -> list[tuple[Quality, int, int]]:
    if info.type != TrackType.VIDEO:
        return []
    by_size = sorted(info.layers, key=lambda layer: layer.quality)
    return [
        (QUALITIES[layer.quality], min(layer.width, 65_535), min(layer.height, 65_535))
        for layer in by_size[: len(QUALITIES)]
        if layer.quality in QUALITIES
    ]
