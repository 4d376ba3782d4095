"""The administrator's session: log in, refresh, log out, who am I."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, Field
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.domain.ids import SessionId
from tertulia.errors import unauthenticated
from tertulia.http.api.authentication import ACCESS_COOKIE, REFRESH_COOKIE, Credentials, bearer, set_cookie
from tertulia.http.kit.operations import Operation, OperationRequest, nothing, one
from tertulia.http.kit.responses import JsonResponse, no_content
from tertulia.http.kit.validation import Body
from tertulia.services.accounts import AccountService, SessionTokens
from tertulia.services.tokens import LIFETIME_MS, TokenKind

AUTH_PATH: Final = "/meet/internal-api/v1/auth"
SHORTEST_PASSWORD: Final = 12
_TAG: Final = "Internal API - Session"


class Login(Body):
    """Who wants to log in."""

    username: str = Field(max_length=256)
    password: str = Field(max_length=1024)


class PasswordChange(Body):
    """The password, and the one that is to take its place."""

    currentPassword: str = Field(max_length=1024)
    newPassword: str = Field(min_length=SHORTEST_PASSWORD, max_length=1024)


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

    def __init__(self, *, accounts: AccountService, credentials: Credentials, secure_cookies: bool) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._secure_cookies = secure_cookies

    async def log_in(self, request: OperationRequest) -> Response:
        """POST /auth/login."""
        login = request.body_as(Login)
        tokens = await self._accounts.log_in(login.username, login.password, address=request.client_address)
        return self._logged_in(tokens)

    async def refresh(self, request: OperationRequest) -> Response:
        """POST /auth/refresh: the refresh token by cookie or bearer."""
        token = bearer(request) or self._credentials.cookie(request, REFRESH_COOKIE)
        if token is None:
            raise unauthenticated()
        return self._logged_in(await self._accounts.refresh(token))

    async def log_out(self, request: OperationRequest) -> Response:
        """POST /auth/logout: revokes every session that the credentials name, and clears both cookies."""
        by_cookie = [self._credentials.cookie(request, name) for name in (ACCESS_COOKIE, REFRESH_COOKIE)]
        for token in (bearer(request), *by_cookie):
            session = await self._session(token) if token is not None else None
            if session is not None:
                await self._accounts.log_out(session)
        response = no_content()
        self._set_cookies(response, "", "", access_s=0, refresh_s=0)
        return response

    async def _session(self, token: str) -> SessionId | None:
        living = await self._accounts.session_of(token)
        return living.id if living is not None else await self._accounts.session_of_refresh(token)

    async def profile(self, _request: OperationRequest) -> Response:
        """GET /auth/profile."""
        return JsonResponse({"username": self._accounts.admin_user, "role": "admin"})

    async def change_password(self, request: OperationRequest) -> Response:
        """PUT /auth/password."""
        change, session = request.body_as(PasswordChange), request.principal.session
        if session is None:
            raise unauthenticated()
        await self._accounts.change_password(session, current=change.currentPassword, new=change.newPassword)
        return no_content()

    def _logged_in(self, tokens: SessionTokens) -> Response:
        response = JsonResponse({"accessToken": tokens.access, "refreshToken": tokens.refresh})
        self._set_cookies(
            response,
            tokens.access,
            tokens.refresh,
            access_s=LIFETIME_MS[TokenKind.ACCESS] // 1000,
            refresh_s=LIFETIME_MS[TokenKind.REFRESH] // 1000,
        )
        return response

    def _set_cookies(self, response: Response, access: str, refresh: str, *, access_s: int, refresh_s: int) -> None:
        secure = self._secure_cookies
        set_cookie(response, ACCESS_COOKIE, access, path="/", max_age_s=access_s, secure=secure)
        set_cookie(response, REFRESH_COOKIE, refresh, path=AUTH_PATH, max_age_s=refresh_s, secure=secure)


def session_operations(sessions: SessionHandlers) -> list[Operation]:
    """List what can be done with the administrator's session, on the internal base path."""
    cookies = ("Set-Cookie",)
    return [
        Operation(
            id="logIn", method="POST", path="/auth/login", action=Action.LOG_IN, handle=sessions.log_in,
            summary="Log in to the console", tag=_TAG, body=Login,
            responses=one("The session's tokens, and its cookies", LoggedIn, 401, 413, 415, 422, 429, headers=cookies),
        ),
        Operation(
            id="refreshSession", method="POST", path="/auth/refresh", action=Action.REFRESH_SESSION,
            handle=sessions.refresh, summary="Get new tokens for the session; the old refresh token dies", tag=_TAG,
            responses=one("The session's new tokens, and its cookies", LoggedIn, 401, 403, headers=cookies),
        ),
        Operation(
            id="logOut", method="POST", path="/auth/logout", action=Action.LOG_OUT, handle=sessions.log_out,
            summary="Revoke the session and clear its cookies", tag=_TAG, responses=nothing("No session any more", 403),
        ),
        Operation(
            id="getProfile", method="GET", path="/auth/profile", action=Action.PROFILE, handle=sessions.profile,
            summary="See who is logged in", tag=_TAG, responses=one("Who is logged in", Profile, 401),
        ),
        Operation(
            id="changePassword", method="PUT", path="/auth/password", action=Action.CHANGE_PASSWORD,
            handle=sessions.change_password, summary="Change the password and end all other sessions", tag=_TAG,
            body=PasswordChange,
            responses=nothing("The password was changed", 401, 403, 409, 413, 415, 422, 429),
        ),
    ]  # fmt: skip
