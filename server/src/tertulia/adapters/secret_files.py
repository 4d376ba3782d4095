"""The secrets that an installation generates: a file of mode 0600 in a folder of mode 0700."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tertulia.errors import ConfigurationError

SECRETS_FILE: Final = "secrets.json"


@dataclass(frozen=True, slots=True)
class InstallationSecrets:
    """What must be the same at every start. Never printed or logged."""

    secret_key: str
    media_api_key: str
    media_api_secret: str


def prepare_data_dir(folder: Path) -> None:
    """Create the data directory, for its owner only. Raises ConfigurationError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(f"TERTULIA_DATA_DIR: '{folder}' cannot be used: {error.strerror}") from error


def check_data_dir(folder: Path) -> bool:
    """Return whether the data directory is there already, without making it.

    Raises ConfigurationError when it cannot be used or made, or its secrets cannot be read.
    """
    is_there = folder.is_dir()
    place = folder if is_there else next(each for each in folder.parents if each.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise ConfigurationError(f"TERTULIA_DATA_DIR: '{folder}' cannot be used: '{place}' cannot be written")
    if (folder / SECRETS_FILE).exists():
        load_or_create_secrets(folder)
    return is_there


def load_or_create_secrets(folder: Path) -> InstallationSecrets:
    """Read the secrets, or generate them at the first start. Raises ConfigurationError for a damaged file."""
    path = folder / SECRETS_FILE
    try:
        return InstallationSecrets(**json.loads(path.read_text()))
    except FileNotFoundError:
        return _create(path)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"'{path}' is damaged: restore it, or delete it to get new secrets") from error


def _create(path: Path) -> InstallationSecrets:
    created = InstallationSecrets(
        secret_key=secrets.token_urlsafe(32),
        media_api_key=f"API{secrets.token_hex(6)}",
        media_api_secret=secrets.token_urlsafe(32),
    )
    # a link is atomic: the file is complete, and of two servers that start at the same time the first one wins
    draft = path.with_name(f".secrets-{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(created), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return load_or_create_secrets(path.parent)
    finally:
        draft.unlink()
    return created
