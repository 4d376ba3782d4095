"""Settings as options, derived from the fields of `Settings`: no setting is written twice."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from click.shell_completion import CompletionItem
from pydantic.fields import FieldInfo

from tertulia.setting_infos import SettingInfo, setting_infos
from tertulia.settings import Settings

_Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


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


def setting_options(sections: frozenset[str] | None) -> list[click.Parameter]:
    """Return an option for every setting; help shows those of the given sections (None: of all)."""
    return [
        SettingOption(
            info, Settings.model_fields[info.name], hidden=sections is not None and info.section not in sections
        )
        for info in setting_infos()
    ]


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
