"""The Python client's rules, looked at one by one: what to believe, when to try again, what is pending."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tilld_client import Lost, Patience, Pending, Refused, Till, Unanswered
from tilld_client.attempts import Attempts, Passing, checked
from tilld_client.events import events
from tilld_client.line import Line, Place, Reply
from tilld_client.patience import passes, retry_after_s
from tilld_client.shapes import Answer, Request

from terminal.api.events import frame
from terminal.api.problems import PROBLEMS
from terminal.notices import Notice
from terminal.notices import Told as Texts

EARN: Request = {"kind": "earn", "points": 5}


@given(st.integers(0, 10_000), st.floats(0, 1), st.one_of(st.none(), st.floats(0, 60)))
@settings(max_examples=100)
def test_pauses_grow_within_bounds(attempt: int, chance: float, told: float | None) -> None:
    """Never longer than the longest (unless the till asks for it), never shorter than the till has told."""
    patience = Patience()
    pause = patience.pause_s(attempt, chance, told)
    assert pause >= (told or 0)
    assert pause <= max(patience.most_s, told or 0)
    assert pause >= patience.first_s / 2
    assert patience.pause_s(attempt + 1, chance) >= patience.pause_s(attempt, chance)


def test_what_may_pass_is_tried_again_and_what_is_decided_is_not() -> None:
    """Every refusal that the till knows is on one side."""
    again = {code for code, (status, _) in PROBLEMS.items() if passes(status, code)}
    assert again == {"too_slow", "too_many_attempts", "internal", "not_recorded", "unanswered"}
    assert passes(503, "busy")
    assert not passes(409, "busy")


@example("0\x1f")
@given(st.text(max_size=12))
@settings(max_examples=100)
def test_whatever_stands_in_retry_after_is_at_most_a_minute(header: str) -> None:
    """Seconds, or nothing: a date or nonsense does not stop a till for a year."""
    told = retry_after_s(header)
    assert told is None or 0 <= told <= 60


def test_retry_after_is_read() -> None:
    """RFC 9110, section 10.2.3."""
    assert (retry_after_s("3"), retry_after_s("86400"), retry_after_s(None)) == (3.0, 60.0, None)


YES = {"id": "x", "kind": "earn", "state": "queued", "points": 5, "card": None, "balance": None}


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, None), (200, {"hello": 1}), (201, [YES]), (200, "welcome"), (302, None), (404, None), (403, {"code": 7})],
)
def test_an_answer_of_somebody_else_is_no_answer(status: int, body: Any) -> None:
    """A portal that says 200 has recorded nothing."""
    with pytest.raises(Lost):
        checked(Reply(status, body, {}), Answer)


def test_the_tills_own_answers_are_believed() -> None:
    """A yes, a no, and a not now with its time."""
    assert checked(Reply(201, YES, {}), Answer) == YES
    with pytest.raises(Refused) as no:
        checked(Reply(409, {"code": "insufficient_points", "detail": "There are 3."}, {}), Answer)
    assert (no.value.status, no.value.code, no.value.detail) == (409, "insufficient_points", "There are 3.")
    with pytest.raises(Passing) as later:
        checked(Reply(503, {"code": "busy"}, {"retry-after": "2"}), Answer)
    assert later.value.told_s == 2.0


class Told(Line):
    """Breaks first where it is told to, then says 401 each time."""

    def __init__(self, breaks: int) -> None:
        super().__init__(Place())
        self.breaks = breaks

    def ask(self, *_: Any) -> Reply:
        self.breaks -= 1
        if self.breaks >= 0:
            raise Lost("the line broke")
        return Reply(401, {"code": "unauthorized"}, {})


@pytest.mark.parametrize(("breaks", "error", "left"), [(0, Refused, 0), (1, Unanswered, 1)])
def test_a_wrong_token_tells_nothing_of_an_earlier_attempt(
    tmp_path: Path, breaks: int, error: type[Exception], left: int
) -> None:
    """The till has a new token since its restart; the sale that was sent before it may well be recorded."""
    pending = Pending(tmp_path)
    till = Till(Attempts(Told(breaks), Patience(first_s=0)), pending)
    with pytest.raises(error):
        till.earn("k-1", points=5)
    assert len(list(pending)) == left


@pytest.mark.parametrize("url", ["http://till.example:8780", "http://10.0.0.7:8780", "ftp://127.0.0.1", "127.0.0.1:80"])
def test_a_token_is_never_sent_in_the_clear_to_another_machine(url: str) -> None:
    """It would open the till to whoever is on the way."""
    with pytest.raises(ValueError, match=r"clear|is not http"):
        Place.of_url(url, "secret")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8780", "http://localhost:1", "http://[::1]:8780", "https://t.example"]
)
def test_this_machine_and_tls_are_fine(url: str) -> None:
    """The loopback leaves no machine."""
    assert Place.of_url(url, "secret").token == "secret"


def test_a_socket_path_that_no_kernel_takes_is_told() -> None:
    """At once, not as a till that is never there."""
    with pytest.raises(ValueError, match="too long"):
        Place.on_socket(Path("/" + "x" * 120))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10)),
    lambda inner: st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.tuples(st.sampled_from(["card_read", "sync", "reset"]), JSON), max_size=5))
@settings(max_examples=60)
def test_the_tills_own_stream_is_understood(told: list[tuple[str, Any]]) -> None:
    """What the till writes is what the client reads, comments and the retry field aside."""
    stream = b"retry: 2000\n\n"
    for number, (kind, data) in enumerate(told):
        notice = Notice(f"f00d-{number}", kind, {"en": Texts(json.dumps(data).encode(), b"{}")})
        stream += frame(notice, "en", whole=True) + b": still here\n\n"
    heard = list(events(stream.splitlines(keepends=True)))
    assert [(event["id"], event["kind"], event["data"]) for event in heard] == [
        (f"f00d-{number}", kind, data) for number, (kind, data) in enumerate(told)
    ]


@given(st.lists(st.binary(max_size=20), max_size=20))
@settings(max_examples=150)
def test_a_stream_of_anything_is_events_or_lost(lines: list[bytes]) -> None:
    """Half an event at the end is none; nothing else is ever raised."""
    try:
        heard = list(events([*lines, b"data: 1\n"]))
    except Lost:
        return
    assert all(isinstance(event["kind"], str) for event in heard)


def test_data_of_several_lines_and_line_ends_of_any_sort() -> None:
    """WHATWG HTML, section 9.2.6; an id stays until another comes."""
    stream = b'id: 7\r\ndata: {"a":\r\ndata:1}\r\n\r\nevent: x\ndata: 2\n\n'
    assert list(events(stream.splitlines(keepends=True))) == [
        {"id": "7", "kind": "message", "data": {"a": 1}},
        {"id": "7", "kind": "x", "data": 2},
    ]


def test_what_is_pending_outlives_the_program(tmp_path: Path) -> None:
    """Oldest first; a file that was not finished was never sent; what is answered is gone."""
    pending = Pending(tmp_path / "p")
    pending.keep("k/1", EARN)
    pending.keep("k 2", {"kind": "reverse", "reverses": "x"})
    (tmp_path / "p" / "torn.new").write_text('{"key": "k')
    assert [sent.key for sent in Pending(tmp_path / "p")] == ["k/1", "k 2"]
    pending.settle("k/1")
    pending.settle("k/1")
    assert [(sent.key, sent.request["kind"]) for sent in pending] == [("k 2", "reverse")]
    assert (tmp_path / "p").stat().st_mode & 0o777 == 0o700


def test_a_key_names_one_request(tmp_path: Path) -> None:
    """Kept again it is the same; another one under it is a defect in how keys are made, told before it is sent."""
    pending = Pending(tmp_path)
    pending.keep("k", EARN)
    pending.keep("k", {"points": 5, "kind": "earn"})
    with pytest.raises(ValueError, match="another request"):
        pending.keep("k", {"kind": "earn", "points": 6})
    assert len(list(pending)) == 1


@given(st.lists(st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1), unique=True))
@settings(max_examples=30)
def test_any_key_can_be_kept(tmp_path_factory: pytest.TempPathFactory, keys: list[str]) -> None:
    """Slashes, dots and spaces too: no key is a path."""
    folder = tmp_path_factory.mktemp("pending")
    pending = Pending(folder)
    for key in keys:
        pending.keep(key, EARN)
    assert {sent.key for sent in pending} == set(keys)
    assert len(list(folder.iterdir())) == len(keys)
