"""Offers of clients: one at a time goes to the media core."""

from livekit.protocol.rtc import SessionDescription, SignalResponse

from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.roster import Roster


class Negotiator:
    """The offer/answer exchange of a room's participants."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

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
        answer = SessionDescription(type="answer", sdp=sdp, id=offer_id, mid_to_track_id=tracks)
        self._roster.send(participant, SignalResponse(answer=answer))
        participant.offer_pending = False
        waiting, participant.waiting_offer = participant.waiting_offer, None
        if waiting is not None:
            self.offer(participant, waiting)
