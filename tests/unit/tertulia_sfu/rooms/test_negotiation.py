"""Negotiation: one offer at a time reaches the media core, of those that wait the newest."""

from __future__ import annotations

from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import CandidateProtocol, LeaveRequest, SessionDescription, SimulateScenario

from support.meeting import Guest, Meeting
from tertulia_sfu.config import CODECS
from tertulia_sfu.rooms.negotiation import ANSWER_WITHIN_S


def offer(guest: Guest, number: int) -> None:
    guest.request(offer=SessionDescription(type="offer", sdp=f"offer {number}", id=number))


def offered(meeting: Meeting) -> list[int]:
    return [arguments["offer_id"] for _peer, arguments in meeting.core.named("offer")]


def answer(guest: Guest, number: int) -> None:
    guest.meeting.core_event("Answered", guest.sid, offer_id=number, sdp=f"answer {number}", tracks={})


def test_only_the_newest_offer_waits_for_the_pending_one() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    for number in range(1, 1_000):
        offer(ann, number)
    assert offered(meeting) == [1]
    offer(bob, 5)
    assert offered(meeting) == [1, 5], "of another participant"
    answer(ann, 1)
    assert ann.last("answer").id == 1
    assert offered(meeting) == [1, 5, 999]
    answer(ann, 999)
    assert (ann.last("answer").id, ann.last("answer").sdp) == (999, "answer 999")
    assert offered(meeting) == [1, 5, 999]
    offer(ann, 1_000)
    assert offered(meeting) == [1, 5, 999, 1_000]


def test_offers_in_turn_are_not_held_up() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    for number in range(100):
        offer(ann, number)
        answer(ann, number)
    assert offered(meeting) == list(range(100))


def test_who_asks_for_tcp_learns_of_no_other_way_until_it_asks_again() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    udp, tcp = (
        "a=candidate:1 1 udp 2130706175 192.0.2.1 7882 typ host\r\n",
        "a=candidate:2 1 tcp 1526726399 192.0.2.1 7881 typ host tcptype passive\r\n",
    )

    def answered(guest: Guest, sdp: str) -> str:
        meeting.core_event("Answered", guest.sid, offer_id=1, sdp=sdp, tracks={})
        return str(guest.last("answer").sdp)

    ann.request(simulate=SimulateScenario(switch_candidate_protocol=CandidateProtocol.TCP))
    assert answered(ann, f"v=0\r\n{udp}{tcp}") == f"v=0\r\n{tcp}"
    assert answered(ann, f"v=0\r\n{udp}") == f"v=0\r\n{udp}", "there is no other way"
    assert answered(bob, f"v=0\r\n{udp}{tcp}") == f"v=0\r\n{udp}{tcp}"
    ann = meeting.join("ann")
    assert answered(ann, f"v=0\r\n{udp}{tcp}") == f"v=0\r\n{tcp}", "the client reconnects"
    ann.request(simulate=SimulateScenario(switch_candidate_protocol=CandidateProtocol.UDP))
    assert answered(ann, f"v=0\r\n{udp}{tcp}") == f"v=0\r\n{udp}{tcp}"


# ── our own offers, to clients with two peer connections ──


def dual(meeting: Meeting) -> Guest:
    return meeting.join("ann", is_dual=True)


def our_offer(guest: Guest, number: int) -> None:
    peer = guest.participant.subscriber_peer
    guest.meeting.core_event("Offered", peer, offer_id=number, sdp=f"offer {number}")


def answers(meeting: Meeting) -> list[tuple[str, int]]:
    return [(peer, arguments["offer_id"]) for peer, arguments in meeting.core.named("answer")]


def test_an_answer_reaches_the_second_peer_once() -> None:
    meeting = Meeting()
    ann = dual(meeting)
    peer = f"{ann.sid}/subscriber"
    added = {"room": ann.room.roster.sid, "channels": True, "codecs": list(CODECS)}
    assert meeting.core.named("add_subscriber") == [(peer, added)]
    our_offer(ann, 1)
    assert (ann.last("offer").id, ann.last("offer").sdp) == (1, "offer 1")
    for number in (5, 1, 1, 0):
        ann.request(answer=SessionDescription(type="answer", sdp="mine", id=number))
    assert answers(meeting) == [(peer, 1)]
    our_offer(ann, 2)
    ann.request(answer=SessionDescription(type="answer", sdp="mine"))
    assert answers(meeting) == [(peer, 1), (peer, 2)], "clients that do not number their answers"


def test_an_answer_of_a_client_with_one_connection_changes_nothing() -> None:
    meeting = Meeting()
    meeting.join("ann").request(answer=SessionDescription(type="answer", sdp="mine", id=1))
    assert answers(meeting) == []


def test_a_client_that_does_not_answer_has_to_join_again() -> None:
    meeting = Meeting()
    ann = dual(meeting)
    our_offer(ann, 1)
    meeting.advance(ANSWER_WITHIN_S - 1)
    assert not ann.received("leave")
    meeting.advance(2)
    assert (ann.last("leave").reason, ann.last("leave").action) == (
        DisconnectReason.STATE_MISMATCH,
        LeaveRequest.RECONNECT,
    )
    assert [peer for peer, _ in meeting.core.named("remove_peer")] == [ann.sid, f"{ann.sid}/subscriber"]


def test_without_a_signal_connection_it_may_resume_and_is_offered_again() -> None:
    meeting = Meeting()
    ann = dual(meeting)
    our_offer(ann, 1)
    ann.lose_signal()
    meeting.advance(ANSWER_WITHIN_S + 5)
    ann.resume()
    assert not ann.received("leave")
    assert meeting.core.named("restart_ice") == [(f"{ann.sid}/subscriber", {})]
