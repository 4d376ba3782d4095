"""Where an external LiveKit server reports to us: `POST /livekit/webhook`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from livekit import api
from livekit.protocol.webhook import WebhookEvent

from tertulia.errors import TertuliaError, unauthenticated
from tertulia.http.kit.asgi import Receive, Scope, Send, header
from tertulia.http.kit.errors import error_reply, method_not_allowed
from tertulia.http.kit.replies import no_content
from tertulia.http.kit.validation import read_body


class LiveKitWebhook:
    """Checks the signature of a report (a token with the hash of the body) and hands the report on."""

    def __init__(self, *, api_key: str, api_secret: str, sink: Callable[[WebhookEvent], Awaitable[None]]) -> None:
        self._receiver = api.WebhookReceiver(api.TokenVerifier(api_key, api_secret))
        self._sink = sink

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one report."""
        try:
            if scope["method"] != "POST":
                raise method_not_allowed("POST")
            await self._sink(self._verified(scope, await read_body(scope, receive)))
            reply = no_content()
        except TertuliaError as error:
            reply = error_reply(error, scope["state"]["request_id"])
        await reply.send(send, receive)

    def _verified(self, scope: Scope, body: bytes) -> WebhookEvent:
        try:
            return self._receiver.receive(body.decode(), header(scope, b"authorization") or "")
        except Exception as error:  # the library lets whatever its parts raise through
            raise unauthenticated() from error
