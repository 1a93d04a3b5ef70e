"""Who somebody is by what they send: token, page's cookie, technician's session, or the Unix socket."""

from typing import Any

import pytest
from starlette.requests import Request

from terminal.api.callers import PAGE_COOKIE, Caller, Doorkeeper, Tokens
from terminal.api.problems import Refused
from terminal.api.rooms import Visitor
from terminal.api.sessions import IDLE_S, SCREEN_COOKIE
from tests.api.conftest import TOKENS

HOST = "localhost:8780"


def asked(method: str = "GET", *, local: bool = False, **headers: str) -> Request:
    """A request as a route sees it."""
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in {"host": HOST, **headers}.items()]
    scope: dict[str, Any] = {"type": "http", "method": method, "path": "/", "headers": sent}
    return Request({**scope, "state": {"visitor": Visitor(is_local=local, since=0.0)}})


@pytest.fixture
def door() -> Doorkeeper:
    return Doorkeeper(TOKENS)


@pytest.mark.parametrize(
    ("authorization", "caller"),
    [
        ("Bearer pos-secret", Caller.POS),
        ("bearer  pos-secret ", Caller.POS),
        ("BEARER technician-secret", Caller.TECHNICIAN),
        ("Basic pos-secret", None),
        ("pos-secret", None),
        ("Bearer", None),
        ("Bearer pos-secret technician-secret", None),
        ("Bearer pos-sécret", None),
        ("", None),
    ],
)
def test_a_token_is_shown_as_a_bearer_s(door: Doorkeeper, authorization: str, caller: Caller | None) -> None:
    """RFC 6750 section 2.1; a wrong one is said even where none is needed."""
    request = asked(authorization=authorization)
    assert door.proven(request.scope, authorization) == caller
    if caller is None:
        with pytest.raises(Refused, match="not ours") as refused:
            door.admit(request, Caller.ANYONE)
        assert refused.value.code == "unauthorized"
    else:
        assert door.admit(request, Caller.ANYONE) is caller


def test_without_tokens_nobody_is_let_in() -> None:
    """A till whose files are empty has no secret that an empty one could match."""
    assert Doorkeeper(Tokens(pos="", technician="")).proven(asked().scope, "Bearer ") is None


def test_the_socket_s_peer_is_the_technician(door: Doorkeeper) -> None:
    """The kernel has said whose it is."""
    assert door.caller(asked(local=True)) is Caller.TECHNICIAN


def test_the_page_is_known_by_its_own_cookie(door: Doorkeeper) -> None:
    """The same value under another name is nobody's."""
    assert door.caller(asked(cookie=f"{PAGE_COOKIE}={door.page_session}")) is Caller.PAGE
    assert door.caller(asked(cookie=f"x={door.page_session}; {door.page_session}")) is Caller.ANYONE
    assert door.caller(asked(cookie=f"{SCREEN_COOKIE}={door.page_session}")) is Caller.ANYONE


@pytest.mark.parametrize(
    ("method", "origin", "caller"),
    [
        ("GET", None, Caller.SCREEN),
        ("HEAD", None, Caller.SCREEN),
        ("POST", f"http://{HOST}", Caller.SCREEN),
        ("POST", f"https://{HOST.upper()}", Caller.SCREEN),
        ("DELETE", None, Caller.ANYONE),
        ("POST", "http://localhost", Caller.ANYONE),
        ("POST", f"ftp://{HOST}", Caller.ANYONE),
        ("POST", "null", Caller.ANYONE),
    ],
)
def test_a_session_looks_from_anywhere_and_acts_from_its_own_page(
    door: Doorkeeper, method: str, origin: str | None, caller: Caller
) -> None:
    """What changes something needs the Origin that was asked; the till may be behind TLS."""
    secret, left_s = door.log_in(f" {TOKENS.technician}\n")
    assert left_s == IDLE_S == door.session_left_s(asked(cookie=f"{SCREEN_COOKIE}={secret}"))
    headers = {"cookie": f"{SCREEN_COOKIE}={secret}"} | ({"origin": origin} if origin else {})
    assert door.caller(asked(method, **headers)) is caller


@pytest.mark.parametrize("needed", Caller)
def test_each_may_do_what_those_before_it_may(door: Doorkeeper, needed: Caller) -> None:
    """And whoever may not is told which token it takes."""
    for caller, sent in [
        (Caller.ANYONE, {}),
        (Caller.PAGE, {"cookie": f"{PAGE_COOKIE}={door.page_session}"}),
        (Caller.POS, {"authorization": f"Bearer {TOKENS.pos}"}),
        (Caller.TECHNICIAN, {"authorization": f"Bearer {TOKENS.technician}"}),
    ]:
        request = asked(**sent)
        if caller >= needed:
            assert door.admit(request, needed) is caller
            continue
        with pytest.raises(Refused) as refused:
            door.admit(request, needed)
        right = "technician.token" if needed is Caller.TECHNICIAN else "pos.token"
        assert (refused.value.code, right in refused.value.detail.en) == ("unauthorized", True)


def test_only_programs_see_whole_card_numbers() -> None:
    """Never a page, whoever sits in front of it."""
    assert {caller for caller in Caller if caller.sees_numbers} == {Caller.POS, Caller.TECHNICIAN}
