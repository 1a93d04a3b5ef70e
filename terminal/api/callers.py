"""Who asks: the page, a POS or a technician, told apart by token, cookie or the Unix socket."""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.types import Scope

from terminal.api.problems import Refused
from terminal.api.rooms import Visitor
from terminal.api.sessions import IDLE_S, SCREEN_COOKIE, Sessions

PAGE_COOKIE: Final = "tilld_page"
CHALLENGE: Final = {"www-authenticate": 'Bearer realm="tilld"'}


class Caller(IntEnum):
    """Who asks; each may do what those before it may. SCREEN is a technician at the technician's page."""

    ANYONE = 0
    PAGE = 1
    POS = 2
    TECHNICIAN = 3
    SCREEN = 4

    @property
    def sees_numbers(self) -> bool:
        """Whole card numbers are for authorised programs, never for a page."""
        return self in {Caller.POS, Caller.TECHNICIAN}


@dataclass(frozen=True)
class Tokens:
    """The two secrets of the state folder; they show as nothing in logs."""

    pos: str = field(repr=False)
    technician: str = field(repr=False)

    @classmethod
    def kept_in(cls, state: Path) -> "Tokens":
        """Reads `pos.token` and `technician.token`, and makes those that are missing (0600, 256 random bits)."""
        return cls(_kept(state / "pos.token"), _kept(state / "technician.token"))


def _kept(path: Path) -> str:
    if not path.exists() or not path.read_text().strip():
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(32) + "\n")
        fresh.replace(path)
    return path.read_text().strip()


class Attempts:
    """Counts wrong tokens: a burst is forgiven, after it one a second.

    Right tokens are never held up by it: 256 random bits cannot be guessed, and whoever guesses wildly must not
    lock out the POS.
    """

    BURST: Final = 30

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._left = float(self.BURST)
        self._at = clock_s()

    def failed(self) -> bool:
        """Takes note of a wrong token; true while it is within the limit."""
        now = self._clock_s()
        self._left = min(self.BURST, self._left + now - self._at)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Doorkeeper:
    """Tells callers apart. `page_session` is this start's cookie value: it opens views, never an act."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._attempts = Attempts()
        self._sessions = Sessions()
        self.page_session = secrets.token_urlsafe(32)

    def proven(self, scope: Scope, authorization: str | None) -> Caller | None:
        """Who may act: a peer on the Unix socket, or whoever has the right token. None for everybody else."""
        if Visitor.of(scope).is_local:
            return Caller.TECHNICIAN
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        technician, pos = _same(token, self._tokens.technician), _same(token, self._tokens.pos)
        if scheme.lower() != "bearer" or not (technician or pos):
            return None
        return Caller.TECHNICIAN if technician else Caller.POS

    def caller(self, request: Request) -> Caller:
        """Raises Refused for a wrong token, even where none is needed: a mistake is said, not passed over."""
        authorization = request.headers.get("authorization")
        proven = self.proven(request.scope, authorization)
        if proven is not None:
            return proven
        if authorization is not None:
            raise self._wrong()
        if _own_script(request) and self.session_left_s(request) is not None:
            return Caller.SCREEN
        return Caller.PAGE if self._is_page(request) else Caller.ANYONE

    def _is_page(self, request: Request) -> bool:
        return any(_same(session, self.page_session) for session in _crumbs(request, PAGE_COOKIE))

    def log_in(self, token: str) -> tuple[str, float]:
        """A technician's new session: its secret and how long it lasts. Raises Refused."""
        if not _same(token.strip(), self._tokens.technician):
            raise self._wrong("technician.token")
        return self._sessions.open(), IDLE_S

    def log_out(self, request: Request) -> None:
        self._sessions.close(_crumbs(request, SCREEN_COOKIE))

    def session_left_s(self, request: Request) -> float | None:
        """How long the technician's session of this browser lasts; None when there is none."""
        return self._sessions.left_s(_crumbs(request, SCREEN_COOKIE))

    def _wrong(self, right: str = "pos.token") -> Refused:
        if not self._attempts.failed():
            return Refused("too_many_attempts", "Wait a second, then send the right token.", {"retry-after": "1"})
        return Refused("unauthorized", f"This token is not ours; the right one is in {right}.", CHALLENGE)

    def admit(self, request: Request, needed: Caller) -> Caller:
        caller = self.caller(request)
        if caller < needed:
            token = "technician.token" if needed is Caller.TECHNICIAN else "pos.token"
            raise Refused(
                "unauthorized",
                f"Send `Authorization: Bearer` with the token from {token} in the state folder. Nothing was done.",
                CHALLENGE,
            )
        return caller


def _crumbs(request: Request, name: str) -> list[str]:
    """Cookies know no port: a page of another one on this machine may have put its own beside ours."""
    crumbs = (crumb.strip() for header in request.headers.getlist("cookie") for crumb in header.split(";"))
    return [crumb.removeprefix(f"{name}=") for crumb in crumbs if crumb.startswith(f"{name}=")]


def _own_script(request: Request) -> bool:
    """A cookie alone moves nothing: what acts must come from a page of this very address, as browsers say it."""
    if request.method in {"GET", "HEAD"}:
        return True
    host = request.headers.get("host", "").lower()
    return request.headers.get("origin", "").lower() in {f"http://{host}", f"https://{host}"}


def _same(given: str, right: str) -> bool:
    return bool(right) and hmac.compare_digest(given.encode(), right.encode())
