"""The two clients."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from tertulia_client.async_calls import AsyncCaller
from tertulia_client.async_methods import AsyncLobby, AsyncParticipants, AsyncRecordings, AsyncRooms
from tertulia_client.core import Settings, settings_from
from tertulia_client.sync_calls import SyncCaller
from tertulia_client.sync_methods import Lobby, Participants, Recordings, Rooms


class Client:
    """A client of a Tertulia server, for threads. Close it, or use it in a `with` block.

    `url` and `api_key` come from TERTULIA_URL and TERTULIA_API_KEY if they are not given. `timeout_s` is for one
    attempt, of which there are `retries` more. `transport` replaces httpx's own, for proxies and certificates.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        retries: int = 3,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        settings = settings_from(url, api_key, timeout_s=timeout_s, retries=retries)
        self._caller = caller = SyncCaller(settings, transport)
        self.rooms = Rooms(caller)
        self.participants = Participants(caller)
        self.lobby = Lobby(caller)
        self.recordings = Recordings(caller)

    def close(self) -> None:
        """Close its connections."""
        self._caller.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return _shown(self, self._caller.settings)


class AsyncClient:
    """The same for asyncio: methods are awaited, lists are iterated by `async for`."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        retries: int = 3,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        settings = settings_from(url, api_key, timeout_s=timeout_s, retries=retries)
        self._caller = caller = AsyncCaller(settings, transport)
        self.rooms = AsyncRooms(caller)
        self.participants = AsyncParticipants(caller)
        self.lobby = AsyncLobby(caller)
        self.recordings = AsyncRecordings(caller)

    async def close(self) -> None:
        """Close its connections."""
        await self._caller.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return _shown(self, self._caller.settings)


def _shown(client: object, settings: Settings) -> str:
    return f"{type(client).__name__}(url={settings.url!r})"
