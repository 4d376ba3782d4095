"""Every request of a client is answered, with its number and what it was, as livekit-server answers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from livekit.protocol.models import TrackSource, TrackType
from livekit.protocol.rtc import Ping, RequestResponse, SignalRequest, SignalResponse

from support.livekit_clients import token
from support.media_servers import RunningServer
from support.signal_connection import raw_connection, receive, receive_until

CAMERA: Final = {"cid": "camera", "type": TrackType.VIDEO, "source": TrackSource.CAMERA}
DATA: Final = {"pub_handle": 1, "name": "data"}
NOT_FOUND, NOT_ALLOWED = RequestResponse.NOT_FOUND, RequestResponse.NOT_ALLOWED

REFUSED: Final[list[tuple[str, Mapping[str, Any], int]]] = [
    ("add_track", CAMERA | {"type": TrackType.DATA}, RequestResponse.UNSUPPORTED_TYPE),
    ("add_track", CAMERA | {"source": TrackSource.SCREEN_SHARE}, NOT_ALLOWED),
    ("add_track", CAMERA | {"source": TrackSource.SCREEN_SHARE, "type": TrackType.DATA}, NOT_ALLOWED),
    ("add_track", CAMERA | {"sid": "TR_unknown"}, NOT_FOUND),
    ("add_track", CAMERA, RequestResponse.QUEUED),
    ("mute", {"sid": "TR_unknown", "muted": True}, NOT_FOUND),
    ("update_audio_track", {"track_sid": "TR_unknown"}, NOT_FOUND),
    ("update_video_track", {"track_sid": "TR_unknown", "width": 8, "height": 8}, NOT_FOUND),
    ("update_metadata", {"name": "Ann", "request_id": 7}, NOT_ALLOWED),
    ("publish_data_track_request", {"pub_handle": 0, "name": "d"}, RequestResponse.INVALID_HANDLE),
    ("publish_data_track_request", {"pub_handle": 65_536, "name": "d"}, RequestResponse.INVALID_HANDLE),
    ("publish_data_track_request", {"pub_handle": 2, "name": ""}, RequestResponse.INVALID_NAME),
    ("publish_data_track_request", {"pub_handle": 2, "name": "d" * 257}, RequestResponse.INVALID_NAME),
    ("publish_data_track_request", {"pub_handle": 1, "name": "d"}, RequestResponse.DUPLICATE_HANDLE),
    ("publish_data_track_request", {"pub_handle": 2, "name": "data"}, RequestResponse.DUPLICATE_NAME),
    (
        "publish_data_track_request",
        {"pub_handle": 2, "name": "d", "frame_encoding": {"custom": "x" * 33}},
        RequestResponse.INVALID_REQUEST,
    ),
    ("unpublish_data_track_request", {"pub_handle": 2}, NOT_FOUND),
    ("store_data_blob_request", {"request_id": 8}, NOT_ALLOWED),
    ("get_data_blob_request", {"request_id": 9}, RequestResponse.INVALID_REQUEST),
    ("get_data_blob_request", {"request_id": 10, "participant_identity": "x", "key": {"generic": "k"}}, NOT_FOUND),
    ("get_data_blob_request", {"request_id": 11, "participant_identity": "ann", "key": {"generic": "k"}}, NOT_FOUND),
]


async def answers_to(
    connection: aiohttp.ClientWebSocketResponse, field: str, fields: Mapping[str, Any]
) -> list[SignalResponse]:
    """Send a request, and return what comes before the answer to a ping after it."""
    await connection.send_bytes(SignalRequest(**{field: fields}).SerializeToString())
    await connection.send_bytes(SignalRequest(ping_req=Ping(timestamp=1)).SerializeToString())
    return (await receive_until(connection, "pong_resp"))[:-1]


async def test_a_publisher_is_told_which_codec_it_has_named(server: RunningServer, room: str) -> None:
    """A client tells its own codec from a backup by it: no media has come yet that would say it."""
    named = {"h264": "video/h264", "video/VP9": "video/vp9", "none-such": "video/vp8"}
    async with raw_connection(server, token(server, "ann", room)) as connection:
        await receive(connection, "join")
        for codec, mime_type in named.items():
            request = CAMERA | {"cid": codec, "simulcast_codecs": [{"codec": codec, "cid": codec}]}
            await connection.send_bytes(SignalRequest(add_track=request).SerializeToString())
            published = (await receive(connection, "track_published")).track_published.track
            assert [each.mime_type.lower() for each in published.codecs] == [mime_type]


async def test_what_is_refused_comes_back_with_a_reason(server: RunningServer, room: str) -> None:
    access = token(server, "ann", room, can_publish_sources=["camera"])
    async with raw_connection(server, access) as connection:
        await receive(connection, "join")
        await connection.send_bytes(SignalRequest(add_track=CAMERA).SerializeToString())
        await receive(connection, "track_published")
        await connection.send_bytes(SignalRequest(publish_data_track_request=DATA).SerializeToString())
        published = (await receive(connection, "publish_data_track_response")).publish_data_track_response.info
        assert (published.name, published.pub_handle, published.sid[:4]) == ("data", 1, "DTR_")
        for field, fields, reason in REFUSED:
            await connection.send_bytes(SignalRequest(**{field: fields}).SerializeToString())
            answer = (await receive(connection, "request_response")).request_response
            assert answer.reason == reason, field
            assert answer.request_id == fields.get("request_id", 0), field
            if "blob" not in field:
                assert getattr(answer, field.removesuffix("_request")) == getattr(
                    SignalRequest(**{field: fields}), field
                )
        await connection.send_bytes(SignalRequest(unpublish_data_track_request={"pub_handle": 1}).SerializeToString())
        ended = (await receive(connection, "unpublish_data_track_response")).unpublish_data_track_response.info
        assert ended == published


async def test_data_needs_its_grant(server: RunningServer, room: str) -> None:
    async with raw_connection(server, token(server, "ann", room, can_publish_data=False)) as connection:
        await receive(connection, "join")
        await connection.send_bytes(SignalRequest(publish_data_track_request=DATA).SerializeToString())
        answer = (await receive(connection, "request_response")).request_response
        assert (answer.reason, answer.publish_data_track.name) == (NOT_ALLOWED, "data")


async def test_requests_that_need_no_answer_get_none(server: RunningServer, room: str) -> None:
    async with raw_connection(server, token(server, "ann", room)) as connection:
        await receive(connection, "join")
        unknown_message = bytes([0x8A, 0x06, 0x00])  # field 97, which no version of the protocol has
        await connection.send_bytes(unknown_message)
        for field, fields in (
            ("update_layers", {"track_sid": "TR_unknown"}),
            ("subscription", {"track_sids": ["TR_unknown"], "subscribe": False}),
            ("track_setting", {"track_sids": ["TR_unknown"], "disabled": True}),
            ("subscription_permission", {"all_participants": True}),
        ):
            told = await answers_to(connection, field, fields)
            assert not [each for each in told if each.HasField("request_response")], field
