"""Updates about participants: sent at once in a small room, collected in a large one.

A join, sent to each present participant by itself, makes N² messages of N joins. So the first change of a quiet room is
sent at once, and the others of an interval together: each participant's newest state only, in the order of the changes,
serialised once for all receivers. livekit-server collects those of participants who publish nothing, too.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from tertulia_sfu.ids import ParticipantSid
from tertulia_sfu.rooms.encoding import update_frames
from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.ports import SignalSink, Timers

AT_ONCE_UP_TO: Final = 30
URGENT_S_PER_PARTICIPANT: Final = 0.001
URGENT_AT_MOST_S: Final = 0.2
OTHERS_S_PER_PARTICIPANT: Final = 0.005
OTHERS_AT_MOST_S: Final = 1.0


def interval_s(participants: int, *, urgent: bool) -> float:
    """Return how long the changes in a room of this size are collected; 0: each is sent at once."""
    above = max(0, participants - AT_ONCE_UP_TO)
    if urgent:
        return min(URGENT_S_PER_PARTICIPANT * above, URGENT_AT_MOST_S)
    return min(OTHERS_S_PER_PARTICIPANT * above, OTHERS_AT_MOST_S)


@dataclass(slots=True)
class _Change:
    """The newest state of a participant (a part of messages); `to_itself`: whether it is told, too."""

    number: int
    state: bytes
    to_itself: bool


class ParticipantUpdates:
    """The changes of one room that its participants have not been told yet. `key` names the room's timer."""

    def __init__(
        self, key: str, receivers: Callable[[], Collection[Participant]], *, signals: SignalSink, timers: Timers
    ) -> None:
        self._key = ("updates", key)
        self._receivers = receivers
        self._signals = signals
        self._timers = timers
        self._changes: dict[ParticipantSid, _Change] = {}
        self._after: list[Callable[[], None]] = []
        self._number = 0
        self._sent_at = float("-inf")
        self._due: float | None = None

    def add(
        self,
        participant: Participant,
        state: bytes,
        now: float,
        *,
        urgent: bool,
        to_itself: bool,
        then: Callable[[], None] | None,
    ) -> None:
        """Send a change now or with others later; `then` is called when it was sent."""
        self._number += 1
        before = self._changes.pop(participant.sid, None)
        if before is not None:
            to_itself = to_itself or before.to_itself
        self._changes[participant.sid] = _Change(self._number, state, to_itself)
        if then is not None:
            self._after.append(then)
        due = self._sent_at + interval_s(len(self._receivers()), urgent=urgent)
        if now >= due:
            self.send(now)
        elif self._due is None or due < self._due:
            self._due = due
            self._timers.set(self._key, due, self.send)

    def mark_as_told(self, participant: Participant) -> None:
        """Note that a participant was sent the state of all others: it needs only the changes from now on."""
        participant.told_changes = self._number

    def send(self, now: float) -> None:
        """Send the collected changes. Each participant gets those that happened after it was sent the whole state."""
        changes, self._changes = self._changes, {}
        after, self._after = self._after, []
        self._sent_at, self._due = now, None
        self._timers.cancel(self._key)
        if changes:
            self._send(changes)
        for each in after:
            each()

    def _send(self, changes: dict[ParticipantSid, _Change]) -> None:
        ordered = list(changes.values())
        numbers = [each.number for each in ordered]
        groups: dict[int, list[ParticipantSid]] = defaultdict(list)
        for receiver in self._receivers():
            first = bisect_right(numbers, receiver.told_changes)
            own = changes.get(receiver.sid)
            if own is None or own.to_itself:
                groups[first].append(receiver.sid)
            else:
                others = [each.state for each in ordered[first:] if each is not own]
                self._send_frames([receiver.sid], others)
        for first, sids in groups.items():
            self._send_frames(sids, [each.state for each in ordered[first:]])

    def _send_frames(self, recipients: list[ParticipantSid], states: list[bytes]) -> None:
        for frame in update_frames(states):
            self._signals.send(recipients, frame)

    def close(self) -> None:
        """Send nothing more: the room has ended."""
        self._timers.cancel(self._key)
