"""Settings as options, derived from the fields of `Settings`: no setting is written twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import click
from click.shell_completion import CompletionItem
from pydantic.fields import FieldInfo

from tertulia.settings import PREFIX, Settings

_Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
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


class SettingOption(click.Option):
    """The option of a setting. The value stays text here: settings are parsed and refused in one place."""

    def __init__(self, info: SettingInfo, field: FieldInfo, *, hidden: bool) -> None:
        default = f"; default {info.default}" if info.default else ""
        super().__init__(
            [info.option],
            type=_type(info.name, field),
            metavar="VALUE",
            help=f"{info.description} ({info.allowed}{default})",
            hidden=hidden,
            shell_complete=_completion(_choices(field)),
        )
        self.section = info.section


def setting_infos() -> Iterator[SettingInfo]:
    """Yield every setting in the order of the sections."""
    section = ""
    for name, field in Settings.model_fields.items():
        section = Settings.sections.get(name, section)
        description = field.description or ""
        shown = field.default not in _UNSET and "default" not in description
        yield SettingInfo(name, section, field.title or "", description, setting_text(field.default) if shown else "")


def setting_options(sections: frozenset[str] | None) -> list[click.Parameter]:
    """Return an option for every setting; help shows those of the given sections (None: of all)."""
    return [
        SettingOption(
            info, Settings.model_fields[info.name], hidden=sections is not None and info.section not in sections
        )
        for info in setting_infos()
    ]


def setting_text(value: object) -> str:
    """Return a setting's value as it is written in the environment."""
    if isinstance(value, tuple):
        return ",".join(str(each) for each in value)
    if isinstance(value, float):
        return f"{value:.15g}"
    return "" if value is None else str(value)


def _type(name: str, field: FieldInfo) -> click.ParamType[Any]:
    if Path not in (field.annotation, *get_args(field.annotation)):
        return click.STRING
    return click.Path(file_okay=not name.endswith("_dir"))


def _choices(field: FieldInfo) -> tuple[str, ...]:
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(str(each.value) for each in annotation)
    return ()


def _completion(choices: tuple[str, ...]) -> _Complete | None:
    if not choices:
        return None

    def complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(choice) for choice in choices if choice.startswith(incomplete)]

    return complete
