"""The technician's session over real connections: who gets in, for how long, and what the cookie alone cannot do."""

from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.entry import State
from terminal.api.callers import Attempts
from terminal.api.limits import MAX_STRANGERS_BODY
from terminal.api.sessions import IDLE_S, LONGEST_S, MOST, Sessions
from tests.api.conftest import TOKENS, Api, Reply
from tests.api.fake_till import FakeTill

SESSION = "/technician/session"


def log_in(api: Api, token: str = TOKENS.technician) -> Reply:
    return api.ask("POST", SESSION, {"token": token}, token=None)


@pytest.fixture
def cookie(api: Api) -> str:
    return log_in(api).headers["set-cookie"].partition(";")[0]


def ours(api: Api) -> str:
    return f"http://127.0.0.1:{api.port}"


def test_the_right_token_opens_a_session(api: Api, cookie: str) -> None:
    """The cookie is out of reach for scripts and other sites, and is not the token."""
    said = SimpleCookie(log_in(api).headers["set-cookie"])["tilld_technician"]
    assert (said["httponly"], said["samesite"], said["path"]) == (True, "strict", "/")
    assert TOKENS.technician not in said.value
    assert api.ask("GET", SESSION, token=None).json == {"open": False, "ends_in_s": None}
    assert api.ask("GET", SESSION, token=None, Cookie=cookie).json["open"] is True


@pytest.mark.parametrize("token", [TOKENS.pos, "technician-secre", "x"])
def test_a_wrong_token_opens_nothing(api: Api, token: str) -> None:
    """Not the POS's either; and it is said which one is meant."""
    refused = log_in(api, token)
    assert (refused.status, refused.json["code"]) == (401, "unauthorized")
    assert "technician.token" in refused.json["detail"]
    assert "set-cookie" not in refused.headers


def test_a_long_login_is_not_even_parsed(api: Api) -> None:
    """A crowd of strangers that sends megabytes of JSON here held up every sale."""
    assert log_in(api, "x" * MAX_STRANGERS_BODY).json["code"] == "too_large"
    assert log_in(api, "x" * 200).json["code"] == "unauthorized"


def test_guessing_is_slowed_down_and_locks_nobody_out(api: Api) -> None:
    """A burst is forgiven, then one a second; who has the token gets in all the same."""
    said = [log_in(api, f"guess-{n}").json["code"] for n in range(2 * Attempts.BURST)]
    assert "too_many_attempts" in said
    assert log_in(api).status == 201


def test_the_session_may_look_and_act_and_sees_no_card_number(api: Api, till: FakeTill, cookie: str) -> None:
    """What the technician's token may, but masked: a page is a page."""
    assert api.ask("GET", "/v1/status", token=None, Cookie=cookie).status == 200
    assert api.ask("POST", "/v1/sync", token=None, Cookie=cookie, Origin=ours(api)).status == 202
    with ThreadPoolExecutor(1) as aside:
        read = aside.submit(api.ask, "POST", "/v1/reads", {}, None, Cookie=cookie, Origin=ours(api))
        assert till.reads_waiting.wait(60)
        till.present()
    assert read.result().json["card"] == {"masked": "•••• 0017"}


def test_a_conflict_is_decided_with_it(api: Api, till: FakeTill, cookie: str) -> None:
    """By a person at the page, in the page's own words."""
    id_ = api.sale("k-1").json["id"]
    till.outcomes[0] = msgspec.structs.replace(till.outcomes[0], state=State.CONFLICT, verdict="overdrawn")
    body = {"decision": "refuse", "reason": "Wrong card", "author": "A. Martin"}
    decided = api.ask("POST", f"/v1/conflicts/{id_}/resolution", body, token=None, Cookie=cookie, Origin=ours(api))
    assert decided.status == 201


@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:1", "http://localhost", "https://evil.example", "null"])
def test_the_cookie_alone_moves_nothing(api: Api, cookie: str, origin: str | None) -> None:
    """A browser says where a script comes from; another port of this machine is another page, and silence is none."""
    headers = {"Cookie": cookie} | ({"Origin": origin} if origin else {})
    refused = api.ask("POST", "/v1/sync", token=None, **headers)
    assert refused.status in {401, 403}


def test_another_name_of_this_machine_is_another_page(api: Api, cookie: str) -> None:
    """The Origin must be the very Host that was asked."""
    refused = api.ask("POST", "/v1/sync", token=None, Cookie=cookie, Origin=f"http://localhost:{api.port}")
    assert refused.status == 401


def test_logging_out_ends_it(api: Api, cookie: str) -> None:
    """On the till, not only in the browser; and twice is no fault."""
    for _ in range(2):
        out = api.ask("DELETE", SESSION, token=None, Cookie=cookie)
        assert (out.status, "Max-Age=0" in out.headers["set-cookie"]) == (204, True)
    assert api.ask("GET", SESSION, token=None, Cookie=cookie).json["open"] is False
    assert api.ask("GET", "/v1/status", token=None, Cookie=cookie).status == 401


def test_a_cookie_of_another_port_beside_ours_does_no_harm(api: Api, cookie: str) -> None:
    """Cookies know no port: any of that name that is open counts, the others are nothing."""
    both = f"tilld_technician=foreign; {cookie}; tilld_page=x"
    assert api.ask("GET", "/v1/status", token=None, Cookie=both).status == 200


class HandClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_the_session_used_longest_ago_makes_way() -> None:
    """For a ninth screen, and for no eighth; the one that was opened first and is used stays."""
    clock = HandClock()
    sessions = Sessions(clock)
    secrets = []
    for _ in range(MOST):
        clock.now_s += 1
        secrets.append(sessions.open())
    clock.now_s += 1
    assert [sessions.left_s([secret]) for secret in secrets[:1] + secrets[2:]] == [IDLE_S] * (MOST - 1)
    sessions.open()
    assert [secret for secret in secrets if sessions.left_s([secret]) is None] == [secrets[1]]


def test_a_session_ends_after_two_idle_hours_and_after_a_working_day() -> None:
    """To the second; near the end of the day it is told how little is left."""
    clock = HandClock()
    sessions = Sessions(clock)
    idle, busy = sessions.open(), sessions.open()
    for _ in range(int(LONGEST_S // IDLE_S) + 1):
        clock.now_s += IDLE_S - 1
        assert sessions.left_s([busy]) == min(IDLE_S, LONGEST_S - clock())
        if clock() > LONGEST_S - IDLE_S:
            break
    assert sessions.left_s([idle]) is None
    clock.now_s = LONGEST_S - 1
    assert sessions.left_s([busy]) == 1
    clock.now_s = LONGEST_S
    assert sessions.left_s([busy]) is None
    last = sessions.open()
    clock.now_s += IDLE_S
    assert sessions.left_s([last]) is None


@given(st.lists(st.tuples(st.sampled_from(["open", "use", "close"]), st.integers(0, int(IDLE_S)), st.integers(0, 9))))
@settings(max_examples=80)
def test_sessions_are_few_and_end(steps: list[tuple[str, int, int]]) -> None:
    """Against a plain list: the ones used latest stay, none lives past its idle or its longest time."""
    clock, begun, used = HandClock(), dict[str, float](), dict[str, float]()
    sessions = Sessions(clock)
    for act, pause_s, which in steps:
        clock.now_s += pause_s
        alive = [each for each in used if clock() - used[each] < IDLE_S and clock() - begun[each] < LONGEST_S]
        if act == "open":
            secret = sessions.open()
            begun[secret] = used[secret] = clock()
        elif begun:
            secret = list(begun)[which % len(begun)]
            left_s = sessions.left_s([secret, "nobody's"])
            assert left_s is None or (secret in alive and 0 < left_s <= IDLE_S)
            if left_s is not None:
                used[secret] = clock()
            if act == "close":
                sessions.close([secret])
                assert sessions.left_s([secret]) is None
                used.pop(secret, None)
        assert len(sessions._open) <= MOST
