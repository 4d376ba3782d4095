"""What one client says of itself and of its tracks: bounded before it is repeated to the others."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.protocol.models import AudioTrackFeature, ClientInfo, ParticipantInfo, TrackType, VideoLayer, VideoQuality
from livekit.protocol.rtc import (
    AddTrackRequest,
    ConnectionSettings,
    JoinRequest,
    RequestResponse,
    SimulcastCodec,
    UpdateLocalAudioTrack,
    UpdateParticipantMetadata,
)

from support.meeting import Guest, Meeting
from tertulia_sfu.rooms.limits import MAX_ATTRIBUTES_BYTES

AUDIO, VIDEO = TrackType.AUDIO, TrackType.VIDEO
SMALL_BYTES = 2_000


def last_update(observer: Guest) -> ParticipantInfo:
    return ParticipantInfo.FromString(observer.last("update").participants[0].SerializeToString())


def test_client_info_is_repeated_in_small() -> None:
    meeting = Meeting()
    bob = meeting.join("bob")
    client = ClientInfo(protocol=17, client_protocol=1, other_sdks="x" * 500_000)
    client.capabilities.extend([ClientInfo.CAP_PACKET_TRAILER, ClientInfo.CAP_COMPRESSION_DEFLATE_RAW] * 400_000)
    settings = ConnectionSettings(auto_subscribe=True)
    ann = meeting.join("ann", request=JoinRequest(client_info=client, connection_settings=settings))
    told = last_update(bob)
    assert told.ByteSize() < SMALL_BYTES
    assert told.client_protocol == 1
    assert list(told.capabilities) == [ClientInfo.CAP_PACKET_TRAILER, ClientInfo.CAP_COMPRESSION_DEFLATE_RAW]
    assert ann.participant.client.ByteSize() < SMALL_BYTES, "nor is more of it kept"


@pytest.mark.parametrize(
    "request_fields",
    [
        {"audio_features": [AudioTrackFeature.TF_STEREO] * 20_000},
        {"layers": [VideoLayer(rid="q")] * 2_000},
        {"layers": [VideoLayer(rid="q" * 20_000)]},
        {"simulcast_codecs": [SimulcastCodec(codec="vp8", cid="c" * 20_000)]},
        {"simulcast_codecs": [SimulcastCodec(codec="vp8", cid=f"c{number}") for number in range(20)]},
    ],
    ids=["features", "layers", "layer name", "codec id", "codecs"],
)
def test_oversized_tracks_are_refused_with_a_word(request_fields: dict[str, Any]) -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.request(add_track=AddTrackRequest(cid="c", type=VIDEO, **request_fields))
    refused = ann.last("request_response")
    assert refused.reason == RequestResponse.LIMIT_EXCEEDED
    assert refused.add_track.cid == "c", "by which the client finds its request"
    assert refused.ByteSize() < SMALL_BYTES
    assert ann.participant.publications == {}


def test_repeated_values_of_a_track_are_repeated_once() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    features = [AudioTrackFeature.TF_STEREO, AudioTrackFeature.TF_NO_DTX]
    track = ann.publish(kind=AUDIO, audio_features=features * 1_000)
    assert list(last_update(bob).tracks[0].audio_features) == features
    ann.request(update_audio_track=UpdateLocalAudioTrack(track_sid=track, features=features[::-1] * 100_000))
    assert list(last_update(bob).tracks[0].audio_features) == features[::-1]


def test_layers_are_repeated_without_unknown_fields() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    unknown = bytes([0xFA, 0x07, 100]) + bytes(100)  # field 127
    layer = VideoLayer.FromString(
        VideoLayer(quality=VideoQuality.HIGH, width=640, rid="f").SerializeToString() + unknown
    )
    ann.publish(layers=[layer] * 20, simulcast_codecs=[SimulcastCodec(codec="vp8", cid="c", layers=[layer] * 20)])
    told = last_update(bob).tracks[0]
    assert told.ByteSize() < 500
    assert (len(told.layers), told.layers[0].width, told.layers[0].rid) == (8, 640, "f")


def test_attributes_do_not_grow_beyond_the_limit_in_many_changes() -> None:
    meeting = Meeting()
    ann = meeting.join("ann", can_update_own_metadata=True)
    for number in range(3):
        attributes = {f"key{number}": "v" * (MAX_ATTRIBUTES_BYTES // 2)}
        ann.request(update_metadata=UpdateParticipantMetadata(request_id=number, attributes=attributes))
    assert ann.last("request_response").reason == RequestResponse.LIMIT_EXCEEDED
    assert set(ann.participant.claims.attributes) == {"key0"}
