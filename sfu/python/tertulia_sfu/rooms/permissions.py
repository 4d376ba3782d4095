"""The permission table of the media server: what each message of a client needs, and who has it.

This server knows grants, not roles: which role has which grants is the product's to say (`grants_for` in
`tertulia.domain.access`). Two finer rules stand where their subject is: single sources (`canPublishSources`) with
publishing, and who receives which track with subscribing.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from livekit.protocol.models import ParticipantInfo

from tertulia_sfu.tokens import Claims


class Need(StrEnum):
    """What a message needs; the value ends the sentence "does not have permission to …"."""

    NOTHING = "be here"
    PUBLISH = "publish"
    PUBLISH_DATA = "publish data"
    UPDATE_OWN_METADATA = "update own metadata"
    TRANSCRIBE = "transcribe"
    SPEAK_FOR_THE_SERVER = "speak for the server"


_HAS: Final[Mapping[Need, Callable[[Claims], bool]]] = {
    Need.NOTHING: lambda _claims: True,
    Need.PUBLISH: lambda claims: claims.video.can_publish,
    Need.PUBLISH_DATA: lambda claims: claims.video.can_publish_data,
    Need.UPDATE_OWN_METADATA: lambda claims: claims.video.can_update_own_metadata,
    Need.TRANSCRIBE: lambda claims: claims.video.can_publish_data and claims.kind == ParticipantInfo.AGENT,
    Need.SPEAK_FOR_THE_SERVER: lambda _claims: False,
}

SIGNALS: Final[Mapping[str, Need]] = {
    # the line itself, and the one peer connection that everybody needs
    "offer": Need.NOTHING,
    "answer": Need.NOTHING,
    "trickle": Need.NOTHING,
    "ping": Need.NOTHING,
    "ping_req": Need.NOTHING,
    "sync_state": Need.NOTHING,
    "simulate": Need.NOTHING,
    "leave": Need.NOTHING,
    # publishing
    "add_track": Need.PUBLISH,
    "mute": Need.PUBLISH,
    "update_audio_track": Need.PUBLISH,
    "update_video_track": Need.PUBLISH,
    "update_layers": Need.PUBLISH,
    # wishes: they are kept, and begin to matter when there is something to receive or to withhold
    "subscription": Need.NOTHING,
    "track_setting": Need.NOTHING,
    "subscription_permission": Need.NOTHING,
    "update_data_subscription": Need.NOTHING,
    # data
    "publish_data_track_request": Need.PUBLISH_DATA,
    "unpublish_data_track_request": Need.PUBLISH_DATA,
    "store_data_blob_request": Need.PUBLISH_DATA,
    "get_data_blob_request": Need.NOTHING,
    # itself
    "update_metadata": Need.UPDATE_OWN_METADATA,
}
"""Every message of a `SignalRequest`, served here or not."""

PACKETS: Final[Mapping[str, Need]] = {
    "user": Need.PUBLISH_DATA,
    "chat_message": Need.PUBLISH_DATA,
    "stream_header": Need.PUBLISH_DATA,
    "stream_chunk": Need.PUBLISH_DATA,
    "stream_trailer": Need.PUBLISH_DATA,
    "rpc_request": Need.PUBLISH_DATA,
    "rpc_ack": Need.PUBLISH_DATA,
    "rpc_response": Need.PUBLISH_DATA,
    "sip_dtmf": Need.PUBLISH_DATA,
    "metrics": Need.PUBLISH_DATA,
    "encrypted_packet": Need.PUBLISH_DATA,
    "transcription": Need.TRANSCRIBE,
    "speaker": Need.SPEAK_FOR_THE_SERVER,
}
"""Every kind of `DataPacket` on the data channels. One that is newer than this table passes as data."""


def has(claims: Claims, need: Need) -> bool:
    """Whether a participant with these claims has what is needed."""
    return _HAS[need](claims)


def may_send(claims: Claims, packet: str | None) -> bool:
    """Whether a participant with these claims may send others a data packet of this kind."""
    return has(claims, PACKETS.get(packet or "", Need.PUBLISH_DATA))
