"""The generated parts of the clients: models, operations and methods out of the public API's document."""

from pathlib import Path

from tools.clients import python_client, typescript_client
from tools.clients.document import public_document, read


def generated() -> dict[Path, str]:
    """Return the content of each generated file, as the document is now."""
    api = read(public_document())
    return python_client.files(api) | typescript_client.files(api)
