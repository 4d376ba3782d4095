"""What the publisher of a video is asked to send: which of its layers (dynacast), and whether in a second codec too."""

from livekit.protocol.rtc import SignalResponse, SubscribedCodec, SubscribedQuality, SubscribedQualityUpdate

from tertulia_sfu.ids import track_of
from tertulia_sfu.rooms.participant import Participant, Publication
from tertulia_sfu.rooms.ports import QUALITIES, Quality
from tertulia_sfu.rooms.roster import Roster


class Dynacast:
    """The demand for the videos of a room, as their publishers are told."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    def set_quality(self, owner: Participant, track: str, quality: Quality | None) -> None:
        """Tell the publisher which simulcast layers are wanted, so that it need not encode the others."""
        publication = owner.publications.get(track_of(track))
        if publication is None:
            return
        if track == publication.sid:
            publication.wanted = quality
        elif publication.backup is not None:
            publication.backup.wanted = quality
        self._send(owner, publication)

    def ask_for_backup(self, owner: Participant, publication: Publication) -> None:
        """Ask the publisher for its second codec, if it has one and was not asked yet."""
        if publication.backup is not None and not publication.backup.is_asked:
            publication.backup.is_asked, publication.backup.wanted = True, "high"
            self._send(owner, publication)

    def repeat(self, owner: Participant) -> None:
        """Send the last updates again to a publisher that may have missed them."""
        for publication in owner.announced:
            if publication.quality_update is not None:
                self._roster.send(owner, SignalResponse(subscribed_quality_update=publication.quality_update))

    def _send(self, owner: Participant, publication: Publication) -> None:
        codec = (publication.info.mime_type or "video/VP8").partition("/")[2].lower()
        codecs = [SubscribedCodec(codec=codec, qualities=_qualities(publication.wanted))]
        backup = publication.backup
        if backup is not None and backup.is_asked:
            codecs.append(SubscribedCodec(codec=backup.codec, qualities=_qualities(backup.wanted)))
        publication.quality_update = SubscribedQualityUpdate(
            track_sid=publication.sid, subscribed_qualities=_qualities(publication.wanted), subscribed_codecs=codecs
        )
        self._roster.send(owner, SignalResponse(subscribed_quality_update=publication.quality_update))


def _qualities(best: Quality | None) -> list[SubscribedQuality]:
    names = list(QUALITIES.values())
    rank = -1 if best is None else names.index(best)
    return [SubscribedQuality(quality=each, enabled=at <= rank) for at, each in enumerate(QUALITIES)]
