"""`tertulia settings`: every setting, its value here, and where that comes from. A secret is never shown."""

from __future__ import annotations

from tertulia.cli.output import Listing, print_listing
from tertulia.setting_infos import setting_infos, setting_sources, setting_values
from tertulia.settings import Settings


def list_settings(settings: Settings, *, as_json: bool) -> None:
    """Print the settings as this command was given them, as a server started in the same way would be."""
    values, sources = setting_values(settings), setting_sources(settings)
    found = [(info, values[info.name], sources[info.name]) for info in setting_infos()]
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
