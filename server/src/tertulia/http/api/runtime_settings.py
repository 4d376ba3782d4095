"""Settings that change while servers run, over HTTP; and all others, with where they come from."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.domain.appearance import Appearance, contrast_problem, is_colour
from tertulia.domain.rooms import MAX_PARTICIPANTS, RoomPreferences
from tertulia.errors import FieldProblem, InvalidInput
from tertulia.http.api.rooms import RoomPreferencesSchema, RoomPresenter
from tertulia.http.kit.operations import LARGE_BODY_BYTES, Operation, OperationRequest, one
from tertulia.http.kit.responses import JsonResponse
from tertulia.http.kit.validation import Body, NotNull, WholeNumber
from tertulia.services.rooms import RoomDefaults
from tertulia.services.runtime_settings import RuntimeSetting, RuntimeSettings, RuntimeSettingsService

_TAG: Final = "Internal API - Console"
_MAX_LOGO: Final = 200_000
_LOGO_KINDS: Final = ("png", "jpeg", "webp", "svg+xml")
_MAX_S: Final = 10 * 366 * 24 * 3600
_ORIGIN: Final = r"^(\*|https?://[^\s;,'\"<>/?#@\\]+)$"


def _logo(value: str) -> str:
    head, _, data = value.partition(",")
    try:
        known = head in {f"data:image/{kind};base64" for kind in _LOGO_KINDS} and base64.b64decode(data, validate=True)
    except binascii.Error:
        known = b""
    if value and not known:
        raise PydanticCustomError("logo", "Expected a data: URL of a PNG, JPEG, WebP or SVG picture, in Base64")
    return value


def _colour(value: str) -> str:
    if value and not is_colour(value):
        raise PydanticCustomError("colour", "Expected a colour such as #0f6b63")
    return value


Origins = Annotated[list[Annotated[str, Field(pattern=_ORIGIN, max_length=300)]], Field(max_length=100)]
Colour = Annotated[str, AfterValidator(_colour)]


class AppearanceSettings(Body):
    """How the pages look; what is empty is as in Tertulia."""

    name: str = Field(default="", max_length=60, pattern=r"^[^\x00-\x1f]*$", description="In place of Tertulia.")
    logo: Annotated[str, AfterValidator(_logo)] = Field(
        default="", max_length=_MAX_LOGO, description="A `data:` URL of a PNG, JPEG, WebP or SVG picture."
    )
    accentLight: Colour = Field(default="", description="The accent colour of the light theme, as `#0f6b63`.")
    accentDark: Colour = Field(default="", description="The accent colour of the dark theme.")


class RoomDefaultSettings(Body):
    """What a new room is where its creator does not say."""

    maxParticipants: Annotated[WholeNumber | None, NotNull] = Field(default=None, ge=1, le=MAX_PARTICIPANTS)
    lifetimeS: Annotated[WholeNumber | None, NotNull] = Field(
        default=None, ge=60, le=_MAX_S, description="What the console offers; the API always says when a room expires."
    )
    preferences: Annotated[RoomPreferencesSchema | None, NotNull] = None


class RecordingSettings(Body):
    """How recordings are made that start from now on; what is absent is as configured."""

    preset: Annotated[Literal["720p30", "1080p30", "audio"] | None, NotNull] = None
    maxDurationS: Annotated[float | None, NotNull] = Field(default=None, gt=0, le=_MAX_S)
    maxBytes: WholeNumber | None = Field(default=None, gt=0, le=2**53, description="null: no limit")
    minFreeBytes: Annotated[WholeNumber | None, NotNull] = Field(default=None, ge=0, le=2**53)
    emptyTimeoutS: Annotated[float | None, NotNull] = Field(default=None, ge=0, le=_MAX_S)


_OR_BACK: Final = Field(default=None, json_schema_extra={"nullable": True})


class SettingsChange(Body):
    """What is to change. Absent settings stay; null takes a change back, so that the configured value counts."""

    participantAuth: Literal["none", "moderators_only", "all_users"] | None = _OR_BACK
    embedOrigins: Origins | None = _OR_BACK
    corsOrigins: Origins | None = _OR_BACK
    appearance: AppearanceSettings | None = _OR_BACK
    roomDefaults: RoomDefaultSettings | None = _OR_BACK
    recordings: RecordingSettings | None = _OR_BACK


class SettingsNow(BaseModel):
    """The values that count now."""

    participantAuth: Literal["none", "moderators_only", "all_users"]
    embedOrigins: list[str]
    corsOrigins: list[str]
    appearance: AppearanceSettings
    roomDefaults: RoomDefaultSettings
    recordings: RecordingSettings


class SettingShown(BaseModel):
    """A setting of the server's start. Secrets are hidden."""

    name: str
    section: str
    value: str
    source: str = Field(description="option, environment, tertulia.toml or default")
    default: str
    allowed: str
    description: str
    changeableAs: str | None = Field(default=None, description="The name under which it changes while servers run.")


class AllSettings(BaseModel):
    """All settings. `stored` names those of `values` that were changed; the others are as configured."""

    values: SettingsNow
    stored: list[str]
    settings: list[SettingShown]


@dataclass(frozen=True, slots=True)
class ConfiguredSetting:
    """A setting as the server was started with it."""

    name: str
    section: str
    value: str
    source: str
    default: str
    allowed: str
    description: str


_NAMES: Final = {
    "participantAuth": RuntimeSetting.PARTICIPANT_AUTH,
    "embedOrigins": RuntimeSetting.EMBED_ORIGINS,
    "corsOrigins": RuntimeSetting.CORS_ORIGINS,
    "appearance": RuntimeSetting.APPEARANCE,
    "roomDefaults": RuntimeSetting.ROOM_DEFAULTS,
    "recordings": RuntimeSetting.RECORDINGS,
}
_RULES: Final = {
    "preset": "preset",
    "maxDurationS": "max_duration_s",
    "maxBytes": "max_bytes",
    "minFreeBytes": "min_free_bytes",
    "emptyTimeoutS": "empty_timeout_s",
}
_CHANGEABLE_AS: Final = {
    "TERTULIA_PARTICIPANT_AUTH": "participantAuth",
    "TERTULIA_EMBED_ORIGINS": "embedOrigins",
    "TERTULIA_CORS_ORIGINS": "corsOrigins",
    **{
        f"TERTULIA_RECORDING_{name}": "recordings"
        for name in ("PRESET", "MAX_DURATION_S", "MAX_BYTES", "MIN_FREE_BYTES", "EMPTY_TIMEOUT_S")
    },
}


class RuntimeSettingHandlers:
    """Translates between HTTP and the settings' service. `configured` lists those of the server's start."""

    def __init__(
        self,
        *,
        settings: RuntimeSettingsService,
        configured: Sequence[ConfiguredSetting],
        presenter: RoomPresenter,
    ) -> None:
        self._settings = settings
        self._configured = configured
        self._presenter = presenter

    async def get(self, _request: OperationRequest) -> Response:
        """GET /console/settings."""
        await self._settings.reload()
        return JsonResponse(self._shown())

    async def change(self, request: OperationRequest) -> Response:
        """PUT /console/settings."""
        change = request.body_as(SettingsChange)
        _check_colours(change.appearance)
        given = {name: getattr(change, name) for name in change.model_fields_set}
        await self._settings.change({
            _NAMES[name]: None if value is None else _WRITTEN[name](value) for name, value in given.items()
        })  # fmt: skip
        return JsonResponse(self._shown())

    async def appearance(self, _request: OperationRequest) -> Response:
        """GET /appearance."""
        return JsonResponse({name: value for name, value in _appearance(self._settings.current).items() if value})

    def _shown(self) -> dict[str, Any]:
        now = self._settings.current
        defaults, rules = now.room_defaults, now.recordings
        preferences = defaults.preferences.applied_to(RoomPreferences())
        limits = {"maxParticipants": defaults.max_participants, "lifetimeS": defaults.lifetime_s}
        values = {
            "participantAuth": now.participant_auth,
            "embedOrigins": now.embed_origins,
            "corsOrigins": now.cors_origins,
            "appearance": _appearance(now),
            "roomDefaults": {
                **{name: value for name, value in limits.items() if value is not None},
                "preferences": self._presenter.preferences(preferences),
            },
            "recordings": {name: getattr(rules, ours) for name, ours in _RULES.items()},
        }
        stored = self._settings.stored
        return {
            "values": values,
            "stored": [name for name, setting in _NAMES.items() if setting in stored],
            "settings": [_configured(each) for each in self._configured],
        }


def _configured(each: ConfiguredSetting) -> dict[str, str]:
    shown = {name: getattr(each, name) for name in ConfiguredSetting.__slots__}
    changeable = _CHANGEABLE_AS.get(each.name)
    return shown if changeable is None else shown | {"changeableAs": changeable}


def _appearance(now: RuntimeSettings) -> dict[str, str]:
    look: Appearance = now.appearance
    return {
        "name": look.name,
        "logo": look.logo,
        "accentLight": look.accent_light,
        "accentDark": look.accent_dark,
    }


def _check_colours(appearance: AppearanceSettings | None) -> None:
    if appearance is None:
        return
    problems = [
        FieldProblem(f"appearance.{theme}", problem)
        for theme in ("accentLight", "accentDark")
        if (colour := getattr(appearance, theme)) and (problem := contrast_problem(theme, colour)) is not None
    ]
    if problems:
        raise InvalidInput("body", problems)


def _written_appearance(value: AppearanceSettings) -> dict[str, str]:
    return {
        "name": value.name,
        "logo": value.logo,
        "accent_light": value.accentLight,
        "accent_dark": value.accentDark,
    }


def _written_defaults(value: RoomDefaultSettings) -> dict[str, Any]:
    preferences = RoomDefaults().preferences if value.preferences is None else value.preferences.change()
    defaults = RoomDefaults(max_participants=value.maxParticipants, lifetime_s=value.lifetimeS, preferences=preferences)
    return defaults.to_json()


def _written_rules(value: RecordingSettings) -> dict[str, Any]:
    return {_RULES[name]: getattr(value, name) for name in _RULES if name in value.model_fields_set}


_WRITTEN: Final[Mapping[str, Callable[[Any], object]]] = {
    "participantAuth": str,
    "embedOrigins": lambda value: [origin.rstrip("/") for origin in value],
    "corsOrigins": lambda value: [origin.rstrip("/") for origin in value],
    "appearance": _written_appearance,
    "roomDefaults": _written_defaults,
    "recordings": _written_rules,
}


def runtime_setting_operations(settings: RuntimeSettingHandlers) -> list[Operation]:
    """List what is done with settings."""
    path = "/console/settings"
    return [
        Operation(
            id="getSettings", method="GET", path=path, action=Action.SEE_SETTINGS, handle=settings.get,
            summary="See all settings, and where they come from", tag=_TAG,
            responses=one("All settings", AllSettings, 401),
        ),
        Operation(
            id="changeSettings", method="PUT", path=path, action=Action.CHANGE_SETTINGS, handle=settings.change,
            summary="Change settings on all servers, within two seconds", tag=_TAG, body=SettingsChange,
            max_body_bytes=LARGE_BODY_BYTES, responses=one("All settings", AllSettings, 401, 413, 415, 422),
        ),
        Operation(
            id="getAppearance", method="GET", path="/appearance", action=Action.SEE_APPEARANCE,
            handle=settings.appearance, summary="See how the pages of this installation look", tag=_TAG,
            responses=one("What differs from how Tertulia looks", AppearanceSettings),
        ),
    ]  # fmt: skip
