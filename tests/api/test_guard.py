"""Who may ask: hosts, origins, tokens, the page's cookie, and the socket."""

import asyncio
import http.client
import socket
import stat
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from terminal.api.callers import Attempts, Doorkeeper, Tokens
from terminal.api.guard import Guard, ambiguous, examine, own_hosts
from terminal.api.guests import Guests
from terminal.api.limits import CLOSE
from terminal.api.machines import from_a_page
from terminal.api.rooms import Rooms, Visitor
from terminal.api.routes import Route
from terminal.api.table import ROUTES
from terminal.commands.client import ask
from terminal.inbox import Asked, Event
from tests.api.conftest import TOKENS, Api
from tests.api.fake_till import FakeTill

HOSTS = own_hosts("127.0.0.1:8780", ("till.shop.example",))


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8780", "localhost:8780", "[::1]:8780", "LOCALHOST:8780", "till.shop.example"]
)
def test_our_own_names_are_taken(host: str) -> None:
    """The loopback by any of its names, and those of the config."""
    assert examine("GET", "/v1/status", {b"host": [host.encode()]}, HOSTS) is None


@pytest.mark.parametrize(
    "host", [[], [b""], [b"evil.example"], [b"127.0.0.1"], [b"127.0.0.1:80"], [b"127.0.0.1:8780", b"evil.example"]]
)
def test_other_hosts_are_refused(host: list[bytes]) -> None:
    """A name that an attacker's DNS points at the loopback (rebinding) is not ours."""
    refused = examine("GET", "/v1/status", {b"host": host}, HOSTS)
    assert refused is not None
    assert refused.code == "host_refused"


def test_the_port_of_http_goes_without_saying() -> None:
    """Browsers leave it out of Host and Origin."""
    headers = {b"host": [b"localhost"], b"origin": [b"http://localhost"]}
    assert examine("GET", "/", headers, own_hosts("127.0.0.1:80")) is None


def test_at_another_port_no_name_goes_without_it() -> None:
    """What answers at port 80 of this machine is another program, and its pages are not ours."""
    assert own_hosts("127.0.0.1:8780") == {"127.0.0.1:8780", "localhost:8780", "[::1]:8780"}
    headers = {b"host": [b"localhost:8780"], b"origin": [b"http://localhost"]}
    refused = examine("POST", "/v1/sync", headers, own_hosts("127.0.0.1:8780"))
    assert refused is not None
    assert refused.code == "cross_site"


LINK = {b"sec-fetch-mode": [b"navigate"], b"sec-fetch-dest": [b"document"]}
FRAME, PICTURE = {**LINK, b"sec-fetch-dest": [b"iframe"]}, {**LINK, b"sec-fetch-mode": [b"no-cors"]}


def test_from_elsewhere_only_a_link_opens_a_page() -> None:
    """As a whole page, by GET, and never what is below /v1/; our own page, a person and a program may ask it all."""
    for method, path, sent, site in product(
        ("GET", "HEAD", "POST", "DELETE"),
        ("/", "/technician", "/hw_proxy/hello", "/v1/status"),
        (LINK, FRAME, PICTURE, {}),
        (b"cross-site", b"same-site", b"same-origin", b"none", None),
    ):
        headers = {b"host": [b"localhost:8780"], **sent} | ({b"sec-fetch-site": [site]} if site else {})
        refused = examine(method, path, headers, HOSTS)
        followed = method == "GET" and sent is LINK and not path.startswith("/v1/")
        passes = site in {b"same-origin", b"none", None} or followed
        assert (refused.code if refused else None) == (None if passes else "cross_site"), (method, path, sent, site)


@pytest.mark.parametrize(
    ("target", "headers", "code"),
    [
        (b"/v1/status", {b"content-length": [b"2"], b"accept": [b"a", b"b"]}, None),
        (b"/v1/status", {b"transfer-encoding": [b"chunked"]}, None),
        (b"http://127.0.0.1:8780/v1/status", {}, "malformed"),
        (b"*", {}, "malformed"),
        (b"", {}, "malformed"),
        (b"/v1%2fstatus", {}, "not_found"),
        (b"/web/%2Fetc", {}, "not_found"),
        (b"/", {b"content-length": [b"2"], b"transfer-encoding": [b"chunked"]}, "malformed"),
        (b"/", {b"idempotency-key": [b"a", b"a"]}, "malformed"),
        (b"/", {b"authorization": [b"a", b"a"]}, "malformed"),
        (b"/", {b"content-type": [b"a", b"a"]}, "malformed"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(
    target: bytes, headers: dict[bytes, list[bytes]], code: str | None
) -> None:
    """Before any route is looked for, and the connection ends with it."""
    refused = ambiguous(target, headers)
    assert (refused.code if refused else None) == code
    assert refused is None or refused.headers is CLOSE


PARTS = st.sampled_from(["http", "https", "HTTP", "ws", "file", "", "://", ":", "localhost:8780", "localhost", "null"])
TEXTS = st.binary(max_size=40) | st.lists(PARTS, max_size=4).map(lambda parts: "".join(parts).encode())


@given(TEXTS)
@settings(max_examples=300)
def test_no_host_but_ours_gets_through(host: bytes) -> None:
    """Whatever bytes a Host or Origin holds: only the allowed values pass, and nothing breaks."""
    allowed = host.decode("latin-1").lower() in HOSTS
    assert (examine("GET", "/v1/status", {b"host": [host]}, HOSTS) is None) == allowed
    origin = {b"host": [b"localhost:8780"], b"origin": [host]}
    passed = examine("POST", "/v1/sync", origin, HOSTS) is None
    assert passed == (
        host.decode("latin-1").lower() in {f"{scheme}://{name}" for scheme in ("http", "https") for name in HOSTS}
    )


@pytest.mark.parametrize("origin", ["null", "http://evil.example", "http://127.0.0.1:9999", "http://localhost", ""])
def test_pages_of_others_are_refused_by_origin(api: Api, origin: str) -> None:
    """Even with the right token: no page but ours has any business here."""
    refused = api.ask("GET", "/v1/status", Origin=origin)
    assert (refused.status, refused.json["code"]) == (403, "cross_site")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pages_of_others_are_refused_by_fetch_metadata(api: Api, site: str) -> None:
    """Another port of this machine is the same site to a browser, and still not us."""
    assert api.ask("GET", "/v1/status", Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors").status == 403
    assert api.ask("POST", "/v1/sync", Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate").status == 403
    link = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert api.ask("GET", "/", token=None, **link).status == 200
    assert api.ask("GET", "/v1/status", **link).status == 403
    assert api.ask("GET", "/", token=None, **{**link, "Sec_Fetch_Dest": "iframe"}).status == 403


def test_nothing_is_ever_allowed_across_origins(api: Api) -> None:
    """There is no CORS: not one Access-Control header, and no preflight succeeds."""
    preflight = api.ask("OPTIONS", "/v1/transactions", token=None, Access_Control_Request_Method="POST")
    assert preflight.status == 405
    for reply in (preflight, api.ask("GET", "/v1/status"), api.ask("GET", "/", token=None)):
        assert not [name for name in reply.headers if name.lower().startswith("access-control")]


def test_every_answer_carries_the_security_headers(api: Api) -> None:
    """Pages and problems alike."""
    for reply in (
        api.ask("GET", "/", token=None),
        api.ask("GET", "/v1/status", token="wrong"),
        api.ask("GET", "/nothing"),
    ):
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert "camera=()" in reply.headers["permissions-policy"]
        assert {reply.headers[f"cross-origin-{what}-policy"] for what in ("opener", "resource")} == {"same-origin"}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/status"), ("POST", "/v1/transactions"), ("GET", "/v1/events")]
)
@pytest.mark.parametrize("token", [None, "wrong", "", "pos-secre", "pos-secretx"])
def test_no_token_no_answer(api: Api, method: str, path: str, token: str | None) -> None:
    """401 says which token is meant."""
    refused = api.ask(method, path, {} if method == "POST" else None, token=token)
    assert (refused.status, refused.json["code"]) == (401, "unauthorized")
    assert refused.headers["www-authenticate"].startswith("Bearer")


def test_both_tokens_open_the_till(api: Api) -> None:
    """A technician may do what a POS may."""
    assert api.ask("GET", "/v1/status", token=TOKENS.technician).status == 200


def test_guessing_is_slowed_and_never_locks_out_the_pos(api: Api) -> None:
    """After thirty wrong tokens 429; the right one works all the while."""
    statuses = [api.ask("GET", "/v1/status", token="guess").status for _ in range(Attempts.BURST + 6)]
    assert set(statuses[: Attempts.BURST]) == {401}
    assert 429 in statuses[Attempts.BURST :]
    assert api.ask("GET", "/v1/status").status == 200


def test_attempts_are_forgiven_one_a_second() -> None:
    """The limit is a bucket that fills again."""
    now = 0.0
    attempts = Attempts(lambda: now)
    assert [attempts.failed() for _ in range(31)] == [True] * 30 + [False]
    now = 1.5
    assert [attempts.failed(), attempts.failed()] == [True, False]
    now = 1000.0
    assert [attempts.failed() for _ in range(31)] == [True] * 30 + [False]


def test_the_page_may_look_but_not_act(api: Api) -> None:
    """Its cookie opens the views; sales, reads, cards and passes stay shut."""
    page = api.ask("GET", "/", token=None)
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    session = cookie.partition(";")[0]
    assert api.ask("GET", "/v1/status", token=None, Cookie=session).status == 200
    assert api.ask("GET", "/v1/queue", token=None, Cookie=session).status == 200
    for method, path in [("POST", "/v1/sync"), ("GET", "/v1/cards/2990000000017"), ("DELETE", "/v1/reads/current")]:
        assert api.ask(method, path, token=None, Cookie=session).status == 401
    assert api.ask("GET", "/v1/status", token=None, Cookie=session + "x").status == 401


def test_a_cookie_put_beside_the_pages_does_not_blind_it(api: Api) -> None:
    """Cookies know no port: whoever serves a page on another port of this machine may add one of the same name."""
    session = api.ask("GET", "/", token=None).headers["set-cookie"].partition(";")[0]
    for cookies in (f"tilld_page=tossed; {session}", f"{session}; tilld_page=tossed", f"other=1; {session}"):
        assert api.ask("GET", "/v1/status", token=None, Cookie=cookies).status == 200
    assert api.ask("GET", "/v1/status", token=None, Cookie="tilld_page=tossed; tilld_page=").status == 401


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "GET"], ids=lambda route: route.path)
def test_asking_changes_nothing(api: Api, till: FakeTill, monkeypatch: pytest.MonkeyPatch, route: Route) -> None:
    """Every GET of the table, also those to come, is a question to the till: a link or a picture acts on nothing."""
    taken: list[Event] = []
    monkeypatch.setattr(till, "_handle", lambda event: (taken.append(event), FakeTill._handle(till, event)))
    if route.path != "/v1/events":
        api.ask("GET", route.path.format(number="2990000000017", id="none", file="page.js"))
    assert all(isinstance(event, Asked) and event.what != "sync" for event in taken)


@pytest.mark.parametrize("name", ["Origin", "Sec-Fetch-Site", "Access-Control-Request-Method"])
def test_listeners_for_programs_take_no_page(name: str) -> None:
    """Whatever a page could sign: a peer, a ledger and a POS say none of these."""
    assert from_a_page({name.lower().encode(): b"same-origin"}) is not None
    assert from_a_page({b"authorization": b"x", b"content-type": b"application/json"}) is None


def test_the_socket_needs_no_token_and_no_host(api: Api) -> None:
    """Its file is its owner's alone, and the kernel says who is at the other end."""
    assert ask(api.socket, "GET", "/v1/status").status == 200
    assert stat.S_IMODE(api.socket.stat().st_mode) == 0o600


def test_tokens_are_made_once_and_kept_secret(tmp_path: Path) -> None:
    """Each start finds the same; the files are for their owner alone, and nothing prints them."""
    made, found = Tokens.kept_in(tmp_path), Tokens.kept_in(tmp_path)
    assert made == found
    assert made.pos != made.technician
    assert len(made.pos) >= 43
    assert made.pos not in repr(made)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_an_empty_token_file_is_filled_anew(tmp_path: Path) -> None:
    """Whoever has cleared it has closed the door to the old token."""
    (tmp_path / "pos.token").write_text("\n")
    assert len(Tokens.kept_in(tmp_path).pos) >= 43


def scope(path: str = "/", method: str = "GET", *, local: bool, **headers: str) -> dict[str, Any]:
    """A request as the server hands it to the guard."""
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    told = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": sent}
    return {**told, "state": {"visitor": Visitor(is_local=local, since=0.0)}}


def guarded(asked: dict[str, Any]) -> tuple[list[str], list[int]]:
    """The paths that an app behind the guard hears of, and the statuses of the answers."""
    reached, statuses = list[str](), list[int]()

    async def app(inner: Scope, receive: Receive, send: Send) -> None:
        reached.append(inner["path"])
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    async def told(message: Message) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    async def receive() -> Message:
        return {"type": "http.request"}

    rooms = {proven: Rooms.of(1) for proven in (True, False)}
    guard = Guard(app, HOSTS, Doorkeeper(TOKENS), rooms, Guests.named(api=("https://pos.example.com",)))
    asyncio.run(guard(asked, receive, told))
    return reached, statuses


def test_a_preflight_is_answered_by_the_guard_alone() -> None:
    """Once, and no route hears of it; what a stranger's page asks ahead is refused, and a program's is a request."""
    ahead = {"host": "localhost:8780", "access_control_request_method": "POST"}
    guest = scope("/v1/sync", "OPTIONS", local=False, origin="https://pos.example.com", **ahead)
    assert guarded(guest) == ([], [204])
    stranger = scope("/v1/sync", "OPTIONS", local=False, origin="https://evil.example", **ahead)
    assert guarded(stranger) == ([], [403])
    for method, more in (("OPTIONS", {"host": ahead["host"]}), ("POST", ahead)):
        asked = scope("/v1/sync", method, local=False, origin="https://pos.example.com", **more)
        assert guarded(asked) == (["/v1/sync"], [200])
    assert guarded(scope("/v1/sync", "OPTIONS", local=False, **ahead)) == (["/v1/sync"], [200])


def test_the_socket_is_examined_too() -> None:
    """It needs neither Host nor Origin, and still no body in a form that is not ours."""
    assert guarded(scope(local=True)) == (["/"], [200])
    assert guarded(scope(local=False)) == ([], [403])
    assert guarded(scope(local=True, content_length="2", content_type="text/plain")) == ([], [415])


def raw(api: Api, request: bytes) -> bytes:
    """The answer to bytes that no HTTP client would send; the till must end it."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_broken_request_line_is_a_400(api: Api) -> None:
    """What is no HTTP is told so, as a problem like any other, and cut off; the next client is served."""
    refused = raw(api, b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
    assert refused.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in refused
    assert b'"code":"malformed"' in refused
    assert b"nosniff" in refused
    assert api.ask("GET", "/healthz").status == 200


def test_a_body_that_breaks_after_the_answer_is_cut_off(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """The refusal is said already: there is no second answer, and no traceback for whoever fills a log this way."""
    head = f"POST /v1/sync HTTP/1.1\r\nHost: 127.0.0.1:{api.port}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        assert b"401" in connection.recv(4096)
        connection.sendall(b"no chunk\r\n\r\n")
        assert b"HTTP/1.1" not in b"".join(iter(lambda: connection.recv(4096), b""))
    assert "Traceback" not in caplog.text


def test_a_head_without_end_is_cut_off(api: Api) -> None:
    """A head larger than 16 kB or so is not collected."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        with suppress(ConnectionError):  # the till need not take all of it
            connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000)
        assert connection.recv(4096).startswith(b"HTTP/1.1 400")


def test_a_head_and_a_body_have_a_time_limit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends a byte now and then does not hold its connection (slowloris)."""
    monkeypatch.setattr("terminal.api.limits.BODY_TIME_S", 0.05)
    with monkeypatch.context() as hasty:
        hasty.setattr("terminal.api.protocol.HEAD_TIME_S", 0.05)
        with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection, suppress(ConnectionError):
            connection.sendall(b"GET / HTTP/1.1\r\n")
            assert connection.recv(1) == b""
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
    connection.putrequest("POST", "/v1/transactions")
    for name, value in {
        "Authorization": f"Bearer {TOKENS.pos}",
        "Content-Type": "application/json",
        "Content-Length": "9",
    }.items():
        connection.putheader(name, value)
    connection.endheaders(b"{")
    assert connection.getresponse().status == 408
    connection.close()


@pytest.mark.parametrize("name", ["Idempotency-Key", "Authorization", "Content-Type"])
def test_a_header_that_counts_is_sent_once(api: Api, till: FakeTill, name: str) -> None:
    """Which of two keys names the sale is not left to chance; nothing is recorded."""
    values = {"Authorization": f"Bearer {TOKENS.pos}", "Content-Type": "application/json", "Idempotency-Key": "k-1"}
    lines = [f"{each}: {value}\r\n" for each, value in [*values.items(), (name, values[name])]]
    body = '{"kind":"earn","points":1}'
    head = f"POST /v1/transactions HTTP/1.1\r\nHost: 127.0.0.1:{api.port}\r\nContent-Length: {len(body)}\r\n"
    refused = raw(api, f"{head}{''.join(lines)}\r\n{body}".encode())
    assert refused.startswith(b"HTTP/1.1 400")
    assert b'"code":"malformed"' in refused
    assert till.outcomes == []


def test_a_question_has_no_body(api: Api) -> None:
    """An event stream whose client announces a body and never sends it would wait for it and break."""
    refused = api.ask("GET", "/v1/events", b"{}")
    assert (refused.status, refused.json["code"]) == (400, "malformed")


def test_nothing_is_sent_elsewhere(api: Api) -> None:
    """A sale at an address with a slash too many is refused in words, not redirected: many clients do not follow."""
    refused = api.ask("POST", "/v1/transactions/", {"kind": "earn", "points": 1}, Idempotency_Key="k-1")
    assert (refused.status, refused.json["code"]) == (404, "not_found")
