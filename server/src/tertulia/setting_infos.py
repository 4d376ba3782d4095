"""Settings as help, documents, commands and the console show them: what for, with which value, and from where."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tertulia.settings import FILE, PREFIX, Settings

HIDDEN: Final = "<hidden>"
_UNSET: Final = ("", None, ())


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """One setting as help, documents and `tertulia settings` show it. `default` is empty where there is none."""

    name: str
    section: str
    allowed: str
    description: str
    default: str

    @property
    def variable(self) -> str:
        """Return the environment variable."""
        return f"{PREFIX}{self.name.upper()}"

    @property
    def option(self) -> str:
        """Return the option."""
        return f"--{self.name.replace('_', '-')}"


def setting_infos() -> Iterator[SettingInfo]:
    """Yield every setting in the order of the sections."""
    section = ""
    for name, field in Settings.model_fields.items():
        section = Settings.sections.get(name, section)
        description = field.description or ""
        shown = field.default not in _UNSET and "default" not in description
        yield SettingInfo(name, section, field.title or "", description, setting_text(field.default) if shown else "")


def setting_text(value: object) -> str:
    """Return a setting's value as it is written in the environment."""
    if isinstance(value, tuple):
        return ",".join(str(each) for each in value)
    if isinstance(value, float):
        return f"{value:.15g}"
    return "" if value is None else str(value)


def setting_values(settings: Settings) -> Mapping[str, str]:
    """Return the values by the settings' names as they are shown; a secret never is."""
    texts = {name: setting_text(getattr(settings, name)) for name in Settings.model_fields}
    return {name: HIDDEN if text and name in Settings.secrets else text for name, text in texts.items()}


def setting_sources(settings: Settings) -> Mapping[str, str]:
    """Tell where each setting comes from: `option`, `environment`, the file, or `default`."""
    in_file = frozenset(tomllib.loads(Path(FILE).read_text("utf-8"))) if Path(FILE).is_file() else frozenset()

    def source(name: str) -> str:
        if name in settings.options:
            return "option"
        if os.environ.get(f"{PREFIX}{name.upper()}"):
            return "environment"
        return FILE if name in in_file else "default"

    return {name: source(name) for name in Settings.model_fields}
