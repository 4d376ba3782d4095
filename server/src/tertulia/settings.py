"""Settings: an option beats the environment, which beats `tertulia.toml`. One name everywhere.

Only `app` and `cli` read settings: every other part is given what it needs.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from tertulia.domain.recordings.limits import (
    DEFAULT_EMPTY_TIMEOUT_S,
    DEFAULT_MAX_BYTES,
    DEFAULT_MAX_DURATION_S,
    DEFAULT_MIN_FREE_BYTES,
    DEFAULT_PRESET,
)
from tertulia.errors import ConfigurationError
from tertulia.setting_values import (
    AUTO_ADDRESSES,
    Addresses,
    Codecs,
    Commas,
    HostAndPort,
    Port,
    Seconds,
    check,
    refused,
    url_with,
)
from tertulia_recorder.job import RecordingPreset

PREFIX: Final = "TERTULIA_"
FILE: Final = "tertulia.toml"
MIN_API_KEY_LENGTH: Final = 16
MIN_MEDIA_SECRET_BYTES: Final = 32  # what HMAC with SHA-256 needs (RFC 7518, section 3.2)
_A_PORT: Final = "a port from 0 to 65535 (0: any free one)"


class Settings(BaseSettings):
    """Everything that can be set; the description says what it is for, the title what is allowed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", toml_file=FILE, frozen=True, validate_default=False
    )
    sections: ClassVar[Mapping[str, str]] = {
        "host": "Network",
        "data_dir": "Storage",
        "api_key": "Access",
        "media_url": "Media",
        "recordings_url": "Recordings",
        "metrics_token": "Metrics",
        "log_level": "Logs",
    }
    """The headings under which settings are listed, by the first setting of each; a heading holds until the next."""
    secrets: ClassVar[frozenset[str]] = frozenset(
        {"api_key", "admin_password", "media_api_secret", "turn_secret", "secret_key", "metrics_token", "database_url"}
    )

    _options: frozenset[str] = PrivateAttr(frozenset())

    host: str = Field(
        "127.0.0.1",
        title="an address of this machine, or 0.0.0.0 or :: for all",
        description="where HTTP and signalling listen",
    )
    port: Port = Field(6080, title=_A_PORT, description="where HTTP and signalling listen")
    public_url: str = Field(
        "",
        title="an http:// or https:// URL without a path",
        description="how browsers reach the server; default http://localhost:<port>",
    )
    tls_cert: Path | None = Field(
        None, title="a file that can be read", description="certificate: serve HTTPS and WSS ourselves"
    )
    tls_key: Path | None = Field(None, title="a file that can be read", description="the certificate's key")
    trusted_proxies: Commas = Field(
        (), title="addresses or networks, separated by commas, or *", description="whose forwarding header is believed"
    )
    forwarding_header: str = Field(
        "X-Forwarded-For",
        pattern=r"^[A-Za-z0-9-]+$",
        title="X-Forwarded-For, Forwarded, or another header's name",
        description="the one header in which trusted proxies tell a client's address",
    )
    embed_origins: Commas = Field(
        ("*",), title="* or origins, separated by commas", description="which pages may put the meeting into an iframe"
    )
    cors_origins: Commas = Field(
        (),
        title="* or origins, separated by commas",
        description="which other sites' pages may call the public REST API",
    )
    stop_delay_s: Seconds = Field(
        0,
        title="seconds, 0 or more",
        description="how long a server that is stopped goes on while /health says 503: longer than a load balancer "
        "needs to notice",
    )
    stop_timeout_s: Seconds = Field(
        30,
        title="seconds, 0 or more",
        description="how long a server that is stopped waits for running requests and downloads at most",
    )
    data_dir: Path = Field(Path("data"), title="a folder", description="database, recordings, generated secrets")
    database_url: str = Field(
        "", title="sqlite:///<file> or postgresql://…", description="the database; default SQLite in the data directory"
    )
    database_pool_size: int = Field(
        16,
        ge=2,
        title="a number, 2 or more",
        description="connections that one server opens to PostgreSQL at most: half for reads, half for writes",
    )
    database_pool_timeout_s: float = Field(
        3,
        gt=0,
        allow_inf_nan=False,
        title="seconds, more than 0",
        description="how long a request waits for a connection to PostgreSQL; an answer may take 1 s more",
    )
    secret_key: str = Field(
        "",
        title="a text of at least 16 characters",
        description="what session keys are derived from; default: generated, kept in the data directory",
    )
    api_key: str = Field(
        "",
        title="a text of at least 16 characters, without spaces",
        description="the REST API's key; default: generated, printed once",
    )
    admin_user: str = Field(
        "admin", min_length=1, title="a name", description="the administrator's name, who logs in to the console"
    )
    admin_password: str = Field(
        "", title="a text", description="the administrator's password; default: generated, printed once"
    )
    participant_auth: Literal["none", "moderators_only", "all_users"] = Field(
        "none",
        title="none, moderators_only or all_users",
        description="who must be logged in to get a participant token",
    )
    media_url: str = Field(
        "",
        title="a ws:// or wss:// URL",
        description="an existing LiveKit server or cluster; default: the embedded one",
    )
    media_api_key: str = Field(
        "", title="a text", description="LiveKit's key; default: generated, kept in the data directory"
    )
    media_api_secret: str = Field(
        "",
        title="a text of at least 32 bytes",
        description="LiveKit's secret, of an external server also a shorter one; default: generated, kept in the data "
        "directory",
    )
    media_internal_url: str = Field(
        "",
        title="a ws://, wss://, http:// or https:// URL",
        description="how the server and recorders reach the media server; default TERTULIA_MEDIA_URL",
    )
    media_udp_port: Port = Field(7882, title=_A_PORT, description="where media arrives by UDP")
    media_tcp_port: Port = Field(
        7881,
        title=_A_PORT,
        description="where media of clients arrives for whom UDP is blocked; with TERTULIA_TLS_CERT it may be "
        "TERTULIA_PORT: then HTTPS and media share it",
    )
    media_addresses: Addresses = Field(
        (),
        title="IP addresses, separated by commas, or auto",
        description="addresses offered to clients; auto: the public one, asked of a STUN server, and those found by "
        "itself; default: found by itself",
    )
    media_stun_server: HostAndPort = Field(
        "",
        title="a host, or host:port",
        description="the STUN server that TERTULIA_MEDIA_ADDRESSES=auto asks at each start; default: the first TURN "
        "server, and no other one",
    )
    media_codecs: Codecs = Field(
        (),
        title="audio/opus and at least one of video/VP8, video/H264, video/VP9, video/AV1, also audio/red",
        description="the codecs that participants may use, separated by commas; default: all of these",
    )
    turn_urls: Commas = Field(
        (), title="turn: or turns: URLs, separated by commas", description="an existing TURN server handed to clients"
    )
    turn_secret: str = Field("", title="a text", description="the TURN server's shared secret")
    recordings_url: str = Field(
        "",
        title="a folder, or s3://, gs:// or az:// and a bucket",
        description="where recordings are kept; default a folder in the data directory",
    )
    recordings_delivery: Literal["stream", "redirect"] = Field(
        "stream",
        title="stream or redirect",
        description="whether recordings in a bucket are read through the server, or clients are sent to the bucket",
    )
    recording_preset: RecordingPreset = Field(
        DEFAULT_PRESET, title="720p30, 1080p30 or audio", description="picture and rate of recordings"
    )
    recording_max_duration_s: float = Field(
        DEFAULT_MAX_DURATION_S,
        gt=0,
        allow_inf_nan=False,
        title="seconds, more than 0",
        description="the longest a recording may be",
    )
    recording_max_bytes: int | None = Field(
        DEFAULT_MAX_BYTES,
        gt=0,
        title="bytes, more than 0",
        description="the largest a recording may be; default: no limit",
    )
    recording_empty_timeout_s: float = Field(
        DEFAULT_EMPTY_TIMEOUT_S,
        ge=0,
        allow_inf_nan=False,
        title="seconds, 0 or more",
        description="how long a meeting without participants is still recorded",
    )
    recording_min_free_bytes: int = Field(
        DEFAULT_MIN_FREE_BYTES,
        ge=0,
        title="bytes, 0 or more",
        description="recordings end when less of the disk is free",
    )
    recording_capacity: int | None = Field(
        None,
        ge=0,
        title="a number, 0 or more",
        description="how many recordings this machine makes at once; default: one for each core; 0: none",
    )
    metrics_token: str = Field(
        "",
        title="a text of at least 16 characters, without spaces",
        description="serve /metrics (Prometheus) to those who send this bearer token; default: not served",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", title="debug, info, warning or error", description="how much is logged"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where settings come from, the strongest first."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @field_validator("public_url")
    @classmethod
    def _is_web_url(cls, value: str) -> str:
        return url_with(value, {"http", "https"}, path=False)

    @field_validator("media_url")
    @classmethod
    def _is_media_url(cls, value: str) -> str:
        return url_with(value, {"ws", "wss"})

    @field_validator("media_internal_url")
    @classmethod
    def _is_internal_url(cls, value: str) -> str:
        return url_with(value, {"ws", "wss", "http", "https"})

    @field_validator("database_url")
    @classmethod
    def _is_database_url(cls, value: str) -> str:
        if value and value.partition(":")[0].partition("+")[0] not in {"sqlite", "postgresql"}:
            raise refused()
        check(lambda url: urlsplit(url).port, value)
        return value

    @field_validator("recordings_url")
    @classmethod
    def _is_folder_or_bucket(cls, value: str) -> str:
        scheme, separator, bucket = value.partition("://")
        if separator and (scheme not in {"file", "s3", "gs", "az"} or not bucket):
            raise refused()
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            if network != "*":
                check(partial(ipaddress.ip_network, strict=False), network)
        return value

    @field_validator("embed_origins", "cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin if origin == "*" else url_with(origin, {"http", "https"}, path=False) for origin in value)

    @field_validator("turn_urls")
    @classmethod
    def _are_turn_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(url.partition(":")[0] not in {"turn", "turns"} for url in value):
            raise refused()
        return value

    @field_validator("tls_cert", "tls_key")
    @classmethod
    def _is_readable(cls, value: Path | None) -> Path | None:
        if value is not None and not (value.is_file() and os.access(value, os.R_OK)):
            raise refused()
        return value

    @field_validator("api_key", "metrics_token")
    @classmethod
    def _is_header_value(cls, value: str) -> str:
        if not value.isascii() or not value.isprintable() or " " in value or 0 < len(value) < MIN_API_KEY_LENGTH:
            raise refused()
        return value

    @field_validator("secret_key")
    @classmethod
    def _is_long_enough(cls, value: str) -> str:
        if value and len(value) < 16:  # noqa: PLR2004 - said in the title
            raise refused()
        return value

    @model_validator(mode="after")
    def _pairs(self) -> Settings:
        for one, other in (
            ("tls_cert", "tls_key"),
            ("media_api_key", "media_api_secret"),
            ("turn_urls", "turn_secret"),
        ):
            if bool(getattr(self, one)) != bool(getattr(self, other)):
                raise PydanticCustomError(
                    "pair", f"{PREFIX}{one.upper()} and {PREFIX}{other.upper()} are set together, or not at all"
                )
        if self.media_addresses == AUTO_ADDRESSES and not (self.media_stun_server or self.turn_urls or self.media_url):
            raise PydanticCustomError("pair", f"{PREFIX}MEDIA_ADDRESSES=auto needs {PREFIX}MEDIA_STUN_SERVER")
        if self.media_url and not self.media_api_key:
            raise PydanticCustomError(
                "pair", f"{PREFIX}MEDIA_URL needs {PREFIX}MEDIA_API_KEY and {PREFIX}MEDIA_API_SECRET of that server"
            )
        # the secret of an external server is chosen there: the application warns of it
        if not self.media_url and self.has_short_media_secret:
            raise PydanticCustomError(
                "short",
                f"{PREFIX}MEDIA_API_SECRET: <hidden> is not allowed; allowed is "
                f"{type(self).model_fields['media_api_secret'].title}",
            )
        return self

    @property
    def options(self) -> frozenset[str]:
        """The settings that were given as options."""
        return self._options

    @property
    def has_short_media_secret(self) -> bool:
        """Whether LiveKit's secret is set, and shorter than its signatures need."""
        return 0 < len(self.media_api_secret.encode()) < MIN_MEDIA_SECRET_BYTES


def load_settings(options: Mapping[str, Any]) -> Settings:
    """Collect the settings. Raise ConfigurationError with a line for each wrong one, which says what is allowed."""
    try:
        settings = Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        raise ConfigurationError("\n".join(_line(detail) for detail in error.errors(include_url=False))) from error
    except ValueError as error:  # a file that is not TOML
        raise ConfigurationError(f"{FILE}: {error}") from error
    settings._options = frozenset(name for name, value in options.items() if value is not None)  # noqa: SLF001 - ours
    return settings


def _line(detail: Mapping[str, Any]) -> str:
    if not detail["loc"]:
        return str(detail["msg"])
    name = str(detail["loc"][0])
    field = Settings.model_fields.get(name)
    if field is None:
        return f"{FILE}: '{name}' is not a setting"
    shown = "<hidden>" if name in Settings.secrets else repr(detail["input"])
    return f"{PREFIX}{name.upper()}: {shown} is not allowed; allowed is {field.title}"
