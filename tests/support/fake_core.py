"""A media core that moves no media: it notes the commands, and tests say what happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class FakeCore:
    """Notes each command as `(name, peer or peers, arguments)`."""

    commands: list[tuple[str, Any, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def note(peer: Any, **arguments: Any) -> None:
            self.commands.append((name, peer, arguments))

        return note

    def named(self, name: str) -> list[tuple[Any, dict[str, Any]]]:
        """The commands of one name."""
        return [(peer, arguments) for command, peer, arguments in self.commands if command == name]


def event(kind: str, peer: str = "", **fields: Any) -> Any:
    """An event of the core, by the name of its class."""
    return type(kind, (), {"peer": peer, **fields})()
