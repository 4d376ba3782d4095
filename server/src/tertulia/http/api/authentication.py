"""Finds out who sent a request, on each of the two base paths. Which credentials count, the permission table says."""

from __future__ import annotations

from typing import Final, Literal, cast

from starlette.requests import Request
from starlette.responses import Response

from tertulia.domain.access import INTERNAL, Action, Actor, Principal, Role
from tertulia.errors import InvalidInput, unauthenticated
from tertulia.http.kit.openapi import SecuritySchemes
from tertulia.http.kit.origins import CookieOrigins
from tertulia.http.kit.validation import query_values
from tertulia.services.accounts import AccountService
from tertulia.services.api_keys import ApiKeyService
from tertulia.services.participants import ParticipantService
from tertulia.services.tokens import ParticipantToken, ParticipantTokens

ACCESS_COOKIE: Final = "OvMeetAccessToken"
REFRESH_COOKIE: Final = "OvMeetRefreshToken"
PARTICIPANT_COOKIE: Final = "OvMeetParticipantToken"
_PARTICIPANT_SCHEMES: Final = ("participantTokenCookie", "bearer")
SECURITY_SCHEMES: Final = SecuritySchemes(
    {
        "apiKeyInHeader": {"type": "apiKey", "in": "header", "name": "X-API-KEY"},
        "accessTokenCookie": {"type": "apiKey", "in": "cookie", "name": ACCESS_COOKIE},
        "refreshTokenCookie": {"type": "apiKey", "in": "cookie", "name": REFRESH_COOKIE},
        "participantTokenCookie": {"type": "apiKey", "in": "cookie", "name": PARTICIPANT_COOKIE},
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "streamTicket": {"type": "apiKey", "in": "query", "name": "ticket"},
    },
    {
        Actor.API_KEY: ("apiKeyInHeader",),
        Actor.ADMIN: ("accessTokenCookie", "bearer"),
        Actor.MODERATOR: _PARTICIPANT_SCHEMES,
        Actor.PUBLISHER: _PARTICIPANT_SCHEMES,
        Actor.VIEWER: _PARTICIPANT_SCHEMES,
        Actor.HOLDER: _PARTICIPANT_SCHEMES,
        Actor.TICKET: ("streamTicket",),
        Actor.ANYONE: (),
    },
)
_ACTOR: Final = {Role.MODERATOR: Actor.MODERATOR, Role.PUBLISHER: Actor.PUBLISHER, Role.VIEWER: Actor.VIEWER}


def bearer(request: Request) -> str | None:
    """Read a bearer token (RFC 6750)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def cookie(request: Request, name: str) -> str | None:
    """Read a cookie. Of two with one name the first counts, whose path is the longer one; Starlette takes the last."""
    for line in request.headers.getlist("cookie"):
        for part in line.split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value.strip('"')
    return None


def set_cookie(response: Response, name: str, value: str, *, path: str, max_age_s: int, secure: bool) -> None:
    """Set a cookie that scripts cannot read and other sites do not send."""
    same_site = cast("Literal['strict']", "Strict")  # Starlette's types know small letters only
    response.set_cookie(name, value, max_age_s, path=path, secure=secure, httponly=True, samesite=same_site)


class Credentials:
    """Reads the credentials of a request. A bearer token beats a cookie, also when the token is wrong."""

    def __init__(
        self,
        *,
        accounts: AccountService,
        api_keys: ApiKeyService,
        participants: ParticipantService,
        tokens: ParticipantTokens,
        origins: CookieOrigins,
    ) -> None:
        self._accounts = accounts
        self._api_keys = api_keys
        self._participants = participants
        self._tokens = tokens
        self._origins = origins

    def cookie(self, request: Request, name: str) -> str | None:
        """Read a cookie as a credential. Raises Forbidden when a page of another site would change something by it."""
        value = cookie(request, name)
        if value is not None and bearer(request) is None and "x-api-key" not in request.headers:
            self._origins.check(request)
        return value

    async def api_key(self, request: Request) -> Principal | None:
        """Accept an API key; None when none came. Raises Unauthenticated for a wrong one."""
        offered = request.headers.get("x-api-key")
        if offered is None:
            return None
        key = await self._api_keys.identify(offered)
        if key is None:
            raise unauthenticated()
        return Principal(Actor.API_KEY, api_key=key)

    async def admin(self, token: str | None) -> Principal | None:
        """Accept the access token of a living session."""
        session = await self._accounts.session_of(token) if token else None
        return None if session is None else Principal(Actor.ADMIN, session=session.id)

    async def participant(self, token: str | None) -> Principal | None:
        """Accept a living participant token; its holder's role is the one that is kept, not the one inside."""
        read = self._tokens.read(token) if token else None
        role = await self._participants.role_of_token(read) if read is not None else None
        if read is None or role is None:
            return None
        return Principal(_ACTOR[role], room=read.room, identity=read.identity, token_issued_at_ms=read.issued_at_ms)

    async def ticket(self, request: Request) -> Principal | None:
        """Accept a ticket in the query; None when none came. Raises Unauthenticated for a wrong or revoked one."""
        try:
            offered = query_values(request).get("ticket")
        except InvalidInput:  # validation comes after authentication, and tells it
            return None
        if not offered:
            return None
        ticket = self._accounts.read_ticket(offered)
        if ticket is None or not await self._may_stream(ticket.participant):
            raise unauthenticated()
        return Principal(Actor.TICKET, recording=ticket.recording)

    async def _may_stream(self, participant: ParticipantToken | None) -> bool:
        if participant is None:
            return True
        role = await self._participants.role_of_token(participant)
        return role is not None and _ACTOR[role] in INTERNAL[Action.TICKET]

    async def holder(self, token: str | None) -> Principal | None:
        """Accept a participant token that may have run out, but was not revoked and did not lose its room before."""
        read = self._tokens.read(token) if token else None
        if read is None or not await self._participants.may_refresh(read):
            return None
        return Principal(Actor.HOLDER, room=read.room, identity=read.identity)

    async def logged_in(self, request: Request) -> bool:
        """Tell whether an administrator's session comes along, whatever else does."""
        by_bearer = await self.admin(bearer(request))
        return by_bearer is not None or await self.admin(self.cookie(request, ACCESS_COOKIE)) is not None

    def participant_token(self, request: Request) -> ParticipantToken | None:
        """Read the participant token that comes along, living or not."""
        token = bearer(request)
        by_bearer = self._tokens.read(token) if token else None
        if by_bearer is not None:
            return by_bearer
        token = self.cookie(request, PARTICIPANT_COOKIE)
        return self._tokens.read(token) if token else None


class PublicAuthenticator:
    """The public API: the API key, or an administrator's session."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def identify(self, request: Request, accepted: frozenset[Actor]) -> Principal:
        """Return who sent it. Raises Unauthenticated."""
        principal = await self._credentials.api_key(request)
        if principal is None and Actor.ADMIN in accepted:
            principal = await self._credentials.admin(
                bearer(request) or self._credentials.cookie(request, ACCESS_COOKIE)
            )
        if principal is None:
            raise unauthenticated()
        return principal


class InternalAuthenticator:
    """The internal API: an administrator's session or a participant's token, by bearer or cookie; never the API key."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def identify(self, request: Request, accepted: frozenset[Actor]) -> Principal:
        """Return who sent it, if the operation takes that kind of credential. Raises Unauthenticated."""
        token = bearer(request)
        principal = await self._credentials.ticket(request) if Actor.TICKET in accepted else None
        if principal is not None:
            return principal
        if Actor.HOLDER in accepted:
            principal = await self._credentials.holder(token or self._credentials.cookie(request, PARTICIPANT_COOKIE))
        if Actor.ADMIN in accepted:
            principal = await self._credentials.admin(token or self._credentials.cookie(request, ACCESS_COOKIE))
        if principal is None and accepted & {Actor.MODERATOR, Actor.PUBLISHER, Actor.VIEWER}:
            principal = await self._credentials.participant(
                token or self._credentials.cookie(request, PARTICIPANT_COOKIE)
            )
        if principal is None:
            raise unauthenticated()
        return principal
