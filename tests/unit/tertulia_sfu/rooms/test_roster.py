"""The roster: who is told of whom, and in messages of which size."""

from __future__ import annotations

from livekit.protocol.models import ParticipantInfo, ParticipantPermission
from livekit.protocol.rtc import (
    LeaveRequest,
)

from support.meeting import Meeting
from tertulia_sfu.rooms.encoding import MAX_UPDATE_BYTES, part, participants_list


def test_nothing_of_a_hidden_participant_leaks() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.take_kinds()
    ghost = meeting.join("ghost", hidden=True)
    ghost.request(update_metadata={"name": "x", "request_id": 1})
    meeting.core_event("SpeakersChanged", levels=[(ghost.sid, 0.5)])
    meeting.core_event("LinkQuality", ghost.sid, loss=0.5, rtt_ms=900)
    ghost.publish()
    assert meeting.core.named("subscribe") == []
    bob = meeting.join("bob", connect=False)
    assert meeting.core.named("subscribe") == []
    assert [one.identity for one in bob.last("join").other_participants] == ["ann"]
    assert ann.take_kinds() == ["update"], "of bob"
    ghost.request(leave=LeaveRequest())
    assert ann.take_kinds() == []


def test_many_participants_are_sent_in_several_messages() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.take_kinds()
    infos = [ParticipantInfo(sid=f"PA_{number}", metadata="m" * 50_000) for number in range(5)]
    ann.room.roster.send_states(ann.participant, map(part, infos))
    chunks = [[each.sid for each in message.update.participants] for message in ann.messages]
    assert chunks == [["PA_0", "PA_1"], ["PA_2", "PA_3"], ["PA_4"]]
    assert all(message.ByteSize() < MAX_UPDATE_BYTES for message in ann.messages)


def test_a_participant_larger_than_a_message_is_sent_alone() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.take_kinds()
    sizes = (10, 300_000, 10)
    ann.room.roster.send_states(ann.participant, [part(ParticipantInfo(metadata="m" * size)) for size in sizes])
    assert [len(message.update.participants) for message in ann.messages] == [1, 1, 1]


def test_a_publication_is_found_with_its_publisher() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    track = bob.publish()
    found = ann.room.roster.find_publication(track)
    assert found is not None
    assert (found[0], found[1].sid) == (bob.participant, track)
    assert ann.room.roster.find_publication("TR_unknown") is None


def test_events_of_a_track_have_only_the_ids_of_their_participant() -> None:
    meeting = Meeting()
    ann = meeting.join("ann", claims={"metadata": "m"})
    ann.publish()
    joined = next(event for event in meeting.webhooks if event.event == "participant_joined")
    published = next(event for event in meeting.webhooks if event.event == "track_published")
    assert joined.participant.metadata == "m"
    assert (published.participant.identity, published.participant.sid) == ("ann", ann.sid)
    assert published.participant.metadata == ""


def test_a_track_that_ended_or_whose_publisher_left_is_not_found() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    ended, left = bob.publish(), bob.publish()
    meeting.core_event("TrackEnded", bob.sid, track=ended)
    assert ann.room.roster.find_publication(ended) is None
    assert ann.room.roster.find_publication(left) is not None
    bob.request(leave=LeaveRequest())
    assert ann.room.roster.find_publication(left) is None


def test_the_counts_follow_every_change() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob", can_update_own_metadata=True)
    room = ann.room

    def counts() -> tuple[int, int, bool]:
        info = room.roster.room_info()
        return info.num_participants, info.num_publishers, info.active_recording

    assert counts() == (2, 0, False)
    track = bob.publish()
    assert counts() == (2, 1, False)
    room.change_participant(bob.participant, now=meeting.now, permission=ParticipantPermission(hidden=True))
    assert counts() == (1, 0, False)
    permission = ParticipantPermission(can_publish=True)
    room.change_participant(bob.participant, now=meeting.now, permission=permission)
    assert counts()[0] == 2
    meeting.core_event("TrackEnded", bob.sid, track=track)
    assert counts() == (2, 0, False)
    recorder = meeting.join("recorder", hidden=True, recorder=True)
    assert counts() == (2, 0, True)
    recorder.request(leave=LeaveRequest())
    ann.request(leave=LeaveRequest())
    assert counts() == (1, 0, False)
    assert room.roster.is_kept_open
    bob.request(leave=LeaveRequest())
    assert not room.roster.is_kept_open


def test_what_newcomers_are_sent_of_the_others_is_their_newest_state() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann", can_update_own_metadata=True), meeting.join("bob")
    track = ann.publish()
    ann.request(update_metadata={"name": "Ann", "request_id": 1})
    ann.request(mute={"sid": track, "muted": True})
    bob.request(leave=LeaveRequest())
    ghost = meeting.join("ghost", hidden=True)
    cid = meeting.join("cid")
    (other,) = cid.last("join").other_participants
    assert other == ann.participant.info()
    assert (other.name, other.tracks[0].muted, other.state) == ("Ann", True, ParticipantInfo.ACTIVE)
    listed = participants_list(ann.room.roster.all_states()).participants
    assert list(listed) == [each.participant.info() for each in (ann, ghost, cid)]
