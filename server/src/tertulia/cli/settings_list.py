"""`tertulia settings`: every setting, its value here, and where that comes from. A secret is never shown."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Final

import click

from tertulia.cli.output import Listing, print_listing
from tertulia.cli.setting_options import SettingInfo, setting_infos, setting_text
from tertulia.settings import FILE, Settings

HIDDEN: Final = "<hidden>"


def list_settings(settings: Settings, *, as_json: bool) -> None:
    """Print the settings as this command was given them, as a server started in the same way would be."""
    options: frozenset[str] = click.get_current_context().obj
    variables = frozenset(name.upper() for name, value in os.environ.items() if value)
    in_file = frozenset(tomllib.loads(Path(FILE).read_text("utf-8"))) if Path(FILE).is_file() else frozenset()
    found = [(info, _value(settings, info), _source(info, options, variables, in_file)) for info in setting_infos()]
    listing = Listing(
        columns=("SETTING", "VALUE", "FROM", "WHAT"),
        rows=[(info.variable, value, source, info.description) for info, value, source in found],
        data=[
            {
                "name": info.variable,
                "section": info.section,
                "value": value,
                "source": source,
                "default": info.default,
                "allowed": info.allowed,
                "description": info.description,
            }
            for info, value, source in found
        ],
    )
    print_listing(listing, as_json=as_json)


def _value(settings: Settings, info: SettingInfo) -> str:
    text = setting_text(getattr(settings, info.name))
    return HIDDEN if text and info.name in Settings.secrets else text


def _source(info: SettingInfo, options: frozenset[str], variables: frozenset[str], in_file: frozenset[str]) -> str:
    if info.name in options:
        return "option"
    if info.variable in variables:
        return "environment"
    return FILE if info.name in in_file else "default"
