"""Updates about participants: what is sent at once, what is collected, in which order, and to whom."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from livekit.protocol.models import DisconnectReason, ParticipantInfo, ParticipantPermission
from livekit.protocol.rtc import LeaveRequest, SignalResponse, UpdateSubscription

from support.meeting import Guest, Meeting
from tertulia_sfu.ids import ParticipantSid
from tertulia_sfu.rooms.participant_updates import (
    AT_ONCE_UP_TO,
    OTHERS_AT_MOST_S,
    URGENT_AT_MOST_S,
    interval_s,
)

LARGE = AT_ONCE_UP_TO + 20
JOINED, ACTIVE, GONE = ParticipantInfo.JOINED, ParticipantInfo.ACTIVE, ParticipantInfo.DISCONNECTED


def quiet(meeting: Meeting, size: int = LARGE) -> list[Guest]:
    """Return the guests of a room in which nothing has happened for a while, and who have received nothing since."""
    guests = [meeting.join(f"guest {number}", can_update_own_metadata=True) for number in range(size)]
    meeting.advance(10)
    for guest in guests:
        guest.messages.clear()
    return guests


def updates(guest: Guest) -> list[list[tuple[str, int]]]:
    """Take the updates of a guest: identity and state, message by message."""
    found = [each.update.participants for each in guest.messages if each.WhichOneof("message") == "update"]
    guest.messages.clear()
    return [[(one.identity, one.state) for one in participants] for participants in found]


@pytest.mark.parametrize(("urgent", "longest"), [(True, URGENT_AT_MOST_S), (False, OTHERS_AT_MOST_S)])
def test_the_interval_grows_with_the_room(urgent: bool, longest: float) -> None:
    assert interval_s(AT_ONCE_UP_TO, urgent=urgent) == 0
    intervals = [interval_s(size, urgent=urgent) for size in (1, 50, 100, 1_000, 100_000)]
    assert intervals == sorted(intervals)
    assert 0 < intervals[1] < intervals[2] <= intervals[3] == longest
    assert interval_s(100, urgent=True) < interval_s(100, urgent=False)


def test_in_a_small_room_every_change_is_sent_at_once() -> None:
    meeting = Meeting()
    ann, *_ = quiet(meeting, AT_ONCE_UP_TO - 1)
    meeting.join("bob")
    assert updates(ann) == [[("bob", JOINED)], [("bob", ACTIVE)]]


def test_the_first_change_of_a_quiet_room_is_sent_at_once_and_the_rest_of_the_interval_together() -> None:
    meeting = Meeting()
    ann, *_ = quiet(meeting)
    meeting.join("bob")
    assert updates(ann) == [[("bob", JOINED)]]
    meeting.join("cid")
    meeting.join("dan", connect=False)
    assert updates(ann) == []
    meeting.advance(OTHERS_AT_MOST_S)
    assert updates(ann) == [[("bob", ACTIVE), ("cid", ACTIVE), ("dan", JOINED)]]
    meeting.advance(10)
    assert updates(ann) == []


def test_all_who_were_here_get_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = Meeting()
    guests = [*quiet(meeting), meeting.join("first")]
    newcomers = [meeting.join(f"newcomer {number}") for number in range(5)]
    calls: list[int] = []

    def send(recipients: Sequence[ParticipantSid], message: SignalResponse | bytes) -> None:
        assert isinstance(message, bytes)
        calls.append(len(recipients))

    monkeypatch.setattr(meeting.signals, "send", send)
    guests[0].room.roster.updates.send(meeting.now)
    assert calls[0] == len(guests)
    assert sum(calls) == len(guests) + len(newcomers)


def test_an_urgent_change_is_sooner_and_takes_the_others_with_it() -> None:
    meeting = Meeting()
    ann, ben, *_ = quiet(meeting)
    meeting.join("bob", connect=False)
    meeting.join("cid", connect=False)
    ben.request(update_metadata={"attributes": {"hand": "raised"}, "request_id": 1})
    ann.messages.clear()
    meeting.advance(interval_s(LARGE + 2, urgent=True))
    assert updates(ann) == [[("cid", JOINED), (ben.participant.identity, ACTIVE)]]


def test_a_participant_that_joined_meanwhile_gets_only_what_it_does_not_know() -> None:
    meeting = Meeting()
    _, ben, *_ = quiet(meeting)
    meeting.join("first")
    ben.request(leave=LeaveRequest())
    again = meeting.join(ben.participant.identity, connect=False)
    late = meeting.join("late", connect=False)
    known = {each.identity: each.sid for each in late.last("join").other_participants}
    assert known[ben.participant.identity] == again.sid
    last = meeting.join("last", connect=False)
    again.messages.clear()
    late.messages.clear()
    last.messages.clear()
    meeting.advance(OTHERS_AT_MOST_S)
    assert updates(again) == [[("late", JOINED), ("last", JOINED)]]
    assert updates(late) == [[("last", JOINED)]]
    assert updates(last) == []


def test_a_participant_that_changed_again_is_told_in_the_order_of_its_newest_change() -> None:
    meeting = Meeting()
    ann, *_ = quiet(meeting)
    meeting.join("first", connect=False)
    bob = meeting.join("bob", connect=False)
    meeting.join("cid", connect=False)
    late = meeting.join("late", connect=False)
    bob.connect()
    for guest in (ann, late):
        guest.messages.clear()
    meeting.advance(OTHERS_AT_MOST_S)
    assert updates(ann) == [[("cid", JOINED), ("late", JOINED), ("bob", ACTIVE)]]
    assert updates(late) == [[("bob", ACTIVE)]]


def test_the_end_of_a_session_comes_before_the_next_one_of_its_identity() -> None:
    meeting = Meeting()
    ann, ben, *_ = quiet(meeting)
    meeting.join("first", connect=False)
    again = meeting.join(ben.participant.identity)
    ann.messages.clear()
    meeting.advance(OTHERS_AT_MOST_S)
    (message,) = [each.update.participants for each in ann.messages if each.WhichOneof("message") == "update"]
    assert [(one.sid, one.state) for one in message] == [(ben.sid, GONE), (again.sid, ACTIVE)]
    assert message[0].disconnect_reason == DisconnectReason.DUPLICATE_IDENTITY


def test_a_resumed_client_gets_the_whole_state_and_then_only_what_is_new() -> None:
    meeting = Meeting()
    ann, ben, *rest = quiet(meeting)
    meeting.join("first", connect=False)
    ann.lose_signal()
    ben.request(leave=LeaveRequest())
    meeting.join("bob", connect=False)
    ann.messages.clear()
    ann.resume()
    told = {name: state for message in updates(ann) for name, state in message}
    assert told[ben.participant.identity] == GONE
    assert told["bob"] == told["first"] == JOINED
    assert set(told) >= {each.participant.identity for each in (ann, *rest)}
    meeting.join("cid", connect=False)
    meeting.advance(OTHERS_AT_MOST_S)
    assert updates(ann) == [[("cid", JOINED)]]


def test_a_hidden_participant_is_told_of_itself_at_once_and_the_others_are_not() -> None:
    meeting = Meeting()
    ann, *_ = quiet(meeting)
    ghost = meeting.join("ghost", hidden=True)
    assert updates(ghost)[-1] == [("ghost", ACTIVE)]
    meeting.advance(OTHERS_AT_MOST_S)
    assert updates(ann) == []


def test_a_participant_that_becomes_hidden_has_left_for_the_others_whatever_was_collected() -> None:
    meeting = Meeting()
    ann, *_ = quiet(meeting)
    meeting.join("first", connect=False)
    bob = meeting.join("bob")
    ann.messages.clear()
    bob.room.change_participant(bob.participant, now=meeting.now, permission=ParticipantPermission(hidden=True))
    assert updates(bob)[-1] == [("bob", ACTIVE)]
    meeting.advance(OTHERS_AT_MOST_S)
    assert updates(ann) == [[("bob", GONE)]]


def test_a_track_is_told_before_it_is_subscribed() -> None:
    meeting = Meeting()
    ann, ben, *_ = quiet(meeting)
    meeting.join("first", connect=False)
    ann.messages.clear()
    track = ben.publish()
    assert not ann.received("update")
    assert meeting.core.named("subscribe") == []
    meeting.advance(URGENT_AT_MOST_S)
    assert [each.sid for one in ann.last("update").participants for each in one.tracks] == [track]
    assert (ann.sid, {"track": track}) in meeting.core.named("subscribe")


def test_a_track_that_ended_before_it_was_told_is_not_subscribed() -> None:
    meeting = Meeting()
    ann, ben, *_ = quiet(meeting)
    meeting.join("first", connect=False)
    track = ben.publish()
    meeting.core_event("TrackEnded", ben.sid, track=track)
    ann.messages.clear()
    meeting.advance(URGENT_AT_MOST_S)
    (participant,) = ann.last("update").participants
    assert (participant.identity, list(participant.tracks)) == (ben.participant.identity, [])
    assert meeting.core.named("subscribe") == []


def test_what_concerns_a_participant_itself_is_not_lost_to_a_later_change() -> None:
    meeting = Meeting()
    _, ben, *_ = quiet(meeting)
    meeting.join("first", connect=False)
    ben.request(update_metadata={"name": "Benjamin", "request_id": 1})
    ben.publish()
    meeting.advance(URGENT_AT_MOST_S)
    assert [one.name for one in ben.last("update").participants] == ["Benjamin"]


def test_after_the_end_of_the_room_nothing_is_sent() -> None:
    meeting = Meeting()
    ann, *_ = quiet(meeting)
    meeting.join("bob")
    ann.room.close(DisconnectReason.ROOM_DELETED, meeting.now)
    ann.messages.clear()
    meeting.advance(60)
    assert not ann.messages


def test_a_thousand_joins_in_ten_seconds_take_few_messages() -> None:
    meeting = Meeting()
    guests = []
    for number in range(1_000):
        guests.append(meeting.join(f"guest {number}"))
        assert len(guests[-1].last("join").other_participants) == number
        del guests[-1].messages[0]
        meeting.advance(0.01)
    meeting.advance(OTHERS_AT_MOST_S)
    # a million if each were sent by itself
    assert sum(len(updates(guest)) for guest in guests) < 20_000


def test_many_publishers_are_told_of_each_other_in_few_messages() -> None:
    meeting = Meeting()
    guests = []
    for number in range(300):
        guests.append(meeting.join(f"guest {number}", auto_subscribe=False))
        guests[-1].publish()
        meeting.advance(0.02)
    meeting.advance(OTHERS_AT_MOST_S)
    # 134,550 if each join, connection and track were sent by itself
    assert sum(len(updates(guest)) for guest in guests) < 300 * 60
    tracks = [track for guest in guests for track in guest.participant.publications]
    for guest in guests:
        guest.request(subscription=UpdateSubscription(track_sids=tracks[:25], subscribe=True))
    assert len(meeting.core.named("subscribe")) == 25 * 300 - 25
    late = meeting.join("late", auto_subscribe=False)
    known = {each.identity: [one.sid for one in each.tracks] for each in late.last("join").other_participants}
    assert sorted(sid for sids in known.values() for sid in sids) == sorted(tracks)
