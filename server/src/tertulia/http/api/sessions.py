"""The console's session: log in, refresh, log out, who am I."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, Field

from tertulia.domain.ids import SessionId
from tertulia.errors import unauthenticated
from tertulia.http.api.authentication import bearer
from tertulia.http.kit.asgi import Header, cookie, set_cookie
from tertulia.http.kit.cookies import ACCESS_COOKIE, REFRESH_COOKIE
from tertulia.http.kit.operations import Call
from tertulia.http.kit.replies import Reply, json_reply, no_content
from tertulia.http.kit.validation import Body
from tertulia.services.accounts import AccountService, SessionTokens
from tertulia.services.tokens import LIFETIME_MS, TokenKind


class Login(Body):
    """Who wants to log in."""

    username: str = Field(max_length=256)
    password: str = Field(max_length=1024)


class LoggedIn(BaseModel):
    """The two tokens of a session; both are also cookies."""

    accessToken: str | None = None
    refreshToken: str | None = None


class Profile(BaseModel):
    """Who is logged in."""

    username: str | None = None
    role: str | None = None


class SessionHandlers:
    """Translates between HTTP and the sessions of the accounts' service."""

    def __init__(self, *, accounts: AccountService, auth_path: str, secure_cookies: bool) -> None:
        self._accounts = accounts
        self._auth_path = auth_path
        self._secure_cookies = secure_cookies

    async def log_in(self, call: Call) -> Reply:
        """POST /auth/login."""
        login = call.body_as(Login)
        return self._answer(await self._accounts.log_in(login.username, login.password, address=call.address))

    async def refresh(self, call: Call) -> Reply:
        """POST /auth/refresh: the refresh token by cookie or bearer."""
        token = bearer(call.scope) or cookie(call.scope, REFRESH_COOKIE)
        if token is None:
            raise unauthenticated()
        return self._answer(await self._accounts.refresh(token))

    async def log_out(self, call: Call) -> Reply:
        """POST /auth/logout: revokes whatever session the credentials name, and clears both cookies."""
        for token in (bearer(call.scope), cookie(call.scope, ACCESS_COOKIE), cookie(call.scope, REFRESH_COOKIE)):
            session = await self._session(token) if token is not None else None
            if session is not None:
                await self._accounts.log_out(session)
        return no_content(*self._cookies("", "", access_s=0, refresh_s=0))

    async def _session(self, token: str) -> SessionId | None:
        living = await self._accounts.session_of(token)
        return living.id if living is not None else await self._accounts.session_of_refresh(token)

    async def profile(self, _call: Call) -> Reply:
        """GET /auth/profile."""
        return json_reply({"username": self._accounts.admin_user, "role": "admin"})

    def _answer(self, tokens: SessionTokens) -> Reply:
        cookies = self._cookies(
            tokens.access,
            tokens.refresh,
            access_s=LIFETIME_MS[TokenKind.ACCESS] // 1000,
            refresh_s=LIFETIME_MS[TokenKind.REFRESH] // 1000,
        )
        return json_reply({"accessToken": tokens.access, "refreshToken": tokens.refresh}, headers=cookies)

    def _cookies(self, access: str, refresh: str, *, access_s: int, refresh_s: int) -> list[Header]:
        secure = self._secure_cookies
        return [
            set_cookie(ACCESS_COOKIE, access, path="/", max_age_s=access_s, secure=secure),
            set_cookie(REFRESH_COOKIE, refresh, path=self._auth_path, max_age_s=refresh_s, secure=secure),
        ]


AUTH_PATH: Final = "/meet/internal-api/v1/auth"
