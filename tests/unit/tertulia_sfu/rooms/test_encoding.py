"""Messages made of parts: what clients parse is what the messages would have been without parts."""

from __future__ import annotations

from livekit.protocol.models import ConnectionQuality, ParticipantInfo
from livekit.protocol.rtc import ConnectionQualityInfo, JoinResponse, SignalResponse

from tertulia_sfu.rooms.encoding import (
    MAX_UPDATE_BYTES,
    join_frame,
    part,
    participants_list,
    quality_frame,
    update_frames,
)

# lengths of one, two and three bytes
PARTICIPANTS = [ParticipantInfo(sid=f"PA_{size}", metadata="m" * size) for size in (0, 1, 100, 127, 128, 20_000)]


def test_an_update() -> None:
    (frame,) = update_frames(map(part, PARTICIPANTS))
    assert list(SignalResponse.FromString(frame).update.participants) == PARTICIPANTS


def test_no_participant_is_no_message() -> None:
    assert update_frames([]) == []


def test_a_large_update_is_split() -> None:
    infos = [ParticipantInfo(sid=f"PA_{number}", metadata="m" * 50_000) for number in range(5)]
    frames = update_frames(map(part, infos))
    chunks = [[each.sid for each in SignalResponse.FromString(frame).update.participants] for frame in frames]
    assert chunks == [["PA_0", "PA_1"], ["PA_2", "PA_3"], ["PA_4"]]
    assert all(len(frame) < MAX_UPDATE_BYTES for frame in frames)


def test_a_join_with_others() -> None:
    message = SignalResponse(join=JoinResponse(participant=ParticipantInfo(sid="PA_own"), server_version="1.2.3"))
    join = SignalResponse.FromString(join_frame(message, [part(each) for each in PARTICIPANTS])).join
    assert (join.participant.sid, join.server_version) == ("PA_own", "1.2.3")
    assert list(join.other_participants) == PARTICIPANTS
    assert SignalResponse.FromString(join_frame(message, [])) == message


def test_connection_qualities() -> None:
    infos = [ConnectionQualityInfo(participant_sid=f"PA_{n}", quality=ConnectionQuality.LOST) for n in range(3)]
    frame = quality_frame([part(each) for each in infos])
    assert list(SignalResponse.FromString(frame).connection_quality.updates) == infos


def test_the_list_of_the_server_api() -> None:
    assert list(participants_list([part(each) for each in PARTICIPANTS]).participants) == PARTICIPANTS
