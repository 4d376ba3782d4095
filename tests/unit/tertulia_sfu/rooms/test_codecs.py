"""Which codecs a room may use."""

from __future__ import annotations

import pytest
from livekit.protocol.room import CreateRoomRequest, RoomConfiguration

from support.meeting import Meeting
from tertulia_sfu.config import CODECS
from tertulia_sfu.errors import InvalidRequest
from tertulia_sfu.ids import RoomName
from tertulia_sfu.rooms.codecs import CODECS_TAG, room_codecs


def tagged(codecs: str) -> dict[str, str]:
    return {CODECS_TAG: codecs, "another": "tag"}


def test_all_codecs_of_the_server_are_allowed() -> None:
    assert room_codecs({}, CODECS) == CODECS
    assert room_codecs({"another": "tag"}, CODECS[:5]) == CODECS[:5]


def test_a_room_is_restricted_to_those_of_its_tag_that_the_server_allows() -> None:
    assert room_codecs(tagged("audio/OPUS, video/vp8"), CODECS) == ("video/VP8", "audio/opus")
    assert room_codecs(tagged("audio/opus,video/VP8,video/AV1"), ("video/VP8", "audio/opus")) == (
        "video/VP8",
        "audio/opus",
    )


@pytest.mark.parametrize("wrong", ["", "audio/opus", "video/VP8", "audio/opus,video/VP8,video/H265", "opus,vp8"])
def test_a_tag_that_leaves_no_sound_or_video_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidRequest, match=CODECS_TAG):
        room_codecs(tagged(wrong), CODECS)


def test_what_the_server_does_not_allow_cannot_be_chosen() -> None:
    with pytest.raises(InvalidRequest, match="that this server allows"):
        room_codecs(tagged("audio/opus,video/AV1"), ("video/VP8", "audio/opus"))


@pytest.mark.parametrize("kind", [RoomConfiguration, CreateRoomRequest])
def test_peers_and_clients_are_told_the_codecs_of_their_room(
    kind: type[RoomConfiguration | CreateRoomRequest],
) -> None:
    meeting = Meeting()
    request = kind(tags=tagged("audio/opus,video/H264"))
    room = meeting.rooms.create(request, name=RoomName("room"), now=0)
    assert [codec.mime for codec in room.roster.room_info().enabled_codecs] == ["video/H264", "audio/opus"]
    ann = meeting.join("ann", connect=False)
    assert [codec.mime for codec in ann.messages[0].join.enabled_publish_codecs] == ["video/H264", "audio/opus"]
    added = {"room": room.roster.sid, "codecs": ["video/H264", "audio/opus"]}
    assert meeting.core.named("add_peer") == [(ann.sid, added)]
