"""`python -m tools.clients`: write the generated parts of the clients again."""

import sys

from tools.checks.repository import shown
from tools.clients import generated

if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text)
        sys.stdout.write(f"{shown(path)}\n")
