"""`tertulia keys` and `tertulia admin`: who may use the installation."""

from __future__ import annotations

import asyncio
import sys

from tertulia.app.installation import accounts_service, api_key_service, installation, opened_store
from tertulia.errors import ConfigurationError
from tertulia.settings import PREFIX, Settings


def rotate_api_key(settings: Settings) -> None:
    """Make a new initial API key. Raise ConfigurationError where a setting holds the key."""

    async def rotate() -> str:
        inst = installation(settings)
        async with opened_store(inst) as opened:
            return await api_key_service(inst, opened).replace_initial()

    if settings.api_key:
        raise ConfigurationError(f"{PREFIX}API_KEY is set: it wins over a stored key. Change it there, or unset it")
    sys.stdout.write(f"API key: {asyncio.run(rotate())}\n")


def set_password(settings: Settings, *, from_stdin: bool) -> None:
    """Set the administrator's password. Raise ConfigurationError where a setting holds it."""

    async def store(password: str | None) -> str:
        inst = installation(settings)
        async with opened_store(inst) as opened:
            return await accounts_service(inst, opened).set_password(password)

    if settings.admin_password:
        raise ConfigurationError(f"{PREFIX}ADMIN_PASSWORD is set: it wins over a stored password. Change it there")
    chosen = sys.stdin.readline().rstrip("\n") if from_stdin else None
    if from_stdin and not chosen:
        raise ConfigurationError("Send the new password as one line to standard input")
    made = asyncio.run(store(chosen))
    sys.stdout.write("The password is set.\n" if chosen else f"user: {settings.admin_user}  password: {made}\n")
