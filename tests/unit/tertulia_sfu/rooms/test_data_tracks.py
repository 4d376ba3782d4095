"""Data tracks: who may publish, who receives, by which handles; and packets that are none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.models import ParticipantPermission
from livekit.protocol.rtc import LeaveRequest, RequestResponse, SubscriptionPermission, SyncState

from support.meeting import Guest, Meeting
from tertulia_sfu.rooms.data_budget import MESSAGES_BURST, REFUSED_MESSAGES, TRACK_PACKETS_BURST
from tertulia_sfu.rooms.data_tracks import MAX_DATA_TRACKS, DataTrackManager

PUBLISHER_HANDLE = 700
HEADER = bytes([0x18, 0]) + PUBLISHER_HANDLE.to_bytes(2) + bytes(8)


def publish(guest: Guest, name: str = "data", pub_handle: int = PUBLISHER_HANDLE) -> str:
    """Publish a data track. Return its sid."""
    guest.request(publish_data_track_request={"pub_handle": pub_handle, "name": name})
    return str(guest.last("publish_data_track_response").info.sid)


def subscribe(guest: Guest, *tracks: str, wanted: bool = True) -> None:
    updates = [{"track_sid": track, "subscribe": wanted} for track in tracks]
    guest.request(update_data_subscription={"updates": updates})


def send(guest: Guest, payload: bytes = HEADER + b"frame", peer: str = "") -> None:
    guest.meeting.core_event("DataReceived", peer or guest.sid, channel="data_track", payload=payload)


def handles(guest: Guest) -> dict[int, str]:
    """Return the tracks that a client was told it receives, by handle."""
    told = guest.last("data_track_subscriber_handles").sub_handles
    return {handle: each.track_sid for handle, each in told.items()}


def test_a_track_is_announced_and_its_packets_reach_who_asks_for_it() -> None:
    meeting = Meeting()
    ann, bob, eve = meeting.join("ann"), meeting.join("bob"), meeting.join("eve", is_dual=True)
    track = publish(ann)
    assert track.startswith("DTR_")
    info = bob.last("update").participants[0]
    assert info.is_publisher
    assert [(each.sid, each.name, each.pub_handle) for each in info.data_tracks] == [(track, "data", PUBLISHER_HANDLE)]
    send(ann)
    assert meeting.core.named("send_data") == [], "nobody has asked"
    subscribe(bob, track)
    subscribe(eve, track)
    ((handle, told),) = bob.last("data_track_subscriber_handles").sub_handles.items()
    assert (told.track_sid, told.publisher_sid, told.publisher_identity) == (track, ann.sid, "ann")
    send(ann)
    ((peers, sent),) = meeting.core.named("send_data")
    assert peers == [bob.sid, f"{eve.sid}/subscriber"]
    assert sent["channel"] == "data_track"
    assert sent["sender"] == ann.sid
    assert sent["payload"] == HEADER[:2] + handle.to_bytes(2) + HEADER[4:] + b"frame"
    subscribe(bob, track, wanted=False)
    assert handles(bob) == {}
    send(ann)
    assert meeting.core.named("send_data")[-1][0] == [f"{eve.sid}/subscriber"]


def test_who_subscribes_to_all_data_tracks_is_sent_later_ones() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    bob = meeting.join("bob")
    bob.participant.preferences.auto_subscribe_data = True
    first, second = publish(ann), publish(ann, "more", 2)
    assert sorted(handles(bob).values()) == sorted([first, second])
    assert len(set(handles(bob))) == 2


def test_the_handles_of_all_tracks_differ() -> None:
    meeting = Meeting()
    ann, bob, eve = meeting.join("ann"), meeting.join("bob"), meeting.join("eve")
    tracks = [publish(ann), publish(bob)]
    subscribe(eve, *tracks)
    assert sorted(handles(eve).values()) == sorted(tracks)
    ann.request(unpublish_data_track_request={"pub_handle": PUBLISHER_HANDLE})
    before = set(handles(eve))
    again = publish(ann)
    subscribe(eve, again)
    assert len(set(handles(eve)) - before) == 1


@pytest.mark.parametrize("how", ["unpublished", "left", "no longer allowed", "hidden"])
def test_a_track_ends_for_all(how: str) -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    track = publish(ann)
    subscribe(bob, track)
    if how == "unpublished":
        ann.request(unpublish_data_track_request={"pub_handle": PUBLISHER_HANDLE})
    elif how == "left":
        ann.request(leave=LeaveRequest())
    else:
        permission = ParticipantPermission(can_subscribe=True, can_publish=True, hidden=how == "hidden")
        permission.can_publish_data = how == "hidden"
        ann.room.change_participant(ann.participant, now=meeting.now, permission=permission)
    assert handles(bob) == {}
    if how != "hidden":
        assert not bob.last("update").participants[0].data_tracks
    if how in {"unpublished", "no longer allowed"}:
        assert ann.last("unpublish_data_track_response").info.sid == track
    meeting.core.commands.clear()
    send(ann)
    assert meeting.core.named("send_data") == []


def test_a_publisher_decides_who_receives() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    track = publish(ann)
    subscribe(bob, track)
    ann.request(subscription_permission=SubscriptionPermission(all_participants=False))
    assert handles(bob) == {}
    update = bob.last("subscription_permission_update")
    assert (update.track_sid, update.allowed) == (track, False)
    bob.take_kinds()
    subscribe(bob, track)
    assert not bob.last("subscription_permission_update").allowed
    ann.request(subscription_permission=SubscriptionPermission(all_participants=True))
    assert bob.last("subscription_permission_update").allowed
    assert list(handles(bob).values()) == [track]


def test_who_may_not_subscribe_receives_nothing_until_it_may() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob", can_subscribe=False)
    track = publish(ann)
    subscribe(bob, track, "DTR_unknown")
    assert handles(bob) == {}
    permission = ParticipantPermission(can_subscribe=True)
    bob.room.change_participant(bob.participant, now=meeting.now, permission=permission)
    assert list(handles(bob).values()) == [track]


def test_one_who_has_left_is_sent_nothing() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    subscribe(bob, publish(ann))
    bob.request(leave=LeaveRequest())
    send(ann)
    assert meeting.core.named("send_data") == []


@pytest.mark.parametrize(
    ("request_fields", "reason"),
    [
        ({"pub_handle": 0}, RequestResponse.INVALID_HANDLE),
        ({"pub_handle": 65_536}, RequestResponse.INVALID_HANDLE),
        ({"name": ""}, RequestResponse.INVALID_NAME),
        ({"name": "n" * 257}, RequestResponse.INVALID_NAME),
        ({"frame_encoding": {"custom": ""}}, RequestResponse.INVALID_REQUEST),
        ({"frame_encoding": {"custom": "x" * 33}}, RequestResponse.INVALID_REQUEST),
        ({"schema": {"name": "s", "encoding": {"custom": "x" * 33}}}, RequestResponse.INVALID_REQUEST),
        ({"schema": {"name": "s" * 257}}, RequestResponse.INVALID_REQUEST),
        ({"pub_handle": PUBLISHER_HANDLE}, RequestResponse.DUPLICATE_HANDLE),
        ({"name": "data"}, RequestResponse.DUPLICATE_NAME),
    ],
)
def test_tracks_that_are_refused(request_fields: dict[str, Any], reason: int) -> None:
    ann = Meeting().join("ann")
    publish(ann)
    request = {"pub_handle": 1, "name": "new"} | request_fields
    ann.take_kinds()
    ann.request(publish_data_track_request=request)
    answer = ann.last("request_response")
    assert answer.reason == reason
    assert answer.publish_data_track.name == request["name"]
    assert ann.take_kinds() == ["request_response"]


def test_encoding_and_schema_are_repeated_to_others() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    schema = {"name": "position", "encoding": {"custom": "mine"}}
    request = {"pub_handle": 1, "name": "data", "frame_encoding": {"well_known": 7}, "schema": schema}
    ann.request(publish_data_track_request=request)
    (info,) = bob.last("update").participants[0].data_tracks
    assert info.frame_encoding.well_known == 7
    assert (info.schema.name, info.schema.encoding.custom) == ("position", "mine")


def test_no_more_than_some_hundred_tracks() -> None:
    ann = Meeting().join("ann")
    for number in range(MAX_DATA_TRACKS):
        publish(ann, f"n{number}", number + 1)
    ann.request(publish_data_track_request={"pub_handle": 999, "name": "one more"})
    assert ann.last("request_response").reason == RequestResponse.LIMIT_EXCEEDED
    ann.request(unpublish_data_track_request={"pub_handle": 999})
    assert ann.last("request_response").reason == RequestResponse.NOT_FOUND


def test_a_resumed_client_is_told_what_it_receives_and_unknown_tracks_need_a_new_session() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    track = publish(ann)
    subscribe(bob, track)
    bob.take_kinds()
    bob.resume()
    assert list(handles(bob).values()) == [track]
    ann.request(sync_state=SyncState(publish_data_tracks=[{"info": {"sid": track}}]))
    assert not ann.received("leave")
    ann.request(sync_state=SyncState(publish_data_tracks=[{"info": {"sid": "DTR_unknown"}}]))
    assert ann.last("leave").action == LeaveRequest.RECONNECT


@pytest.mark.parametrize(
    "payload",
    [b"", HEADER[:11], bytes([0x1C]) + HEADER[1:], bytes([0x1C]) + HEADER[1:] + bytes([0, 1, 0, 0]), bytes(70_000)],
)
def test_packets_that_are_none_are_not_sent_on_and_charged(payload: bytes) -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    subscribe(bob, publish(ann))
    for _ in range(int(MESSAGES_BURST / REFUSED_MESSAGES) + 100):
        send(ann, payload)
    assert meeting.core.named("send_data") == []
    assert ann.received("leave")


def test_many_packets_are_slowed_and_their_sender_stays() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    subscribe(bob, publish(ann))
    for _ in range(int(TRACK_PACKETS_BURST) + 2_000):
        send(ann)
    assert not ann.received("leave")
    ((peer, held), *_) = meeting.core.named("hold_data")
    assert peer == ann.sid
    assert 0 < held["seconds"] < 2


@given(st.binary(max_size=40))
def test_no_packet_is_a_fault(payload: bytes) -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    subscribe(bob, publish(ann))
    tracks: DataTrackManager = ann.room.data_tracks
    assert tracks.handle_packet(ann.participant, payload) in {None, 0, 1}
