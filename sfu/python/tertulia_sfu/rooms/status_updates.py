"""What a room tells its participants by itself: active speakers, connection quality, and the room's own state."""

from collections import defaultdict
from typing import Final

from livekit.protocol.models import ConnectionQuality, SpeakerInfo
from livekit.protocol.rtc import (
    ConnectionQualityInfo,
    RoomUpdate,
    SignalResponse,
    SpeakersChanged,
)

from tertulia_sfu.ids import ParticipantSid
from tertulia_sfu.rooms.encoding import part, quality_frame
from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.participant_updates import interval_s
from tertulia_sfu.rooms.protocol import QUALITY_LOST
from tertulia_sfu.rooms.roster import Roster

COUNTS_EVERY_S: Final = 5.0

# livekit-server's scale: a score of 0 to 100, excellent above 80, good above 40; clients are sent a twentieth of it
EXCELLENT_ABOVE: Final = 80
GOOD_ABOVE: Final = 40
MIN_SCORE: Final = 21.0
CLIENT_SCALE: Final = 20


class StatusUpdates:
    """The status updates of one room."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._last_room = roster.room_info()
        self._last_room_at = 0.0
        self._qualities: dict[ParticipantSid, bytes] = {}
        self._old_qualities: dict[ParticipantSid, bytes] = {}  # the same for clients that do not know LOST
        self._qualities_at = float("-inf")

    def send_speakers(self, levels: list[tuple[Participant, float]]) -> None:
        """Send whose speech level changed (0: stopped) to everyone who may subscribe."""
        speakers = [
            SpeakerInfo(sid=each.sid, level=level, active=level > 0) for each, level in levels if not each.is_hidden
        ]
        listeners = [each.sid for each in self._roster if each.claims.video.can_subscribe]
        if speakers and listeners:
            self._roster.signals.send(listeners, SignalResponse(speakers_changed=SpeakersChanged(speakers=speakers)))

    def send_link_quality(
        self, participant: Participant, now: float, *, loss: float, rtt_ms: int, link: str | None = None
    ) -> None:
        """Send a participant's connection quality to itself and to those who receive something of it.

        `loss`: the share of packets lost, from 0 to 1. Of two connections (`link`: a peer) the worse one counts. In a
        large room each receiver gets one message an interval, with the newest quality of all whom it receives.
        """
        participant.links[link or participant.sid] = (loss, rtt_ms)
        loss = max(each for each, _ in participant.links.values())
        rtt_ms = max(each for _, each in participant.links.values())
        score = max(MIN_SCORE, 100.0 - 400.0 * loss - max(0, rtt_ms - 200) / 10)
        if score > EXCELLENT_ABOVE:
            quality = ConnectionQuality.EXCELLENT
        else:
            quality = ConnectionQuality.GOOD if score > GOOD_ABOVE else ConnectionQuality.POOR
        self._add_quality(participant, quality, score / CLIENT_SCALE, now)

    def send_link_lost(self, participant: Participant, now: float) -> None:
        """Send that a participant's media connection is lost."""
        self._add_quality(participant, ConnectionQuality.LOST, 0.0, now)

    def _add_quality(self, participant: Participant, quality: "ConnectionQuality", score: float, now: float) -> None:
        info = ConnectionQualityInfo(participant_sid=participant.sid, quality=quality, score=score)
        self._qualities[participant.sid] = part(info)
        if quality == ConnectionQuality.LOST:
            info.quality = ConnectionQuality.POOR
        self._old_qualities[participant.sid] = part(info)
        due = self._qualities_at + interval_s(len(self._roster), urgent=False)
        if now >= due:
            self._send_qualities(now)
        elif len(self._qualities) == 1:
            self._roster.timers.set(("qualities", self._roster.sid), due, self._send_qualities)

    def _send_qualities(self, now: float) -> None:
        qualities, self._qualities = self._qualities, {}
        old_qualities, self._old_qualities = self._old_qualities, {}
        self._qualities_at = now
        self._roster.timers.cancel(("qualities", self._roster.sid))
        owners = [owner for owner in map(self._roster.get, qualities) if owner is not None and not owner.is_hidden]
        owner_of = {track: owner.sid for owner in owners for track in owner.publications}
        groups: dict[tuple[bool, tuple[ParticipantSid, ...]], list[ParticipantSid]] = defaultdict(list)
        for receiver in self._roster:
            about = {owner_of[track] for track in owner_of.keys() & receiver.subscriptions}
            if receiver.sid in qualities:
                about.add(receiver.sid)
            if about:
                groups[receiver.protocol < QUALITY_LOST, tuple(sorted(about))].append(receiver.sid)
        for (is_old, about_sids), receivers in groups.items():
            parts = old_qualities if is_old else qualities
            self._roster.signals.send(receivers, quality_frame([parts[sid] for sid in about_sids]))

    def send_room_if_changed(self, now: float) -> None:
        """Send the room's own state if it has changed: metadata and recording at once, counts at most every 5 s."""
        info, last = self._roster.room_info(), self._last_room
        if info == last:
            return
        is_urgent = info.metadata != last.metadata or info.active_recording != last.active_recording
        due = self._last_room_at + COUNTS_EVERY_S
        if is_urgent or now >= due:
            self._last_room, self._last_room_at = info, now
            self._roster.send_all(SignalResponse(room_update=RoomUpdate(room=info)))
        else:
            self._roster.timers.set(("counts", self._roster.sid), due, self.send_room_if_changed)

    def close(self) -> None:
        """Cancel the pending updates."""
        self._qualities.clear()
        for key in ("counts", "qualities"):
            self._roster.timers.cancel((key, self._roster.sid))
