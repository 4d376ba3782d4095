"""Where an external LiveKit server reports to us: `POST /livekit/webhook`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from livekit import api
from livekit.protocol.webhook import WebhookEvent
from starlette.responses import Response

from tertulia.errors import unauthenticated
from tertulia.http.kit.errors import method_not_allowed
from tertulia.http.kit.operations import BoundedRequest
from tertulia.http.kit.responses import no_content


class LiveKitWebhook:
    """Checks the signature of a report (a token with the hash of the body) and hands the report on."""

    def __init__(self, *, api_key: str, api_secret: str, sink: Callable[[WebhookEvent], Awaitable[None]]) -> None:
        self._receiver = api.WebhookReceiver(api.TokenVerifier(api_key, api_secret))
        self._sink = sink

    async def respond(self, request: BoundedRequest) -> Response:
        """Take one report."""
        if request.method != "POST":
            raise method_not_allowed("POST")
        await self._sink(self._verified(request.headers.get("authorization", ""), await request.body()))
        return no_content()

    def _verified(self, authorization: str, body: bytes) -> WebhookEvent:
        try:
            return self._receiver.receive(body.decode(), authorization)
        except Exception as error:  # the library lets whatever its parts raise through
            raise unauthenticated() from error
