"""Testing a reader over the API: for technicians alone, watched by asking again and again."""

import threading
from concurrent.futures import Future
from typing import Any

import pytest

from drivers.base import CardRead, EntryMode, Technology
from terminal.inbox import CardPresented
from terminal.trial.forms import check
from terminal.trial.talk import End, TrialAsked
from tests.api.conftest import TOKENS, Api, Reply
from tests.api.fake_till import FakeTill


def ask(api: Api, method: str, path: str, body: object = None) -> Reply:
    return api.ask(method, path, body, token=TOKENS.technician)


def begin(api: Api, taps: int = 2) -> str:
    begun = ask(api, "POST", "/v1/trials", {"reader": "counter", "taps": taps, "operator": "Anne"})
    assert begun.status == 201
    return str(begun.json["id"])


def present(till: FakeTill, data: str = "2990000000017") -> None:
    """On the till's own thread, where cards are."""
    read = CardRead(Technology.NTAG, EntryMode.CONTACTLESS, data, effort=1, duration_ms=80.0)
    till.trials.tapped(CardPresented("counter", read))


def test_from_the_first_tap_to_the_sheet(api: Api, till: FakeTill) -> None:
    """Begun, watched, complete; the sheet in three forms, each of them proves itself."""
    id_ = begin(api)
    present(till)
    view = ask(api, "GET", f"/v1/trials/{id_}").json
    assert (view["state"], view["taps"][0]["card"], view["judgement"]) == ("running", "•••• 0017", None)
    present(till)
    view = ask(api, "GET", f"/v1/trials/{id_}").json
    assert (view["state"], view["judgement"]["passed"]) == ("complete", True)
    for form, media_type in (("json", "application/json"), ("txt", "text/plain"), ("html", "text/html")):
        sheet = ask(api, "GET", f"/v1/trials/{id_}/sheet.{form}")
        assert sheet.headers["content-type"].startswith(media_type)
        assert sheet.headers["content-disposition"].startswith("attachment")
        checked = check(sheet.body)
        assert (checked.genuine, checked.shown) == (True, True)
    assert [trial["id"] for trial in ask(api, "GET", "/v1/trials").json["trials"]] == [id_]


def test_whoever_has_seen_it_waits_for_news(api: Api, till: FakeTill) -> None:
    """A tap ends the wait at once; without one the same answer comes when the time is over."""
    id_ = begin(api)
    assert ask(api, "GET", f"/v1/trials/{id_}?seen=1&wait_ms=10").json["revision"] == 1
    assert ask(api, "GET", f"/v1/trials/{id_}?seen=7&wait_ms=20000").json["revision"] == 1
    heard: Future[Any] = Future()
    path = f"/v1/trials/{id_}?seen=1&wait_ms=20000"
    waiting = threading.Thread(target=lambda: heard.set_result(ask(api, "GET", path).json))
    waiting.start()
    present(till)
    assert heard.result(60)["revision"] == 2
    waiting.join()


def test_it_can_be_ended(api: Api) -> None:
    """Once or twice; the reader can be tested again at once."""
    id_ = begin(api)
    assert ask(api, "POST", "/v1/trials", {"reader": "counter"}).json["code"] == "busy"
    assert ask(api, "GET", f"/v1/trials/{id_}/sheet.json").json["code"] == "busy"
    for _ in range(2):
        assert ask(api, "POST", f"/v1/trials/{id_}/end").json["state"] == "stopped"
    begin(api)


def test_the_only_reader_need_not_be_named(api: Api) -> None:
    """And five taps are usual."""
    view = ask(api, "POST", "/v1/trials").json
    assert (view["reader"], view["wanted"]) == ("counter", 5)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/v1/trials", "unauthorized"),
        ("GET", "/v1/trials", "unauthorized"),
        ("GET", "/v1/trials/x", "unauthorized"),
        ("POST", "/v1/trials/x/end", "unauthorized"),
        ("GET", "/v1/trials/x/sheet.html", "unauthorized"),
    ],
)
def test_a_pos_may_not(api: Api, method: str, path: str, code: str) -> None:
    """Nor a page at the counter: whoever holds a reader keeps customers waiting."""
    assert api.ask(method, path).json["code"] == code
    assert api.ask(method, path, token=None).json["code"] == code


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/trials/never", "not_found"),
        ("/v1/trials/never/sheet.json", "not_found"),
        ("/v1/trials/never/sheet.pdf", "not_found"),
        ("/v1/trials/never?seen=-1", "invalid"),
        ("/v1/trials/never?wait_ms=20001", "invalid"),
    ],
)
def test_what_makes_no_sense_is_refused(api: Api, path: str, code: str) -> None:
    """With a code of the table."""
    assert ask(api, "GET", path).json["code"] == code


@pytest.mark.parametrize(
    "body", [{"taps": 0}, {"taps": 51}, {"reader": ""}, {"operator": "x" * 65}, {"more": 1}, {"taps": "5"}]
)
def test_a_request_that_does_not_fit_is_refused(api: Api, body: object) -> None:
    """And holds no reader."""
    assert ask(api, "POST", "/v1/trials", body).json["code"] == "invalid"
    assert ask(api, "GET", "/v1/trials").json["trials"] == []


def test_the_till_may_end_it_while_somebody_waits(api: Api, till: FakeTill) -> None:
    """The wait ends with it."""
    id_ = begin(api)
    heard: Future[Any] = Future()
    waiting = threading.Thread(
        target=lambda: heard.set_result(ask(api, "GET", f"/v1/trials/{id_}?seen=1&wait_ms=20000").json)
    )
    waiting.start()
    till.inbox.post(TrialAsked(End(id_), Future()))
    assert heard.result(60)["state"] == "stopped"
    waiting.join()
