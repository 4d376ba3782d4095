"""Negotiation: one offer at a time reaches the media core, of those that wait the newest."""

from __future__ import annotations

from livekit.protocol.rtc import CandidateProtocol, SessionDescription, SimulateScenario

from support.meeting import Guest, Meeting


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
