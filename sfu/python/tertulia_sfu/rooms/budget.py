"""What one participant's requests may cost, in messages, bytes, CPU time and what is repeated to others.

A client over its budget is read more slowly; one that goes on for SLOWED_AT_MOST_S is to be removed. The figures are
far above what clients do, so that only those meet them who try:

- messages: a client sends 0.2 pings a second, one message for each change of a subscription's size and for each mute,
  and while it joins about 20 candidates and one `add_track` a track. 25 tiles resized ten times a second send 250 a
  second; publishing 100 tracks with an offer each takes 100 + 100 * OFFER_MESSAGES at once: less than half the burst.
- bytes: the largest messages are offers (0.5 MB with 200 sections) and metadata (0.5 MB), a few an hour.
- CPU time: a request takes 10 to 100 µs of the event loop, in a room of 1,000 participants some milliseconds (a mute
  is repeated to all). Time of the thread, not of the clock: a busy machine makes no client dearer.
- repeated bytes: of each state that is sent to all others (mute, metadata, attributes). A participant with 2 kB of
  state may mute 256 times a second, one with 100 tracks (20 kB) 25 times. The burst is half of what may wait for a
  receiver, so that no participant alone can fill the queues of the others.
- copies: a change that is told to others at once costs the event loop some 40 µs for each, after the request itself.
  Ten count as a message: 75 changes a second in a room of 30. Larger rooms are told of several changes together.
"""

from dataclasses import dataclass, field
from typing import Final

MESSAGES_PER_S: Final = 300.0
MESSAGES_BURST: Final = 5_000.0
BYTES_PER_S: Final = 2 * 1024 * 1024.0
BYTES_BURST: Final = 16 * 1024 * 1024.0
CPU_PER_S: Final = 0.1
CPU_BURST_S: Final = 1.0
REPEATED_BYTES_PER_S: Final = 512 * 1024.0
REPEATED_BYTES_BURST: Final = 4 * 1024 * 1024.0

SLOWED_AT_MOST_S: Final = 2.0
SHORTEST_WAIT_S: Final = 0.05  # a timer for each message would be late by more than what it waits for

# an offer keeps a worker of the media core busy for about 1 ms for each 20 sections
OFFER_MESSAGES: Final = 20
# other participants who are told of a change at once
COPIES_PER_MESSAGE: Final = 10
# a resume sends the state of the whole room to the client
RESUME_MESSAGES: Final = 100


@dataclass(slots=True)
class Bucket:
    """Tokens that come back at a rate. The level may be negative: the cost of a request is known after it."""

    per_s: float
    burst: float
    level: float = field(init=False)
    filled_at: float | None = None

    def __post_init__(self) -> None:
        self.level = self.burst

    def take(self, amount: float, now: float) -> float:
        """Take tokens. Return after how many seconds the level is no longer negative."""
        elapsed_s = 0.0 if self.filled_at is None else max(0.0, now - self.filled_at)
        self.level = min(self.burst, self.level + elapsed_s * self.per_s) - amount
        self.filled_at = now
        return max(0.0, -self.level / self.per_s)


class Budget:
    """The budget of one participant; it outlives its signal connections."""

    def __init__(self) -> None:
        self._messages = Bucket(MESSAGES_PER_S, MESSAGES_BURST)
        self._bytes = Bucket(BYTES_PER_S, BYTES_BURST)
        self._cpu = Bucket(CPU_PER_S, CPU_BURST_S)
        self._repeated = Bucket(REPEATED_BYTES_PER_S, REPEATED_BYTES_BURST)
        self._slowed_s = 0.0

    def charge(
        self, now: float, *, messages: int = 1, size: int = 0, cpu_s: float = 0.0, repeated_bytes: int = 0
    ) -> float:
        """Charge a request of `size` bytes. Return how long (s) to wait before the next one is read."""
        wait_s = max(
            self._messages.take(messages, now),
            self._bytes.take(size, now),
            self._cpu.take(cpu_s, now),
            self._repeated.take(repeated_bytes, now),
        )
        if wait_s >= SHORTEST_WAIT_S:
            self._slowed_s += wait_s
            return wait_s
        if all(bucket.level >= bucket.burst / 2 for bucket in self._buckets):
            self._slowed_s = 0.0
        return 0.0

    @property
    def _buckets(self) -> tuple[Bucket, ...]:
        return self._messages, self._bytes, self._cpu, self._repeated

    @property
    def is_exceeded(self) -> bool:
        """Whether the client was slowed for longer than allowed, without a pause in between."""
        return self._slowed_s > SLOWED_AT_MOST_S
