"""LiveKit's older signalling (`/rtc`): what a client joins with stands in the query, one parameter for each field."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Final

from livekit.protocol.models import ClientInfo
from livekit.protocol.rtc import ConnectionSettings, JoinRequest

from tertulia_sfu.errors import InvalidRequest

_TRUE: Final = frozenset({"1", "true"})
_SDKS: Final[Mapping[str, ClientInfo.SDK]] = {
    "js": ClientInfo.JS,
    "ios": ClientInfo.SWIFT,
    "swift": ClientInfo.SWIFT,
    "android": ClientInfo.ANDROID,
    "flutter": ClientInfo.FLUTTER,
    "go": ClientInfo.GO,
    "unity": ClientInfo.UNITY,
    "reactnative": ClientInfo.REACT_NATIVE,
    "rust": ClientInfo.RUST,
    "python": ClientInfo.PYTHON,
    "cpp": ClientInfo.CPP,
    "unityweb": ClientInfo.UNITY_WEB,
    "node": ClientInfo.NODE,
    "esp32": ClientInfo.ESP32,
}
_MAX_CAPABILITIES: Final = 32


def join_request_of(query: Mapping[str, str]) -> JoinRequest:
    """Return the join request that a query describes. Raise InvalidRequest for attributes that cannot be read."""
    return JoinRequest(
        client_info=_client_info(query),
        connection_settings=ConnectionSettings(
            auto_subscribe=_flag(query, "auto_subscribe", absent=True),
            adaptive_stream=_flag(query, "adaptive_stream"),
            subscriber_allow_pause=_flag(query, "subscriber_allow_pause"),
            disable_ice_lite=_flag(query, "disable_ice_lite"),
            auto_subscribe_data_track=_flag(query, "auto_subscribe_data_track"),
        ),
        participant_attributes=_attributes(query.get("attributes", "")),
        reconnect=_flag(query, "reconnect"),
        participant_sid=query.get("sid", ""),
    )


def _client_info(query: Mapping[str, str]) -> ClientInfo:
    names = query.get("capabilities", "").split(",")[:_MAX_CAPABILITIES]
    known = ClientInfo.Capability.keys()
    return ClientInfo(
        sdk=_SDKS.get(query.get("sdk", ""), ClientInfo.UNKNOWN),
        version=query.get("version", ""),
        protocol=_number(query.get("protocol", "")),
        client_protocol=_number(query.get("client_protocol", "")),
        os=query.get("os", ""),
        os_version=query.get("os_version", ""),
        device_model=query.get("device_model", ""),
        browser=query.get("browser", ""),
        browser_version=query.get("browser_version", ""),
        network=query.get("network", ""),
        capabilities=[name for name in names if name in known],
    )


def _flag(query: Mapping[str, str], name: str, *, absent: bool = False) -> bool:
    value = query.get(name, "")
    return value.lower() in _TRUE if value else absent


def _number(text: str) -> int:
    return int(text) if len(text) <= 9 and text.isascii() and text.isdecimal() else 0  # noqa: PLR2004 - fits 32 bits


def _attributes(text: str) -> dict[str, str]:
    """Decode a base64url JSON object of strings."""
    if not text:
        return {}
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        attributes = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidRequest("The attributes cannot be read.") from None
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise InvalidRequest("The attributes are not an object of strings.")
    return attributes
