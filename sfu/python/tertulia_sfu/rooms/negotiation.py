"""Offers of clients: one at a time goes to the media core."""

import re
from typing import Final

from livekit.protocol.rtc import SessionDescription, SignalResponse

from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.roster import Roster

_UDP_CANDIDATE: Final = re.compile(r"a=candidate:\S+ \d+ udp [^\r\n]*\r\n", re.IGNORECASE)
# of those that have asked for TCP; beyond this the oldest requests are forgotten
_MOST_TCP_ONLY: Final = 1000


class Negotiator:
    """The offer/answer exchange of a room's participants."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
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
