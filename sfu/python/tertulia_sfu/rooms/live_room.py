"""A live room, without I/O or clock: who comes, who goes, what each is told. `now` is the room's time (s)."""

import os
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from livekit.protocol.models import (
    ConnectionQuality,
    DisconnectReason,
    ParticipantInfo,
    ParticipantPermission,
    SpeakerInfo,
)
from livekit.protocol.rtc import (
    ConnectionQualityInfo,
    ConnectionQualityUpdate,
    JoinRequest,
    LeaveRequest,
    RoomUpdate,
    SignalResponse,
    SpeakersChanged,
)

from tertulia_sfu.config import MAX_ATTRIBUTES_BYTES, MAX_METADATA_BYTES, MediaConfig
from tertulia_sfu.errors import InvalidRequest, RoomFull
from tertulia_sfu.ids import ParticipantSid
from tertulia_sfu.rooms import session_messages
from tertulia_sfu.rooms.data_relay import DataRelay
from tertulia_sfu.rooms.participant import Participant, Wishes
from tertulia_sfu.rooms.publishing import Publishing
from tertulia_sfu.rooms.roster import Roster
from tertulia_sfu.rooms.subscribing import Subscribing
from tertulia_sfu.tokens import MAX_NAME_LENGTH, Claims, Tokens

COUNTS_EVERY_S: Final = 5.0
VANISHED_AFTER_S: Final = 15.0
# how long the media core hears nothing before it reports a peer as disconnected
ICE_TIMEOUT_S: Final = 10.0
LEAVE_DELAY_S: Final = 1.0


class LiveRoom:
    """One meeting. Everything that happens is a method call; everything that follows goes out through the roster."""

    def __init__(
        self,
        roster: Roster,
        *,
        config: MediaConfig,
        tokens: Tokens,
        node_id: str,
        on_left: Callable[[Participant], None],
        on_closed: Callable[["LiveRoom"], None],
    ) -> None:
        self.roster = roster
        self.subscribing = Subscribing(roster)
        self.publishing = Publishing(roster, self.subscribing, self.changed)
        self.data = DataRelay(roster)
        self._config = config
        self._tokens = tokens
        self._node_id = node_id
        self._on_left = on_left
        self._on_closed = on_closed
        self._sif_trailer = os.urandom(16)
        self._departed: deque[tuple[float, ParticipantInfo]] = deque(maxlen=200)
        self._started = False
        self._told = roster.room_info()
        self._told_at = 0.0

    # ── coming ──

    def join(
        self,
        sid: ParticipantSid,
        claims: Claims,
        request: JoinRequest,
        *,
        now: float,
        token_not_after: float | None = None,
    ) -> Participant:
        """Let somebody in and send the first messages. The newer of two with one identity wins. Raises RoomFull."""
        settings = request.connection_settings
        participant = Participant(
            sid=sid,
            claims=claims,
            client=request.client_info,
            wishes=Wishes(auto_subscribe=settings.auto_subscribe, adaptive_stream=settings.adaptive_stream),
            joined_at=now,
            token_not_after=token_not_after,
        )
        self._check_place(participant)
        older = self.roster.find(participant.identity)
        if older is not None:
            self.remove(older, DisconnectReason.DUPLICATE_IDENTITY, now)
        self.roster.add(participant)
        self.roster.media.add_peer(sid)
        self._greet(participant, now)
        self._start_timers(participant, now)
        self.subscribing.welcome(participant)
        return participant

    def _check_place(self, newcomer: Participant) -> None:
        limit = self.roster.max_participants
        if not limit or not newcomer.takes_a_place:
            return
        others = [one for one in self.roster if one.takes_a_place and one.identity != newcomer.identity]
        if len(others) >= limit:
            raise RoomFull(f"The room already holds {limit} participants.")

    def _greet(self, participant: Participant, now: float) -> None:
        message = session_messages.join_message(
            room=self.roster.room_info(),
            participant=participant.info(),
            others=self.roster.visible_to(participant),
            ice_servers=self._config.ice_servers(participant.sid),
            node_id=self._node_id,
            sif_trailer=self._sif_trailer,
        )
        self.roster.send(participant, message)
        participant.state = ParticipantInfo.JOINED
        participant.touch()
        self.roster.announce(participant, to_itself=False)
        self.send_token(participant, now)
        if not self._started:
            self._started = True
            self.roster.notify("room_started")
        self.changed(now)

    def _start_timers(self, participant: Participant, now: float) -> None:
        self._check_lifetime(now)
        self._later("join", participant, now + self._config.join_timeout_s, self._join_failed)

    def _join_failed(self, participant: Participant, now: float) -> None:
        self.remove(participant, DisconnectReason.JOIN_FAILURE, now)

    def send_token(self, participant: Participant, now: float) -> None:
        """Give the client a fresh token for its next reconnect, now and every five minutes."""
        token = self._tokens.refresh(participant.claims, not_after=participant.token_not_after)
        self.roster.send(participant, SignalResponse(refresh_token=token))
        self._later("token", participant, now + self._config.token_refresh_s, self.send_token)

    def offer(self, participant: Participant, offer_id: int, sdp: str) -> None:
        """A client's session description for its one peer connection."""
        self.roster.media.offer(participant.sid, offer_id=offer_id, sdp=sdp)

    # ── coming back ──

    def resume(self, participant: Participant, *, now: float) -> None:
        """The client has a new line for its old session: bring it up to date."""
        lost_at = now if participant.signal_lost_at is None else participant.signal_lost_at
        participant.signal_lost_at = None
        if not participant.connected:
            self._later("gone", participant, now + VANISHED_AFTER_S, self._give_up)
        self.roster.timers.cancel(("resume", participant.sid))
        message = session_messages.reconnect_message(
            ice_servers=self._config.ice_servers(participant.sid),
            node_id=self._node_id,
            last_sequence=participant.last_reliable_sequence,
        )
        self.roster.send(participant, message)
        present = {one.sid for one in self.roster}
        gone = [info for at, info in self._departed if at >= lost_at and info.sid not in present]
        self.roster.send_update(participant, gone)
        self.roster.send_update(participant, [participant.info(), *self.roster.visible_to(participant)])
        self.roster.send(participant, SignalResponse(room_update=RoomUpdate(room=self.roster.room_info())))
        self.publishing.repeat_wanted(participant)
        self.send_token(participant, now)

    def signal_lost(self, participant: Participant, now: float) -> None:
        """The client's line broke without a word. Its session lives as long as its media does."""
        if not participant.was_active:
            self.remove(participant, DisconnectReason.SIGNAL_CLOSE, now)
        else:
            participant.signal_lost_at = now

    # ── what the media core tells ──

    def peer_connected(self, participant: Participant, now: float) -> None:
        """Media can flow: the participant is active (for good, as far as others are told)."""
        participant.connected = True
        for key in ("gone", "resume", "join"):
            self.roster.timers.cancel((key, participant.sid))
        if participant.was_active:
            return
        participant.was_active = True
        participant.state = ParticipantInfo.ACTIVE
        participant.touch()
        self.roster.announce(participant)
        self.roster.notify("participant_joined", participant)

    def peer_disconnected(self, participant: Participant, now: float) -> None:
        """Nothing was heard for a while, or the client closed its media; a `leave` may be on its way then."""
        participant.connected = False
        self._tell_quality(participant, ConnectionQuality.LOST, 0.0)
        lost_at = participant.signal_lost_at
        last_heard_at = now - ICE_TIMEOUT_S
        if lost_at is None:
            self._later("resume", participant, now + LEAVE_DELAY_S, self._ask_to_resume)
        else:
            last_heard_at = max(lost_at, last_heard_at)
        self._later("gone", participant, last_heard_at + VANISHED_AFTER_S, self._give_up)

    def _ask_to_resume(self, participant: Participant, now: float) -> None:
        participant.signal_lost_at = now
        message = session_messages.leave_message(DisconnectReason.CONNECTION_TIMEOUT, LeaveRequest.RESUME)
        self.roster.send(participant, message)
        self.roster.signals.close(participant.sid)

    def _give_up(self, participant: Participant, now: float) -> None:
        self.remove(participant, DisconnectReason.CONNECTION_TIMEOUT, now)

    def _later(
        self, what: str, participant: Participant, at: float, action: Callable[[Participant, float], None]
    ) -> None:
        self.roster.timers.set((what, participant.sid), at, partial(action, participant))

    def start_over(self, participant: Participant, now: float) -> None:
        """Its state and ours do not fit (or the core gave it up): the client shall join anew."""
        self.remove(participant, DisconnectReason.STATE_MISMATCH, now, action=LeaveRequest.RECONNECT)

    def speakers(self, levels: list[tuple[Participant, float]]) -> None:
        """Whose speech level changed (0: stopped), for everyone who may hear."""
        speakers = [
            SpeakerInfo(sid=one.sid, level=level, active=level > 0) for one, level in levels if not one.is_hidden
        ]
        listeners = [one.sid for one in self.roster if one.claims.video.can_subscribe]
        if speakers and listeners:
            self.roster.signals.send(listeners, SignalResponse(speakers_changed=SpeakersChanged(speakers=speakers)))

    def link_quality(self, participant: Participant, *, loss: float, rtt_ms: int) -> None:
        """Tell how good a participant's connection is: itself, and those who receive something of it."""
        score = max(21.0, 100.0 - 400.0 * loss - max(0, rtt_ms - 200) / 10)
        if score > 80:  # noqa: PLR2004 – the protocol's own steps (80, 40)
            quality = ConnectionQuality.EXCELLENT
        else:
            quality = ConnectionQuality.GOOD if score > 40 else ConnectionQuality.POOR  # noqa: PLR2004
        self._tell_quality(participant, quality, score / 20)

    def _tell_quality(self, participant: Participant, quality: "ConnectionQuality", score: float) -> None:
        tracks = participant.publications.keys()
        audience = [participant.sid]
        if not participant.is_hidden:
            audience += [one.sid for one in self.roster if not tracks.isdisjoint(one.wishes.active)]
        info = ConnectionQualityInfo(participant_sid=participant.sid, quality=quality, score=score)
        update = ConnectionQualityUpdate(updates=[info])
        self.roster.signals.send(audience, SignalResponse(connection_quality=update))

    # ── going ──

    def remove(
        self,
        participant: Participant,
        reason: "DisconnectReason",
        now: float,
        *,
        action: "LeaveRequest.Action" = LeaveRequest.DISCONNECT,
        say_leave: bool = True,
    ) -> None:
        """End a session: its client gets `leave` and is hung up, the others are told. Does nothing if it has ended."""
        if self.roster.get(participant.sid) is not participant:
            return
        if say_leave:
            self.roster.send(participant, session_messages.leave_message(reason, action))
        self.roster.signals.close(participant.sid)
        self.roster.discard(participant)
        self.roster.media.remove_peer(participant.sid)
        for key in ("join", "gone", "resume", "token", "speaking"):
            self.roster.timers.cancel((key, participant.sid))
        participant.state = ParticipantInfo.DISCONNECTED
        participant.touch()
        info = participant.info(reason)
        self.roster.announce(participant, to_itself=False, info=info)
        if not participant.is_hidden:
            self._departed.append((now, info))
        self._notify_gone(participant)
        self._on_left(participant)
        self.changed(now)
        self._check_lifetime(now)

    def _notify_gone(self, participant: Participant) -> None:
        for publication in participant.announced:
            self.subscribing.forget_track(publication.sid)
            self.roster.notify("track_unpublished", participant, publication.info)
        event = "participant_left" if participant.was_active else "participant_connection_aborted"
        self.roster.notify(event, participant)

    def close(self, reason: "DisconnectReason", now: float) -> None:
        """End the meeting for everyone."""
        for participant in self.roster:
            self.remove(participant, reason, now)
        for key in ("lifetime", "counts"):
            self.roster.timers.cancel((key, self.roster.sid))
        if self._started:
            self._started = False
            self.roster.notify("room_finished")
        self._on_closed(self)

    def _check_lifetime(self, now: float) -> None:
        key = ("lifetime", self.roster.sid)
        if any(not one.is_dependent for one in self.roster):
            self.roster.timers.cancel(key)
            return
        wait_s = self.roster.departure_timeout_s if self._started else self.roster.empty_timeout_s
        self.roster.timers.set(key, now + wait_s, lambda at: self.close(DisconnectReason.ROOM_CLOSED, at))

    def opened(self, now: float) -> None:
        """The room was made: it ends by itself if nobody comes."""
        self._check_lifetime(now)

    # ── changes ──

    def change_participant(
        self,
        participant: Participant,
        *,
        now: float,
        name: str | None = None,
        metadata: str | None = None,
        attributes: dict[str, str] | None = None,
        permission: ParticipantPermission | None = None,
    ) -> None:
        """Change what is given, enforce what follows from it, and tell everyone. Raises InvalidRequest (too long)."""
        check_sizes(name=name, metadata=metadata, attributes=attributes)
        was_hidden = participant.is_hidden
        participant.change_claims(name=name, metadata=metadata, attributes=attributes, permission=permission)
        participant.touch()
        self.publishing.withdraw_forbidden(participant, now)
        self.subscribing.reconcile_subscriber(participant)
        if participant.is_hidden and not was_hidden:
            self._vanish(participant)
        self.roster.announce(participant)
        self.send_token(participant, now)
        self.changed(now)

    def _vanish(self, participant: Participant) -> None:
        info = participant.info()
        info.state = ParticipantInfo.DISCONNECTED
        update = SignalResponse()
        update.update.participants.append(info)
        self.roster.send_all(update, but=participant)

    def change_metadata(self, metadata: str, now: float) -> None:
        """Change the room's metadata and tell everyone. Raises InvalidRequest (too long)."""
        check_sizes(metadata=metadata)
        self.roster.metadata = metadata
        self.changed(now)

    def changed(self, now: float) -> None:
        """Tell of the room's own state: metadata and recording at once, counts at most every 5 s."""
        info, told = self.roster.room_info(), self._told
        if info == told:
            return
        urgent = info.metadata != told.metadata or info.active_recording != told.active_recording
        due = self._told_at + COUNTS_EVERY_S
        if urgent or now >= due:
            self._told, self._told_at = info, now
            self.roster.send_all(SignalResponse(room_update=RoomUpdate(room=info)))
        else:
            self.roster.timers.set(("counts", self.roster.sid), due, self.changed)


def check_sizes(
    *, name: str | None = None, metadata: str | None = None, attributes: dict[str, str] | None = None
) -> None:
    """Raise InvalidRequest for what is longer than LiveKit allows."""
    if name is not None and len(name) > MAX_NAME_LENGTH:
        raise InvalidRequest(f"The name is longer than {MAX_NAME_LENGTH} characters.")
    if metadata is not None and len(metadata.encode()) > MAX_METADATA_BYTES:
        raise InvalidRequest(f"The metadata is longer than {MAX_METADATA_BYTES} bytes.")
    size = sum(len(key.encode()) + len(value.encode()) for key, value in (attributes or {}).items())
    if size > MAX_ATTRIBUTES_BYTES:
        raise InvalidRequest(f"The attributes are longer than {MAX_ATTRIBUTES_BYTES} bytes.")
