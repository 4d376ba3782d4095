"""What one participant's data packets may cost: in messages, in bytes with all their copies, in CPU time.

A client over its budget is not read for a while; SCTP makes it wait. The figures:

- messages: those below SMALL_BYTES, which cost much for what they carry. A cursor or a slider sends 30 a second, a
  game 60 to 120, a whiteboard that is opened some hundreds at once. The Python SDK sends 1,000 a second, a browser more
  than 10,000. A client that goes on above the rate for SLOWED_AT_MOST_S is to be removed. One that is too large to be
  relayed counts as REFUSED_MESSAGES.
- packets of data tracks: a sensor or a robot's joint sends 1,000 a second. Above the rate they are only slowed: the
  client drops what it cannot send in time.
- bytes: received ones, and sent ones for each receiver. What is slowed by this alone is a file: it arrives later, and
  its sender stays.
- CPU time of the event loop: a packet takes 30 to 100 µs, in a room of 1,000 participants some milliseconds.
"""

from typing import Final

from tertulia_sfu.rooms.budget import SHORTEST_WAIT_S, Bucket

SMALL_BYTES: Final = 4 * 1024
MESSAGES_PER_S: Final = 200.0
MESSAGES_BURST: Final = 2_000.0
REFUSED_MESSAGES: Final = 20
TRACK_PACKETS_PER_S: Final = 2_000.0
TRACK_PACKETS_BURST: Final = 4_000.0
BYTES_PER_S: Final = 16 * 1024 * 1024.0
BYTES_BURST: Final = 16 * 1024 * 1024.0
CPU_PER_S: Final = 0.15
CPU_BURST_S: Final = 1.0

SLOWED_AT_MOST_S: Final = 2.0


class DataBudget:
    """The budget of one participant's data packets."""

    def __init__(self) -> None:
        self._messages = Bucket(MESSAGES_PER_S, MESSAGES_BURST)
        self._track_packets = Bucket(TRACK_PACKETS_PER_S, TRACK_PACKETS_BURST)
        self._bytes = Bucket(BYTES_PER_S, BYTES_BURST)
        self._cpu = Bucket(CPU_PER_S, CPU_BURST_S)
        self._held_until = 0.0
        self._slowed_until = 0.0
        self._slowed_s = 0.0

    def charge(
        self, now: float, *, size: int, copies: int, is_refused: bool, cpu_s: float, is_of_track: bool = False
    ) -> float:
        """Charge a packet that was sent to `copies` receivers. Return for how long (s) to read no more, or 0."""
        is_track_packet = is_of_track and not is_refused
        messages = 0 if is_track_packet else _messages(size, is_refused=is_refused)
        messages_wait_s = self._messages.take(messages, now)
        if messages_wait_s:
            self._slow(now, now + messages_wait_s)
        elif self._messages.level >= self._messages.burst / 2:
            self._slowed_s = 0.0
        wait_s = max(
            messages_wait_s,
            self._track_packets.take(float(is_track_packet), now),
            self._bytes.take(size * (1 + copies), now),
            self._cpu.take(cpu_s, now),
        )
        if now + wait_s < max(now, self._held_until) + SHORTEST_WAIT_S:
            return 0.0
        self._held_until = now + wait_s
        return wait_s

    def _slow(self, now: float, until: float) -> None:
        """Count the time that is waited. What was on its way already waits for the same time, not one after another."""
        self._slowed_s += max(0.0, until - max(now, self._slowed_until))
        self._slowed_until = max(until, self._slowed_until)

    @property
    def is_exceeded(self) -> bool:
        """Whether the client sent too many messages for longer than allowed, without a pause in between."""
        return self._slowed_s > SLOWED_AT_MOST_S


def _messages(size: int, *, is_refused: bool) -> int:
    if is_refused:
        return REFUSED_MESSAGES
    return 1 if size < SMALL_BYTES else 0
