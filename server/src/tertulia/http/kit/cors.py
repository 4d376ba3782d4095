"""Which other sites' pages may call an API (the Fetch standard's CORS protocol). Cookies never count across sites."""

from __future__ import annotations

from collections.abc import Callable, Collection
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class CrossOrigin(CORSMiddleware):
    """Starlette's middleware, which lets what it does not allow through to the API: that answers with JSON."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "DELETE"),
            allow_headers=("authorization", "content-type", "idempotency-key", "range", "x-api-key", "x-request-id"),
            expose_headers=(
                "accept-ranges", "content-range", "etag", "link", "retry-after", "x-next-page-token", "x-request-id",
            ),
            max_age=7200,
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, of this site or of another."""
        origin = Headers(scope=scope).get("origin")
        handler = super().__call__ if origin is not None and self.is_allowed_origin(origin) else self.app
        await handler(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight request with 204 and what is allowed; the browser compares."""
        headers = dict(self.preflight_headers)
        if self.preflight_explicit_allow_origin:
            headers["access-control-allow-origin"] = request_headers["origin"]
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)


class CurrentCrossOrigin:
    """An API which those origins' pages may call that are named now, as administrators change them."""

    def __init__(self, app: ASGIApp, origins: Callable[[], tuple[str, ...]]) -> None:
        self._app = app
        self._origins = origins
        self._built: ASGIApp = app
        self._built_for: tuple[str, ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request by the rule that counts now."""
        origins = self._origins()
        if origins != self._built_for:
            self._built = CrossOrigin(self._app, origins=origins) if origins else self._app
            self._built_for = origins
        await self._built(scope, receive, send)
