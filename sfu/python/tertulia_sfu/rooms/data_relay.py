"""Data packets between participants (chat, streams, RPC): permission, stamping, recipients, deduplication, replay."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from google.protobuf.message import DecodeError
from livekit.protocol.models import DataPacket, RpcResponse
from livekit.protocol.rtc import DataChannelReceiveState, RequestResponse, SignalResponse

from tertulia_sfu.errors import InvalidRequest
from tertulia_sfu.ids import ParticipantSid
from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.permissions import may_send
from tertulia_sfu.rooms.ports import Channel
from tertulia_sfu.rooms.roster import Roster

REPLAY_S: Final = 2.0
REPLAY_BYTES: Final = 100_000
MAX_PACKET_BYTES: Final = 65_536
REFUSALS_EVERY_S: Final = 1.0
MAX_RECEIVE_STATES: Final = 4_000  # clients keep one for each sender of the last minutes

_CHANNEL_KINDS: Final[dict[Channel, DataPacket.Kind]] = {"reliable": DataPacket.RELIABLE, "lossy": DataPacket.LOSSY}
_CHANNELS: Final[dict[int, Channel]] = {kind: channel for channel, kind in _CHANNEL_KINDS.items()}


@dataclass(frozen=True, slots=True)
class _SentPacket:
    at: float
    sender: ParticipantSid | None
    sequence: int
    destinations: frozenset[str]
    payload: bytes


class DataRelay:
    """The relay of one room's data packets. Their content stays opaque."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._recent: deque[_SentPacket] = deque()
        self._recent_bytes = 0
        self._pending_rpcs: dict[str, tuple[Participant, Callable[[RpcResponse], None]]] = {}

    def handle_packet(self, sender: Participant, channel: Channel, payload: bytes, now: float) -> int | None:
        """Check a participant's packet, stamp its true sender on it, and send it to the others.

        Return to how many; None if it was refused.
        """
        if len(payload) > MAX_PACKET_BYTES:
            self._refuse_size(sender, len(payload), now)
            return None
        try:
            packet = DataPacket.FromString(payload)
        except DecodeError:
            return None
        # a response to a call of the server API reaches no participant, so it needs no grant
        if self._is_rpc_response(sender, packet) or not may_send(sender.claims, packet.WhichOneof("value")):
            return 0
        if channel == "reliable" and packet.sequence > 0:
            if packet.sequence <= sender.last_reliable_sequence:
                return 0
            sender.last_reliable_sequence = packet.sequence
        _stamp(packet, sender, channel)
        stamped = packet.SerializeToString()
        if len(stamped) > MAX_PACKET_BYTES:
            # larger than what clients that name no limit can receive (RFC 8841, section 6.1)
            self._refuse_size(sender, len(payload), now)
            return None
        return self._deliver(packet, stamped, channel, sender, now)

    def _refuse_size(self, sender: Participant, size: int, now: float) -> None:
        """Tell a sender, at most once a second, that its packet is too large to be relayed."""
        if now < sender.data_refused_at + REFUSALS_EVERY_S:
            return
        sender.data_refused_at = now
        text = f"a data packet has at most {MAX_PACKET_BYTES} bytes, this one had {size}: send it as a data stream"
        response = RequestResponse(reason=RequestResponse.LIMIT_EXCEEDED, message=text)
        self._roster.send(sender, SignalResponse(request_response=response))

    def send(self, packet: DataPacket, *, now: float) -> None:
        """Send a packet of the server API, which has no sender. Raise InvalidRequest if it is too large."""
        payload = packet.SerializeToString()
        if len(payload) > MAX_PACKET_BYTES:
            raise InvalidRequest(f"A data packet has at most {MAX_PACKET_BYTES} bytes, this one has {len(payload)}.")
        self._deliver(packet, payload, _CHANNELS.get(packet.kind, "reliable"), None, now)

    def _deliver(
        self, packet: DataPacket, payload: bytes, channel: Channel, sender: Participant | None, now: float
    ) -> int:
        destinations = self._destinations(packet)
        receivers = [each for each in self._roster if each is not sender and _may_receive(each, packet, destinations)]
        sid = None if sender is None else sender.sid
        if channel == "reliable":
            self._remember(_SentPacket(now, sid, packet.sequence, destinations, payload))
            receivers = [each for each in receivers if each.reliable_channel_open]
        if receivers:
            peers = [each.primary_peer for each in receivers]
            self._roster.media.send_data(peers, channel=channel, payload=payload, sender=sid)
        return len(receivers)

    def _destinations(self, packet: DataPacket) -> frozenset[str]:
        """Return the identities that a packet is for (empty: all), the deprecated lists inside `user` included."""
        identities = [*packet.destination_identities]
        if packet.HasField("user"):
            identities += packet.user.destination_identities
            named = [self._roster.get(sid) for sid in packet.user.destination_sids]
            identities += [each.identity for each in named if each is not None]
            if packet.user.destination_sids and not identities:
                identities = [""]
        return frozenset(identities)

    # ── replay, for participants whose channel opens a moment later or who resume ──

    def _remember(self, sent: _SentPacket) -> None:
        self._recent.append(sent)
        self._recent_bytes += len(sent.payload)
        while self._recent_bytes > REPLAY_BYTES or self._recent[0].at < sent.at - REPLAY_S:
            self._recent_bytes -= len(self._recent.popleft().payload)
            if not self._recent:
                break

    def handle_channel_open(self, receiver: Participant, channel: Channel, now: float) -> None:
        """Replay what was sent since a participant joined, now that its channel is open."""
        if channel != "reliable" or receiver.reliable_channel_open:
            return
        receiver.reliable_channel_open = True
        since = max(receiver.joined_at, now - REPLAY_S)
        self._replay(receiver, [sent for sent in self._recent if sent.at >= since and sent.sender != receiver.sid])

    def handle_resume(self, receiver: Participant, states: Sequence[DataChannelReceiveState], now: float) -> None:
        """Replay, after a resume, what came after the last packet that the client received from each sender."""
        last_seen = {state.publisher_sid: state.last_seq for state in islice(states, MAX_RECEIVE_STATES)}
        missed = [
            sent
            for sent in self._recent
            if sent.at >= now - REPLAY_S
            and sent.sender is not None
            and sent.sender != receiver.sid
            and sent.sequence > last_seen.get(sent.sender, sent.sequence)
        ]
        self._replay(receiver, missed)

    def _replay(self, receiver: Participant, packets: Sequence[_SentPacket]) -> None:
        for sent in packets:
            if not sent.destinations or receiver.identity in sent.destinations:
                self._roster.media.send_data([receiver.primary_peer], channel="reliable", payload=sent.payload)

    # ── remote procedure calls of the server API ──

    def expect_rpc_response(
        self, request_id: str, callee: Participant, on_response: Callable[[RpcResponse], None]
    ) -> None:
        """Call `on_response` when the callee's response to this request comes."""
        self._pending_rpcs[request_id] = (callee, on_response)

    def cancel_rpc(self, request_id: str) -> None:
        """Stop waiting for the response to this request."""
        self._pending_rpcs.pop(request_id, None)

    def _is_rpc_response(self, sender: Participant, packet: DataPacket) -> bool:
        is_response = packet.HasField("rpc_response")
        request_id = packet.rpc_response.request_id if is_response else packet.rpc_ack.request_id
        callee, on_response = self._pending_rpcs.get(request_id, (None, None))
        if callee is not sender:
            return False
        if is_response and on_response is not None:
            self.cancel_rpc(request_id)
            on_response(packet.rpc_response)
        return True


def _may_receive(receiver: Participant, packet: DataPacket, destinations: frozenset[str]) -> bool:
    if destinations and receiver.identity not in destinations:
        return False
    return not packet.HasField("metrics") or receiver.claims.video.can_subscribe_metrics


def _stamp(packet: DataPacket, sender: Participant, channel: Channel) -> None:
    """Name the sender. Of a hidden one only the session is named, which receivers know duplicates by."""
    sid, identity = ("", "") if sender.is_hidden else (sender.sid, sender.identity)
    packet.kind = _CHANNEL_KINDS[channel]
    packet.participant_sid = sender.sid
    packet.participant_identity = identity
    if packet.HasField("user"):
        packet.user.participant_sid = sid
        packet.user.participant_identity = identity
