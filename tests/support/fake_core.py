"""A media core that moves no media: it records the commands, and tests report its events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tertulia_sfu.rooms.ports import MediaCommands


@dataclass
class FakeCore:
    """Records each command as `(name, peer or peers, arguments)`; only commands that the port has can be called."""

    commands: list[tuple[str, Any, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(MediaCommands, name):
            raise AttributeError(name)

        def record(peer: Any, **arguments: Any) -> None:
            self.commands.append((name, peer, arguments))

        return record

    def named(self, name: str) -> list[tuple[Any, dict[str, Any]]]:
        """Return the commands of one name."""
        return [(peer, arguments) for command, peer, arguments in self.commands if command == name]


def event(kind: str, peer: str = "", **fields: Any) -> Any:
    """Return an event of the core, by the name of its class."""
    return type(kind, (), {"peer": peer, **fields})()
