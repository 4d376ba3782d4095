"""Offers of clients, one at a time, and our own where clients use a second peer connection to receive."""

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from livekit.protocol.rtc import SessionDescription, SignalResponse

from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.roster import Roster

_UDP_CANDIDATE: Final = re.compile(r"a=candidate:\S+ \d+ udp [^\r\n]*\r\n", re.IGNORECASE)
# of those that have asked for TCP; beyond this the oldest requests are forgotten
_MOST_TCP_ONLY: Final = 1000
ANSWER_WITHIN_S: Final = 15.0


class Negotiator:
    """The offer/answer exchange of a room's participants."""

    def __init__(self, roster: Roster, *, on_unanswered: Callable[[Participant, float], None]) -> None:
        self._roster = roster
        self._on_unanswered = on_unanswered
        self._tcp_only: dict[str, None] = {}

    def use_tcp_only(self, identity: str, *, tcp_only: bool) -> None:
        """Tell a participant of no way but TCP from the next answer on, also after a reconnect, or of all again."""
        self._tcp_only.pop(identity, None)
        if tcp_only:
            self._tcp_only[identity] = None
            if len(self._tcp_only) > _MOST_TCP_ONLY:
                del self._tcp_only[next(iter(self._tcp_only))]

    def offer(self, participant: Participant, offer: SessionDescription) -> None:
        """Hand an offer to the media core, or keep it until the one before is answered.

        Of several that wait only the newest counts: it describes all sections. Clients send one at a time anyway.
        """
        if participant.offer_pending:
            participant.waiting_offer = offer
            return
        participant.offer_pending = True
        self._roster.media.offer(participant.sid, offer_id=offer.id, sdp=offer.sdp)

    def handle_answered(self, participant: Participant, *, offer_id: int, sdp: str, tracks: dict[str, str]) -> None:
        """Send the answer to the client, and go on with the offer that waits."""
        if participant.identity in self._tcp_only and "tcptype passive" in sdp:
            sdp = _UDP_CANDIDATE.sub("", sdp)
        answer = SessionDescription(type="answer", sdp=sdp, id=offer_id, mid_to_track_id=tracks)
        self._roster.send(participant, SignalResponse(answer=answer))
        participant.offer_pending = False
        waiting, participant.waiting_offer = participant.waiting_offer, None
        if waiting is not None:
            self.offer(participant, waiting)

    def handle_offered(self, participant: Participant, *, offer_id: int, sdp: str, now: float) -> None:
        """Send an offer of the media core to the client, which has to answer it in time."""
        participant.open_offer = offer_id
        offer = SessionDescription(type="offer", sdp=sdp, id=offer_id)
        self._roster.send(participant, SignalResponse(offer=offer))
        expire = partial(self._expire, participant)
        self._roster.timers.set(("answer", participant.sid), now + ANSWER_WITHIN_S, expire)

    def answer(self, participant: Participant, answer: SessionDescription) -> None:
        """Hand the answer to the open offer to the media core. Some clients do not say to which it is (0)."""
        if participant.open_offer is None or answer.id not in {0, participant.open_offer}:
            return
        offer_id, participant.open_offer = participant.open_offer, None
        self._roster.timers.cancel(("answer", participant.sid))
        self._roster.media.answer(participant.subscriber_peer, offer_id=offer_id, sdp=answer.sdp)

    def restart(self, participant: Participant) -> None:
        """Offer new ICE credentials after a resume, where we make the offers."""
        if participant.is_dual:
            self._roster.media.restart_ice(participant.subscriber_peer)

    def _expire(self, participant: Participant, now: float) -> None:
        """Give a client up that does not answer. One without a signal connection cannot: it may resume."""
        if participant.open_offer is not None and participant.signal_lost_at is None:
            self._on_unanswered(participant, now)
