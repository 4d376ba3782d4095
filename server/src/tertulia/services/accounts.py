"""The administrator's account: the password, of which only a hash is stored (argon2id), and login sessions."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from tertulia.domain.access import Principal, Role
from tertulia.domain.addresses import address_key
from tertulia.domain.ids import Identity, Millis, RecordingId, RoomName, SessionId
from tertulia.errors import Conflict, Forbidden, TooManyRequests, Unauthenticated, unauthenticated
from tertulia.services.passwords import PasswordHashes
from tertulia.services.ports import Clock, LoginSession, Store, Transaction
from tertulia.services.rate_limits import RateLimit
from tertulia.services.tokens import LIFETIME_MS, ConsoleTokens, ParticipantToken, TokenKind, derive_key

_ADMIN_PASSWORD: Final = "admin_password"  # noqa: S105 - the name of a row
_PASSWORD_OF_SETTINGS: Final = "admin_password_of_settings"  # noqa: S105 - the name of a row
_KNOWN_ADDRESSES: Final = "login_addresses"
_MAX_KNOWN_ADDRESSES: Final = 20
_ADDRESS_DIGEST_LENGTH: Final = 32
_ID_BYTES: Final = 18
_LOGIN_FAILURES: Final = 10
_LOGIN_FAILURES_WINDOW_MS: Final = 5 * 60 * 1000


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """The two tokens of a login session."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says: which recording it opens, and for a participant, with which token it was asked for."""

    recording: RecordingId
    participant: ParticipantToken | None


class AccountService:
    """The administrator's password, login sessions and stream tickets.

    `admin_password` comes from the settings; without it, what is stored counts.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        secret_key: str,
        admin_user: str,
        admin_password: str | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tokens = ConsoleTokens(secret_key)
        self._address_pepper = derive_key(secret_key, "login-address")
        self._admin_user = admin_user
        self._configured_password = admin_password
        self._password_name = _ADMIN_PASSWORD if admin_password is None else _PASSWORD_OF_SETTINGS
        self._passwords = PasswordHashes()
        self._login_failures = RateLimit(count=_LOGIN_FAILURES, window_ms=_LOGIN_FAILURES_WINDOW_MS)

    # ── the password ──

    async def prepare(self) -> str | None:
        """Generate a password where neither the settings nor the store have one; None when nothing was generated."""
        if self._configured_password is not None:
            await self._use_configured_password(self._configured_password)
            return None
        is_known = await self._store.read(lambda tx: tx.accounts.credential(_ADMIN_PASSWORD)) is not None
        return None if is_known else await self._first_password()

    async def _first_password(self) -> str | None:
        password = _new_password()
        hashed = await self._passwords.make(password)
        is_first = await self._store.write(lambda tx: tx.accounts.add_credential(_ADMIN_PASSWORD, hashed))
        return password if is_first else None

    async def _use_configured_password(self, password: str) -> None:
        """Use the password of the settings; every session ends when it differs from that of the last start."""
        hashed = await self._store.read(lambda tx: tx.accounts.credential(_PASSWORD_OF_SETTINGS))
        if hashed is None or not await self._passwords.matches(hashed, password):
            await self._store_password(_PASSWORD_OF_SETTINGS, password)
        elif self._passwords.is_outdated(hashed):
            renewed = await self._passwords.make(password)
            await self._store.write(lambda tx: tx.accounts.put_credential(_PASSWORD_OF_SETTINGS, renewed))

    async def _store_password(self, name: str, password: str) -> None:
        """Store a password's hash and end every session."""
        hashed = await self._passwords.make(password)

        def work(tx: Transaction) -> None:
            tx.accounts.put_credential(name, hashed)  # its lock makes logins wait, and sees those that were faster
            tx.accounts.delete_sessions()

        await self._store.write(work)

    async def set_password(self, password: str | None = None) -> str:
        """Set the administrator's password (a random one when none is given) and end every session."""
        chosen = password or _new_password()
        await self._store_password(_ADMIN_PASSWORD, chosen)
        return chosen

    async def change_password(self, session_id: SessionId, *, current: str, new: str) -> None:
        """Change the password and end every other session.

        Raises Conflict where a setting holds it, Forbidden for a wrong current one, TooManyRequests, Unauthenticated.
        """
        if self._configured_password is not None:
            raise Conflict("password_configured", "TERTULIA_ADMIN_PASSWORD holds the password: change it there")
        hashed = await self._store.read(lambda tx: tx.accounts.credential(_ADMIN_PASSWORD))
        with self._attempt([f"session:{session_id}"], self._clock.now_ms()):
            if not await self._passwords.matches(hashed or "", current, is_reserved=True):
                raise _wrong_password()
        renewed = await self._passwords.make(new)

        def work(tx: Transaction) -> None:
            if tx.accounts.lock_credential(_ADMIN_PASSWORD) != hashed:  # changed while it was compared
                raise _wrong_password()
            if tx.accounts.lock_session(session_id) is None:
                raise unauthenticated()
            tx.accounts.put_credential(_ADMIN_PASSWORD, renewed)
            tx.accounts.delete_sessions(but=session_id)

        await self._store.write(work)

    # ── sessions ──

    @property
    def admin_user(self) -> str:
        """The administrator's user name."""
        return self._admin_user

    async def log_in(self, username: str, password: str, *, address: str) -> SessionTokens:
        """Start a session. Raises Unauthenticated, TooManyRequests; neither tells whether the account exists."""
        now_ms = self._clock.now_ms()
        right_name = hmac.compare_digest(username.encode(), self._admin_user.encode())
        known = self._address_digest(address)
        hashed, addresses = await self._store.read(
            lambda tx: (tx.accounts.credential(self._password_name), _known_addresses(tx))
        )
        is_known = known in addresses
        account = hashlib.sha256(username.encode()).hexdigest()
        keys = [f"address:{address_key(address)}", f"account:{account}"]
        if is_known and right_name:  # not locked out by other people's failures
            keys = [f"known:{known}"]
        with self._attempt(keys, now_ms):
            is_reserved = is_known and right_name
            right_password = await self._passwords.matches(hashed or "", password, is_reserved=is_reserved)
            if not (right_name and right_password):
                raise _wrong_credentials()
        renewed = await self._passwords.make(password) if self._passwords.is_outdated(hashed or "") else None
        session = LoginSession(
            id=SessionId(secrets.token_urlsafe(_ID_BYTES)),
            username=username,
            refresh_id=secrets.token_urlsafe(_ID_BYTES),
            expires_at_ms=Millis(now_ms + LIFETIME_MS[TokenKind.REFRESH]),
        )

        def work(tx: Transaction) -> None:
            if tx.accounts.lock_credential(self._password_name) != hashed:  # changed while it was compared
                raise _wrong_credentials()
            if renewed is not None:
                tx.accounts.put_credential(self._password_name, renewed)
            tx.accounts.add_session(session)
            if not is_known:
                addresses = [*_known_addresses(tx), known][-_MAX_KNOWN_ADDRESSES:]
                tx.accounts.put_credential(_KNOWN_ADDRESSES, json.dumps(addresses))

        await self._store.write(work)
        return self._session_tokens(session, now_ms)

    @contextmanager
    def _attempt(self, keys: Sequence[str], now_ms: Millis) -> Iterator[None]:
        """Count an attempt as a failure from its beginning, so that parallel guesses count, unless it is none."""
        for key in keys:
            self._login_failures.check(key, now_ms=now_ms)
        for key in keys:
            self._login_failures.count(key, now_ms=now_ms)
        try:
            yield
        except TooManyRequests:  # nothing was compared
            self._forgive(keys)
            raise
        self._forgive(keys)

    def _forgive(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._login_failures.forgive(key)

    def _address_digest(self, address: str) -> str:
        """Return what is kept of an address; with the user's name, since it counts for that account only."""
        text = f"{self._admin_user}\0{address_key(address)}"
        return hmac.digest(self._address_pepper, text.encode(), hashlib.sha256).hex()[:_ADDRESS_DIGEST_LENGTH]

    async def refresh(self, refresh_token: str) -> SessionTokens:
        """Prolong a session. The old refresh token is revoked; its reuse ends the session. Raises Unauthenticated."""
        now_ms = self._clock.now_ms()
        claims = self._tokens.read(TokenKind.REFRESH, refresh_token, now_ms=now_ms)
        if claims is None:
            raise unauthenticated()
        session_id, refresh_id = SessionId(claims["sid"]), claims["jti"]
        new_refresh_id = secrets.token_urlsafe(_ID_BYTES)

        def work(tx: Transaction) -> LoginSession | None:
            session = tx.accounts.lock_session(session_id)
            if session is None:
                return None
            if not hmac.compare_digest(session.refresh_id, refresh_id):
                tx.accounts.delete_session(session_id)
                return None
            expires_at_ms = Millis(now_ms + LIFETIME_MS[TokenKind.REFRESH])
            prolonged = replace(session, refresh_id=new_refresh_id, expires_at_ms=expires_at_ms)
            tx.accounts.prolong_session(prolonged)
            return prolonged

        session = await self._store.write(work)
        if session is None:
            raise unauthenticated()
        return self._session_tokens(session, now_ms)

    async def session_of(self, access_token: str) -> LoginSession | None:
        """Return the session of an access token; None when either has ended."""
        claims = self._tokens.read(TokenKind.ACCESS, access_token, now_ms=self._clock.now_ms())
        if claims is None:
            return None
        session = await self._store.read(lambda tx: tx.accounts.session(SessionId(claims["sid"])))
        return session if session is not None and session.username == self._admin_user else None

    async def session_of_refresh(self, refresh_token: str) -> SessionId | None:
        """Return the session of a refresh token, so that it can be ended."""
        claims = self._tokens.read(TokenKind.REFRESH, refresh_token, now_ms=self._clock.now_ms())
        return None if claims is None else SessionId(claims["sid"])

    async def log_out(self, session_id: SessionId) -> None:
        """Revoke a session; one that has ended is not an error."""
        await self._store.write(lambda tx: tx.accounts.delete_session(session_id))

    def _session_tokens(self, session: LoginSession, now_ms: Millis) -> SessionTokens:
        return SessionTokens(
            access=self._tokens.sign(TokenKind.ACCESS, session.username, now_ms=now_ms, sid=session.id),
            refresh=self._tokens.sign(
                TokenKind.REFRESH, session.username, now_ms=now_ms, sid=session.id, jti=session.refresh_id
            ),
        )

    # ── tickets ──

    def ticket(self, recording_id: RecordingId, holder: Principal) -> str:
        """Return a ticket for one recording's stream; no two are alike, since players reload what has a new URL.

        A participant's ticket names its participant, so that it is revoked with the participant's token.
        """
        claims = {"jti": secrets.token_urlsafe(9)}
        if holder.room is not None and holder.identity is not None and holder.token_issued_at_ms is not None:
            claims |= {
                "room": holder.room,
                "identity": holder.identity,
                "role": holder.actor.value,
                "issuedAt": str(holder.token_issued_at_ms),
            }
        return self._tokens.sign(TokenKind.TICKET, recording_id, now_ms=self._clock.now_ms(), **claims)

    def read_ticket(self, ticket: str) -> Ticket | None:
        """Return what a ticket says; None when it is not valid."""
        claims = self._tokens.read(TokenKind.TICKET, ticket, now_ms=self._clock.now_ms())
        if claims is None:
            return None
        participant = None
        if "room" in claims:
            participant = ParticipantToken(
                room=RoomName(claims["room"]),
                identity=Identity(claims["identity"]),
                role=Role(claims["role"]),
                issued_at_ms=Millis(int(claims["issuedAt"])),
                expires_at_ms=Millis(int(claims["exp"]) * 1000),
            )
        return Ticket(RecordingId(claims["sub"]), participant)


def _known_addresses(tx: Transaction) -> list[str]:
    """Return digests of the addresses from which the administrator has logged in, the newest last."""
    return [str(digest) for digest in json.loads(tx.accounts.credential(_KNOWN_ADDRESSES) or "[]")]


def _new_password() -> str:
    return secrets.token_urlsafe(16)


def _wrong_credentials() -> Unauthenticated:
    return Unauthenticated("wrong_credentials", "The username or the password is wrong")


def _wrong_password() -> Forbidden:
    return Forbidden("wrong_password", "The current password is wrong")
