"""The permission table of the media server: what each message of a client requires, and which claims fulfil it.

This server knows grants, not roles: the product decides which role has which grants (`grants_for` in
`tertulia.domain.access`). Two finer rules stand with their subject: single sources (`canPublishSources`) in
`publications.py`, and who receives which track in `subscriptions.py`.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from livekit.protocol.models import ParticipantInfo

from tertulia_sfu.tokens import Claims


class Requirement(StrEnum):
    """What a message requires; the value ends the sentence "does not have permission to …"."""

    NOTHING = "be here"
    PUBLISH = "publish"
    PUBLISH_DATA = "publish data"
    UPDATE_OWN_METADATA = "update own metadata"
    TRANSCRIBE = "transcribe"
    SPEAK_FOR_THE_SERVER = "speak for the server"


_FULFILLED: Final[Mapping[Requirement, Callable[[Claims], bool]]] = {
    Requirement.NOTHING: lambda _claims: True,
    Requirement.PUBLISH: lambda claims: claims.video.can_publish,
    Requirement.PUBLISH_DATA: lambda claims: claims.video.can_publish_data,
    Requirement.UPDATE_OWN_METADATA: lambda claims: claims.video.can_update_own_metadata,
    Requirement.TRANSCRIBE: lambda claims: claims.video.can_publish_data and claims.kind == ParticipantInfo.AGENT,
    Requirement.SPEAK_FOR_THE_SERVER: lambda _claims: False,
}

SIGNALS: Final[Mapping[str, Requirement]] = {
    # the signal connection itself, and the peer connections that every participant needs
    "offer": Requirement.NOTHING,
    "answer": Requirement.NOTHING,
    "trickle": Requirement.NOTHING,
    "ping": Requirement.NOTHING,
    "ping_req": Requirement.NOTHING,
    "sync_state": Requirement.NOTHING,
    "simulate": Requirement.NOTHING,
    "leave": Requirement.NOTHING,
    # publishing
    "add_track": Requirement.PUBLISH,
    "mute": Requirement.PUBLISH,
    "update_audio_track": Requirement.PUBLISH,
    "update_video_track": Requirement.PUBLISH,
    "update_layers": Requirement.PUBLISH,
    # preferences: they are stored, and have an effect once there is something to receive or to withhold
    "subscription": Requirement.NOTHING,
    "track_setting": Requirement.NOTHING,
    "subscription_permission": Requirement.NOTHING,
    "update_data_subscription": Requirement.NOTHING,
    # data
    "publish_data_track_request": Requirement.PUBLISH_DATA,
    "unpublish_data_track_request": Requirement.PUBLISH_DATA,
    "store_data_blob_request": Requirement.PUBLISH_DATA,
    "get_data_blob_request": Requirement.NOTHING,
    # the participant itself
    "update_metadata": Requirement.UPDATE_OWN_METADATA,
}
"""Every message of a `SignalRequest`, also those that this server does not implement (see `session.py`)."""

PACKETS: Final[Mapping[str, Requirement]] = {
    "user": Requirement.PUBLISH_DATA,
    "chat_message": Requirement.PUBLISH_DATA,
    "stream_header": Requirement.PUBLISH_DATA,
    "stream_chunk": Requirement.PUBLISH_DATA,
    "stream_trailer": Requirement.PUBLISH_DATA,
    "rpc_request": Requirement.PUBLISH_DATA,
    "rpc_ack": Requirement.PUBLISH_DATA,
    "rpc_response": Requirement.PUBLISH_DATA,
    "sip_dtmf": Requirement.PUBLISH_DATA,
    "metrics": Requirement.PUBLISH_DATA,
    "encrypted_packet": Requirement.PUBLISH_DATA,
    "transcription": Requirement.TRANSCRIBE,
    "speaker": Requirement.SPEAK_FOR_THE_SERVER,
}
"""Every kind of `DataPacket` on the data channels. One that is newer than this table counts as data."""


def fulfils(claims: Claims, requirement: Requirement) -> bool:
    """Return whether a participant with these claims may do what has this requirement."""
    return _FULFILLED[requirement](claims)


def may_send(claims: Claims, packet: str | None) -> bool:
    """Return whether a participant with these claims may send a data packet of this kind."""
    return fulfils(claims, PACKETS.get(packet or "", Requirement.PUBLISH_DATA))
