"""Access tokens: LiveKit's JWTs with a video grant, verified for every connection and call, and refreshed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import jwt
from google.protobuf import json_format
from livekit.protocol.models import ParticipantInfo, ParticipantPermission, TrackSource
from livekit.protocol.room import RoomConfiguration

from tertulia_sfu.errors import GrantMissing, InvalidRequest, InvalidToken
from tertulia_sfu.ids import ApiKey, Identity

LEEWAY_S: Final = 60
MAX_NAME_LENGTH: Final = 256
MIN_REFRESHED_LIFE_S: Final = 600

_SOURCES: Final = {
    "camera": TrackSource.CAMERA,
    "microphone": TrackSource.MICROPHONE,
    "screen_share": TrackSource.SCREEN_SHARE,
    "screen_share_audio": TrackSource.SCREEN_SHARE_AUDIO,
}
_SOURCE_NAMES: Final = {value: name for name, value in _SOURCES.items()}
_KINDS: Final = {
    "standard": ParticipantInfo.STANDARD,
    "ingress": ParticipantInfo.INGRESS,
    "egress": ParticipantInfo.EGRESS,
    "sip": ParticipantInfo.SIP,
    "agent": ParticipantInfo.AGENT,
    "connector": ParticipantInfo.CONNECTOR,
    "bridge": ParticipantInfo.BRIDGE,
}
_KIND_DETAILS: Final = {
    "cloud_agent": ParticipantInfo.CLOUD_AGENT,
    "forwarded": ParticipantInfo.FORWARDED,
    "connector_whatsapp": ParticipantInfo.CONNECTOR_WHATSAPP,
    "connector_twilio": ParticipantInfo.CONNECTOR_TWILIO,
    "bridge_rtsp": ParticipantInfo.BRIDGE_RTSP,
    "simulation": ParticipantInfo.SIMULATION,
}
_FLAGS: Final = {
    "roomJoin": "room_join",
    "roomCreate": "room_create",
    "roomList": "room_list",
    "roomAdmin": "room_admin",
    "hidden": "hidden",
    "recorder": "recorder",
    "agent": "agent",
    "canSubscribeMetrics": "can_subscribe_metrics",
    "canUpdateOwnMetadata": "can_update_own_metadata",
    "canManageAgentSession": "can_manage_agent_session",
}


@dataclass(frozen=True)
class VideoGrant:
    """What a token allows, with the protocol's defaults for what it leaves out."""

    room: str = ""
    room_join: bool = False
    room_create: bool = False
    room_list: bool = False
    room_admin: bool = False
    can_publish: bool = True
    can_subscribe: bool = True
    can_publish_data: bool = True
    can_publish_sources: tuple[TrackSource, ...] = ()
    can_update_own_metadata: bool = False
    can_subscribe_metrics: bool = False
    can_manage_agent_session: bool = False
    hidden: bool = False
    recorder: bool = False
    agent: bool = False

    def permission(self) -> ParticipantPermission:
        """Return the part of the grant that clients see on a participant."""
        return ParticipantPermission(
            can_subscribe=self.can_subscribe,
            can_publish=self.can_publish,
            can_publish_data=self.can_publish_data,
            can_publish_sources=self.can_publish_sources,
            hidden=self.hidden,
            recorder=self.recorder,
            agent=self.agent,
            can_update_metadata=self.can_update_own_metadata,
            can_subscribe_metrics=self.can_subscribe_metrics,
            can_manage_agent_session=self.can_manage_agent_session,
        )

    def with_permission(self, permission: ParticipantPermission) -> "VideoGrant":
        """Return this grant with the whole permission put in its place."""
        return replace(
            self,
            can_subscribe=permission.can_subscribe,
            can_publish=permission.can_publish,
            can_publish_data=permission.can_publish_data,
            can_publish_sources=tuple(permission.can_publish_sources),
            hidden=permission.hidden,
            recorder=permission.recorder,
            agent=permission.agent,
            can_update_own_metadata=permission.can_update_metadata,
            can_subscribe_metrics=permission.can_subscribe_metrics,
            can_manage_agent_session=permission.can_manage_agent_session,
        )


@dataclass(frozen=True)
class Claims:
    """The content of a verified token. `expires_at` and `issued_at` are Unix seconds."""

    api_key: ApiKey
    identity: Identity
    expires_at: float
    video: VideoGrant
    name: str = ""
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    kind: "ParticipantInfo.Kind" = ParticipantInfo.STANDARD
    kind_details: tuple["ParticipantInfo.KindDetail", ...] = ()
    room_config: RoomConfiguration | None = None
    issued_at: float = 0.0


class Tokens:
    """Verification of tokens against the configured keys, and signing of new ones. `clock` returns Unix seconds."""

    def __init__(self, keys: Mapping[str, str], clock: Callable[[], float]) -> None:
        self._keys = dict(keys)
        self._clock = clock

    def verify(self, token: str) -> Claims:
        """Return the token's claims. Raise InvalidToken, whose text never contains the token."""
        try:
            key = jwt.decode(token, options={"verify_signature": False}).get("iss")
            secret = self._keys.get(key) if isinstance(key, str) else None
            if secret is None:
                raise InvalidToken("The token is not signed with a key of this server.")
            payload = jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss"], "verify_aud": False, "verify_exp": False, "verify_nbf": False},
            )
            self._check_times(payload)
        except jwt.MissingRequiredClaimError as error:
            raise InvalidToken(f"The token has no {error.claim} claim.") from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise InvalidToken("The token is malformed or its signature does not match.") from None
        return _claims(ApiKey(str(key)), payload)

    def _check_times(self, payload: Mapping[str, Any]) -> None:
        now = self._clock()
        expires_at, not_before = payload["exp"], payload.get("nbf", 0)
        if not _is_number(expires_at) or not _is_number(not_before):
            raise InvalidToken("The token's times are not numbers.")
        if expires_at + LEEWAY_S <= now:
            raise InvalidToken("The token has expired.")
        if not_before - LEEWAY_S > now:
            raise InvalidToken("The token is not valid yet.")

    def refresh(self, claims: Claims, *, not_after: float | None = None) -> str:
        """Return a new token with the same claims, for the client's next reconnect.

        It expires with the original, but in ten minutes at the earliest, and never after `not_after` (Unix seconds).
        """
        now = self._clock()
        expires_at = max(claims.expires_at, now + MIN_REFRESHED_LIFE_S)
        if not_after is not None:
            expires_at = min(expires_at, not_after)
        payload = _payload(claims) | {"nbf": int(now), "exp": int(expires_at)}
        return jwt.encode(payload, self._keys[claims.api_key], algorithm="HS256")

    def sign(self, key: str, *, body_sha256: str, valid_s: int) -> str:
        """Return the token of one webhook delivery: it contains the SHA-256 digest (base64) of the body."""
        now = int(self._clock())
        payload = {"iss": key, "nbf": now, "exp": now + valid_s, "sha256": body_sha256}
        return jwt.encode(payload, self._keys[key], algorithm="HS256")


def require_join(claims: Claims) -> None:
    """Raise GrantMissing (401) or InvalidRequest (400) if a token is not one for joining a room."""
    if not claims.video.room_join:
        raise GrantMissing("The token does not allow joining a room (roomJoin).")
    if not claims.identity:
        raise InvalidRequest("The token has no identity (sub).")
    if not claims.video.room:
        raise InvalidRequest("The token names no room.")
    for what, text in (("identity", claims.identity), ("room name", claims.video.room)):
        if len(text) > MAX_NAME_LENGTH:
            raise InvalidRequest(f"The {what} is longer than {MAX_NAME_LENGTH} characters.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidToken(f"The token's {name} is not a string.")
    return value


def _claims(key: ApiKey, payload: Mapping[str, Any]) -> Claims:
    attributes = payload.get("attributes") or {}
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise InvalidToken("The token's attributes are not a map of strings.")
    video = _video_grant(payload.get("video") or {})
    kind = _kind(_text(payload, "kind"), video)
    issued_at = payload.get("iat", payload.get("nbf", 0))
    return Claims(
        api_key=key,
        identity=Identity(_text(payload, "sub") or _text(payload, "jti")),
        expires_at=float(payload["exp"]),
        video=video,
        name=_text(payload, "name"),
        metadata=_text(payload, "metadata"),
        attributes=attributes,
        kind=kind,
        kind_details=_kind_details(payload.get("kindDetails") or []),
        room_config=_room_config(payload.get("roomConfig")),
        issued_at=float(issued_at) if _is_number(issued_at) else 0.0,
    )


def _kind(name: str, video: VideoGrant) -> "ParticipantInfo.Kind":
    if not name:
        # the older way to say it, before tokens had a kind
        if video.recorder:
            return ParticipantInfo.EGRESS
        return ParticipantInfo.AGENT if video.agent else ParticipantInfo.STANDARD
    try:
        return _KINDS[name.lower()]
    except KeyError:
        raise InvalidToken("The token's kind is unknown.") from None


def _kind_details(names: object) -> tuple["ParticipantInfo.KindDetail", ...]:
    if not isinstance(names, list):
        raise InvalidToken("The token's kindDetails is not a list.")
    named = {str(name).lower() for name in names}
    return tuple(detail for name, detail in _KIND_DETAILS.items() if name in named)


def _video_grant(grant: object) -> VideoGrant:
    if not isinstance(grant, dict):
        raise InvalidToken("The token's video grant is not an object.")
    values: dict[str, Any] = {ours: grant.get(theirs) is True for theirs, ours in _FLAGS.items()}
    can_publish = grant.get("canPublish", True) is not False
    data = grant.get("canPublishData")
    return VideoGrant(
        room=_text(grant, "room"),
        can_publish=can_publish,
        can_subscribe=grant.get("canSubscribe", True) is not False,
        can_publish_data=can_publish if data is None else data is True,
        can_publish_sources=_sources(grant.get("canPublishSources") or []),
        **values,
    )


def _sources(names: object) -> tuple[TrackSource, ...]:
    if not isinstance(names, list):
        raise InvalidToken("The token's canPublishSources is not a list.")
    # an unknown name allows nothing, but the list still restricts
    return tuple(_SOURCES.get(str(name).lower(), TrackSource.UNKNOWN) for name in names)


def _room_config(config: object) -> RoomConfiguration | None:
    if config is None:
        return None
    if not isinstance(config, dict):
        raise InvalidToken("The token's roomConfig is not an object.")
    try:
        return json_format.Parse(json.dumps(config), RoomConfiguration(), ignore_unknown_fields=True)
    except json_format.ParseError:
        raise InvalidToken("The token's roomConfig is malformed.") from None


def _payload(claims: Claims) -> dict[str, Any]:
    video = claims.video
    grant: dict[str, Any] = {theirs: True for theirs, ours in _FLAGS.items() if getattr(video, ours)}
    grant |= {
        "room": video.room,
        "canPublish": video.can_publish,
        "canSubscribe": video.can_subscribe,
        "canPublishData": video.can_publish_data,
    }
    if video.can_publish_sources:
        grant["canPublishSources"] = [_SOURCE_NAMES.get(source, "unknown") for source in video.can_publish_sources]
    payload: dict[str, Any] = {
        "iss": claims.api_key,
        "sub": claims.identity,
        "name": claims.name,
        "metadata": claims.metadata,
        "attributes": dict(claims.attributes),
        "kind": ParticipantInfo.Kind.Name(claims.kind).lower(),
        "video": grant,
    }
    if claims.kind_details:
        payload["kindDetails"] = [ParticipantInfo.KindDetail.Name(each).lower() for each in claims.kind_details]
    if claims.room_config is not None:
        payload["roomConfig"] = json_format.MessageToDict(claims.room_config)
    return payload
