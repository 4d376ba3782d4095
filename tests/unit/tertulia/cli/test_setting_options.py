"""Options are derived from the settings."""

from __future__ import annotations

import click

from tertulia.cli.setting_options import SettingOption, setting_options
from tertulia.setting_infos import setting_infos, setting_text
from tertulia.settings import Settings


def options(sections: frozenset[str] | None = None) -> dict[str, SettingOption]:
    made = {option.name: option for option in setting_options(sections) if isinstance(option, SettingOption)}
    return {name: option for name, option in made.items() if name}


def test_each_setting_is_an_option():
    made = options()
    assert list(made) == list(Settings.model_fields)
    for info in setting_infos():
        assert made[info.name].opts == [info.option]
        assert info.description in (made[info.name].help or "")
        assert info.allowed in (made[info.name].help or "")


def test_help_shows_only_the_sections_of_a_command():
    shown = {name for name, option in options(frozenset({"Logs"})).items() if not option.hidden}
    assert shown == {"log_level"}


def test_values_are_completed():
    made = options()
    with click.Context(click.Command("x")) as ctx:

        def offered(name: str, incomplete: str) -> list[tuple[str, str]]:
            return [(item.type, str(item.value)) for item in made[name].shell_complete(ctx, incomplete)]

        assert offered("recording_preset", "") == [("plain", "720p30"), ("plain", "1080p30"), ("plain", "audio")]
        assert offered("log_level", "w") == [("plain", "warning")]
        assert offered("tls_cert", "x") == [("file", "x")]
        assert offered("data_dir", "x") == [("dir", "x")]
        assert offered("host", "1") == []


def test_values_as_they_are_written_in_the_environment():
    assert setting_text(("a", "b")) == "a,b"
    assert setting_text(28_800.0) == "28800"
    assert setting_text(0.5) == "0.5"
    assert setting_text(None) == ""
