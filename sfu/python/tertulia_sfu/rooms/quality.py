"""How good the participants' connections are, as far as the media core tells: kept for a room's life."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING, Final, TypeVar

from tertulia_sfu.ids import ParticipantSid, track_of
from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.roster import Roster

if TYPE_CHECKING:
    from tertulia_sfu._core import Event

T = TypeVar("T")
MAX_DEPARTED: Final = 200
"""So many of those who have left are kept, beside all who are there."""


@dataclass(frozen=True, slots=True)
class NetworkPath:
    """How a client's packets arrive. `address` is shortened: it names a network, not a person."""

    family: str
    protocol: str
    address: str

    @classmethod
    def of(cls, remote: str, protocol: str) -> NetworkPath:
        """Return the path from an address with a port."""
        address = ip_address(remote.rpartition(":")[0].strip("[]"))
        if (mapped := getattr(address, "ipv4_mapped", None)) is not None:
            address = mapped
        if isinstance(address, IPv4Address):
            return cls("IPv4", protocol, ".".join([*str(address).split(".")[:2], "x", "x"]))
        return cls("IPv6", protocol, f"{':'.join(address.exploded.split(':')[:2])}:x")


@dataclass(slots=True)
class ParticipantQuality:
    """What is known of one session. Times are the room's (s), losses shares from 0 to 1; `up` is from the client.

    `join_s`: from the join request to the first connected media. `published`: the layers received of each video;
    `subscribed`: of each video that is wanted, the layer that is sent, and the best there is.
    """

    sid: ParticipantSid
    identity: str
    joined_at: float
    join_s: float | None = None
    reported_at: float | None = None
    is_connected: bool = True
    _reports: dict[str, Event.PeerReport] = field(default_factory=dict)

    def add(self, peer: str, report: Event.PeerReport, now: float) -> None:
        """Take the newest report of one of the participant's peer connections."""
        self._reports[peer] = report
        self.reported_at = now

    @property
    def path(self) -> NetworkPath | None:
        """How the client's packets arrive; None while there is no path."""
        found = _first((each.remote, each.protocol) if each.remote else None for each in self._reports.values())
        return None if found is None else NetworkPath.of(*found)

    @property
    def rtt_ms(self) -> int | None:
        """The round-trip time."""
        return _first(each.rtt_ms for each in self._reports.values())

    @property
    def loss_up(self) -> float | None:
        """What is missing of what the client sends."""
        return _first(each.received_loss for each in self._reports.values())

    @property
    def loss_down(self) -> float | None:
        """What the client is missing."""
        return _first(each.sent_loss for each in self._reports.values())

    @property
    def jitter_up_ms(self) -> int | None:
        """The highest jitter of what the client sends."""
        return _first(each.received_jitter_ms for each in self._reports.values())

    @property
    def jitter_down_ms(self) -> int | None:
        """The highest jitter of what the client receives."""
        return _first(each.sent_jitter_ms for each in self._reports.values())

    @property
    def estimate_bps(self) -> int | None:
        """What the client can receive, by its own estimate."""
        return _first(each.estimate_bps for each in self._reports.values())

    @property
    def keyframe_requests(self) -> int:
        """How often the client asked for a picture that it can begin with: at the start, and after each freeze."""
        return sum(each.keyframe_requests for each in self._reports.values())

    @property
    def published(self) -> list[tuple[str, list[str]]]:
        """The layers that are received of each video."""
        return [(track_of(track), [*layers]) for each in self._reports.values() for track, layers in each.published]

    @property
    def subscribed(self) -> list[tuple[str, str | None, str | None]]:
        """Of each video that is wanted: the layer that is sent, and the best there is."""
        videos = (video for each in self._reports.values() for video in each.subscribed)
        return [(track_of(track), sent, best) for track, sent, best in videos]


class RoomQuality:
    """The quality of all who are or were in one meeting, but for recorders and others who are hidden."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._by_sid: dict[ParticipantSid, ParticipantQuality] = {}

    def __iter__(self) -> Iterator[ParticipantQuality]:
        for quality in self._by_sid.values():
            quality.is_connected = self._roster.get(quality.sid) is not None
            yield quality

    def connected(self, participant: Participant, now: float) -> None:
        """Note that a participant's media is connected; how long that took counts the first time."""
        quality = self._of(participant)
        if quality is not None and quality.join_s is None:
            quality.join_s = max(0.0, now - participant.joined_at)

    def report(self, participant: Participant, event: Event.PeerReport, now: float) -> None:
        """Take a `PeerReport` of the media core."""
        quality = self._of(participant)
        if quality is not None:
            quality.add(event.peer, event, now)

    def _of(self, participant: Participant) -> ParticipantQuality | None:
        if not participant.is_counted:
            return None
        found = self._by_sid.get(participant.sid)
        if found is None:
            found = ParticipantQuality(participant.sid, participant.identity, participant.joined_at)
            self._by_sid[participant.sid] = found
            self._forget_oldest()
        return found

    def _forget_oldest(self) -> None:
        if len(self._by_sid) > len(self._roster) + MAX_DEPARTED:
            gone = (sid for sid in self._by_sid if self._roster.get(sid) is None)
            del self._by_sid[next(gone)]


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)
