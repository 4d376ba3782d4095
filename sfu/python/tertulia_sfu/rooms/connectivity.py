"""Lost connections: how long a participant without media or signalling keeps its session, and when it is asked back.

A participant has two connections: signalling (WebSocket) and media (ICE). Its session lives as long as its media does;
a client that lost only its media is asked to resume.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from livekit.protocol.models import DisconnectReason, ParticipantInfo
from livekit.protocol.rtc import LeaveRequest

from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.protocol import LEAVE_ACTION
from tertulia_sfu.rooms.roster import Roster
from tertulia_sfu.rooms.session_messages import leave_message
from tertulia_sfu.rooms.status_updates import StatusUpdates

VANISHED_AFTER_S: Final = 15.0
# how long the media core hears nothing before it reports a peer as disconnected
ICE_TIMEOUT_S: Final = 10.0
LEAVE_DELAY_S: Final = 1.0

Remove = Callable[[Participant, "DisconnectReason", float], None]


class Connectivity:
    """The connection state of a room's participants. `remove` ends a session."""

    def __init__(self, roster: Roster, status: StatusUpdates, *, join_timeout_s: float, remove: Remove) -> None:
        self._roster = roster
        self._status = status
        self._join_timeout_s = join_timeout_s
        self._remove = remove

    def joined(self, participant: Participant, now: float) -> None:
        """Expect a new participant's media within the join timeout."""
        self._schedule("join", participant, now + self._join_timeout_s, DisconnectReason.JOIN_FAILURE)

    def peer_connected(self, participant: Participant, now: float, *, peer: str | None = None) -> None:
        """Mark a participant's media as connected; the first time, it becomes active for the others.

        `peer`: which of two; the primary one if not given.
        """
        participant.peers_up[peer or participant.primary_peer] = True
        if not participant.connected:
            return
        for key in ("gone", "resume", "join"):
            self._roster.timers.cancel((key, participant.sid))
        if participant.was_active:
            return
        participant.was_active = True
        participant.state = ParticipantInfo.ACTIVE
        participant.increment_version()
        self._roster.announce(participant, now, urgent=bool(participant.announced))
        self._roster.notify("participant_joined", participant)

    def peer_disconnected(self, participant: Participant, now: float, *, peer: str | None = None) -> None:
        """Mark a participant's media as lost. If its client closed it, a `leave` may be on its way."""
        participant.peers_up[peer or participant.primary_peer] = False
        self._status.send_link_lost(participant, now)
        lost_at = participant.signal_lost_at
        last_heard_at = now - ICE_TIMEOUT_S
        if lost_at is None:
            ask = partial(self._ask_to_resume, participant)
            self._roster.timers.set(("resume", participant.sid), now + LEAVE_DELAY_S, ask)
        else:
            last_heard_at = max(lost_at, last_heard_at)
        self._schedule("gone", participant, last_heard_at + VANISHED_AFTER_S, DisconnectReason.CONNECTION_TIMEOUT)

    def signal_lost(self, participant: Participant, now: float) -> None:
        """Mark a signal connection as lost without `leave`. Remove a participant whose media was never connected."""
        if not participant.was_active:
            self._remove(participant, DisconnectReason.SIGNAL_CLOSE, now)
        else:
            participant.signal_lost_at = now

    def resumed(self, participant: Participant, now: float) -> float:
        """Mark a signal connection as restored. Return the time (s) since when it was lost."""
        lost_at = now if participant.signal_lost_at is None else participant.signal_lost_at
        participant.signal_lost_at = None
        if not participant.connected:
            self._schedule("gone", participant, now + VANISHED_AFTER_S, DisconnectReason.CONNECTION_TIMEOUT)
        self._roster.timers.cancel(("resume", participant.sid))
        return lost_at

    def forget(self, participant: Participant) -> None:
        """Cancel the timers of a participant that was removed."""
        for key in ("join", "gone", "resume"):
            self._roster.timers.cancel((key, participant.sid))

    def _ask_to_resume(self, participant: Participant, now: float) -> None:
        participant.signal_lost_at = now
        if participant.protocol >= LEAVE_ACTION:
            self._roster.send(participant, leave_message(DisconnectReason.CONNECTION_TIMEOUT, LeaveRequest.RESUME))
        self._roster.signals.close(participant.sid)

    def _schedule(self, key: str, participant: Participant, at: float, reason: "DisconnectReason") -> None:
        self._roster.timers.set((key, participant.sid), at, partial(self._remove, participant, reason))
