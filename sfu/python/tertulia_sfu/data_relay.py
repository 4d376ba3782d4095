"""Data packets between participants (chat, streams, remote calls): who may send, who receives, nothing twice."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from google.protobuf.message import DecodeError
from livekit.protocol.models import DataPacket, RpcResponse
from livekit.protocol.rtc import DataChannelReceiveState

from .ids import ParticipantSid
from .participant import Participant
from .permissions import may_send
from .ports import Channel
from .roster import Roster

log = structlog.get_logger(__name__)

REPLAY_S: Final = 2.0
REPLAY_BYTES: Final = 100_000
MAX_PACKET_BYTES: Final = 65_536

_CHANNEL_KINDS: Final[dict[Channel, DataPacket.Kind]] = {"reliable": DataPacket.RELIABLE, "lossy": DataPacket.LOSSY}
_CHANNELS: Final[dict[int, Channel]] = {kind: channel for channel, kind in _CHANNEL_KINDS.items()}


@dataclass(frozen=True, slots=True)
class _Sent:
    at: float
    sender: ParticipantSid | None
    sequence: int
    destinations: frozenset[str]
    payload: bytes


class DataRelay:
    """Relays the data packets of one room. Packets stay opaque but for their envelope."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._recent: deque[_Sent] = deque()
        self._recent_bytes = 0
        self._rpc_waiting: dict[str, tuple[Participant, Callable[[RpcResponse], None]]] = {}

    def received(self, sender: Participant, channel: Channel, payload: bytes, now: float) -> None:
        """A packet from a participant: check it, stamp the true sender on it, pass it on. Never back to its sender."""
        if len(payload) > MAX_PACKET_BYTES:
            return
        try:
            packet = DataPacket.FromString(payload)
        except DecodeError:
            log.info("malformed data packet", participant=sender.sid)
            return
        # an answer to a call of the server API goes to nobody else, so it needs no grant
        if self._is_rpc_answer(sender, packet) or not may_send(sender.claims, packet.WhichOneof("value")):
            return
        if channel == "reliable" and packet.sequence > 0:
            if packet.sequence <= sender.last_reliable_sequence:
                return
            sender.last_reliable_sequence = packet.sequence
        _stamp(packet, sender, channel)
        self._deliver(packet, channel, sender, now)

    def send(self, packet: DataPacket, *, now: float) -> None:
        """A packet of the server API: it has no sender."""
        self._deliver(packet, _CHANNELS.get(packet.kind, "reliable"), None, now)

    def _deliver(self, packet: DataPacket, channel: Channel, sender: Participant | None, now: float) -> None:
        destinations = self._destinations(packet)
        receivers = [one for one in self._roster if one is not sender and _may_receive(one, packet, destinations)]
        payload = packet.SerializeToString()
        if channel == "reliable":
            self._remember(
                _Sent(now, sender.sid if sender is not None else None, packet.sequence, destinations, payload)
            )
            receivers = [one for one in receivers if one.reliable_open]
        if receivers:
            self._roster.media.send_data([one.sid for one in receivers], channel=channel, payload=payload)

    def _destinations(self, packet: DataPacket) -> frozenset[str]:
        """Identities a packet is for (empty: everyone), the older lists inside `user` included."""
        identities = [*packet.destination_identities]
        if packet.HasField("user"):
            identities += packet.user.destination_identities
            named = [self._roster.get(sid) for sid in packet.user.destination_sids]
            identities += [one.identity for one in named if one is not None]
            if packet.user.destination_sids and not identities:
                identities = [""]
        return frozenset(identities)

    # ── a short memory, for those whose channel opens a moment later or who come back ──

    def _remember(self, sent: _Sent) -> None:
        self._recent.append(sent)
        self._recent_bytes += len(sent.payload)
        while self._recent_bytes > REPLAY_BYTES or self._recent[0].at < sent.at - REPLAY_S:
            self._recent_bytes -= len(self._recent.popleft().payload)
            if not self._recent:
                break

    def channel_open(self, receiver: Participant, channel: Channel, now: float) -> None:
        """The participant can receive now: hand over what was sent since it joined."""
        if channel != "reliable" or receiver.reliable_open:
            return
        receiver.reliable_open = True
        since = max(receiver.joined_at, now - REPLAY_S)
        self._replay(receiver, [sent for sent in self._recent if sent.at >= since and sent.sender != receiver.sid])

    def resumed(self, receiver: Participant, states: Sequence[DataChannelReceiveState], now: float) -> None:
        """After a resume: repeat what came after the last packet that the client got from each sender."""
        last_seen = {state.publisher_sid: state.last_seq for state in states}
        missed = [
            sent
            for sent in self._recent
            if sent.at >= now - REPLAY_S
            and sent.sender is not None
            and sent.sender != receiver.sid
            and sent.sequence > last_seen.get(sent.sender, sent.sequence)
        ]
        self._replay(receiver, missed)

    def _replay(self, receiver: Participant, packets: Sequence[_Sent]) -> None:
        for sent in packets:
            if not sent.destinations or receiver.identity in sent.destinations:
                self._roster.media.send_data([receiver.sid], channel="reliable", payload=sent.payload)

    # ── remote procedure calls that the server API makes ──

    def expect_rpc_answer(self, call: str, callee: Participant, answered: Callable[[RpcResponse], None]) -> None:
        """Call `answered` when the callee's response to this call comes."""
        self._rpc_waiting[call] = (callee, answered)

    def forget_rpc(self, request_id: str) -> None:
        """Nobody waits for this answer any more."""
        self._rpc_waiting.pop(request_id, None)

    def _is_rpc_answer(self, sender: Participant, packet: DataPacket) -> bool:
        is_response = packet.HasField("rpc_response")
        call = packet.rpc_response.request_id if is_response else packet.rpc_ack.request_id
        callee, answered = self._rpc_waiting.get(call, (None, None))
        if callee is not sender:
            return False
        if is_response and answered is not None:
            self.forget_rpc(call)
            answered(packet.rpc_response)
        return True


def _may_receive(receiver: Participant, packet: DataPacket, destinations: frozenset[str]) -> bool:
    if destinations and receiver.identity not in destinations:
        return False
    return not packet.HasField("metrics") or receiver.claims.video.can_subscribe_metrics


def _stamp(packet: DataPacket, sender: Participant, channel: Channel) -> None:
    packet.kind = _CHANNEL_KINDS[channel]
    packet.participant_sid = sender.sid
    packet.participant_identity = sender.identity
    if packet.HasField("user"):
        packet.user.participant_sid = sender.sid
        packet.user.participant_identity = sender.identity
