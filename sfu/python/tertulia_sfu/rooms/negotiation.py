"""Offers and candidates of clients: one offer at a time goes to the media core, and few candidates."""

import json
from typing import Final

from livekit.protocol.rtc import SessionDescription, SignalResponse, TrickleRequest

from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.roster import Roster

MAX_CANDIDATE_LENGTH: Final = 1024
# The server is ICE-lite (RFC 8445 section 2.5): it answers the checks of clients and needs none of their candidates, so
# that ignoring some has no effect. A client gathers 5 to 30, and again after each change of its network.
MAX_CANDIDATES: Final = 256


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

    def trickle(self, participant: Participant, trickle: TrickleRequest) -> None:
        """Hand a candidate to the media core, if it is usable and not one of very many."""
        candidate = _candidate(trickle.candidateInit)
        if candidate is not None and participant.candidates_received < MAX_CANDIDATES:
            participant.candidates_received += 1
            self._roster.media.trickle(participant.sid, candidate=candidate)


def _candidate(candidate_init: str) -> str | None:
    """Return the candidate of an RTCIceCandidateInit (JSON), or None if there is no usable one in it."""
    if len(candidate_init) > 2 * MAX_CANDIDATE_LENGTH:
        return None
    try:
        init = json.loads(candidate_init)
    except (ValueError, RecursionError):
        return None
    candidate = init.get("candidate") if isinstance(init, dict) else None
    if not isinstance(candidate, str) or not candidate or len(candidate) > MAX_CANDIDATE_LENGTH:
        return None
    return candidate
