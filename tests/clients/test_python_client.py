"""The Python client against a till that is busy, silent or gone, and against the real API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tilld_client import Lost, Patience, Pending, Refused, Till, Unanswered
from tilld_client.attempts import Attempts
from tilld_client.line import Line, Place, Reply

from tests.api.conftest import TOKENS, Api, serving
from tests.api.fake_till import TOO_FEW, FakeTill

YES = Reply(201, {"id": "x", "kind": "earn", "state": "queued", "points": 5, "card": None, "balance": None}, {})
NOT_FOUND = Reply(404, {"code": "not_found", "detail": "No such transaction."}, {})
READ = {"read_id": "r", "card": {"masked": "x"}, "technology": "qr", "entry_mode": "scanned", "reader": "a",
        "balance": None, "hints": []}  # fmt: skip


class Script(Line):
    """A line on which these answers come, one an attempt; an exception is raised. What was sent is kept."""

    def __init__(self, *answers: Reply | Lost) -> None:
        super().__init__(Place())
        self.answers = list(answers)
        self.sent: list[tuple[str, Any, Mapping[str, str]]] = []

    def ask(self, method: str, target: str, body: Any, headers: Mapping[str, str], time_s: float) -> Reply:
        self.sent.append((f"{method} {target}", body, headers))
        answer = self.answers.pop(0)
        if isinstance(answer, Lost):
            raise answer
        return answer


@dataclass
class Clock:
    """Time passes by sleeping alone."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def till_on(line: Line, pending: Pending | None = None, total_s: float = 90) -> tuple[Till, Clock]:
    clock = Clock()
    attempts = Attempts(line, Patience(total_s=total_s), lambda: clock.now, clock.sleep, lambda: 1.0)
    return Till(attempts, pending), clock


def busy(seconds: int) -> Reply:
    return Reply(503, {"code": "busy", "detail": ""}, {"retry-after": str(seconds)})


def test_the_same_request_goes_again_with_the_same_key() -> None:
    """Lost, busy and failed: always the same bytes, and pauses that grow or that the till has told."""
    line = Script(Lost("reset"), busy(3), Reply(500, {"code": "internal"}, {}), YES)
    till, clock = till_on(line)
    assert till.earn("k-1", {"number": "1"}, points=5)["id"] == "x"
    assert [sent == line.sent[0] for sent in line.sent] == [True] * 4
    assert line.sent[0][2] == {"Idempotency-Key": "k-1"}
    assert clock.pauses == [0.2, 3.0, 0.8]


def test_a_no_is_final_and_leaves_nothing_pending(tmp_path: Path) -> None:
    """The till has decided: nothing was recorded, and asking again would bring the same."""
    line = Script(Reply(409, {"code": "insufficient_points", "detail": "There are 3."}, {}))
    till, clock = till_on(line, Pending(tmp_path))
    with pytest.raises(Refused, match="There are 3"):
        till.redeem("k-1", {"number": "1"}, 10)
    assert (len(line.sent), clock.pauses, list(Pending(tmp_path))) == (1, [], [])


def test_patience_ends_and_the_sale_stays_pending(tmp_path: Path) -> None:
    """Nobody knows then; after a restart it is settled: asked about first, and sent as it was if it is not there."""
    till, clock = till_on(Script(*[Lost("gone")] * 50), Pending(tmp_path), total_s=20)
    with pytest.raises(Unanswered, match="recorded or not"):
        till.earn("k-1", points=5)
    assert 10 < clock.now < 20
    again = Script(NOT_FOUND, YES)
    [resumed] = till_on(again, Pending(tmp_path))[0].resume()
    assert [what for what, _, _ in again.sent] == ["GET /v1/transactions?idempotency_key=k-1", "POST /v1/transactions"]
    assert again.sent[1][1:] == ({"kind": "earn", "points": 5}, {"Idempotency-Key": "k-1"})
    assert (resumed.key, resumed.answer and resumed.answer["id"], list(Pending(tmp_path))) == ("k-1", "x", [])


def test_what_the_till_refuses_after_a_crash_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    """One that will never be recorded does not keep the others waiting."""
    pending = Pending(tmp_path)
    pending.keep("k-1", {"kind": "redeem", "points": 9})
    pending.keep("k-2", {"kind": "earn", "points": 5})
    no = Reply(409, {"code": "offline_limit"}, {})
    refused, earned = till_on(Script(NOT_FOUND, no, NOT_FOUND, YES), pending)[0].resume()
    assert refused.refused is not None
    assert (refused.refused.code, refused.answer, earned.refused) == ("offline_limit", None, None)
    assert list(pending) == []


@pytest.mark.parametrize("key", ["", "x" * 65, "é", "a\r\nb", "\x00"])
def test_a_key_that_the_till_would_refuse_is_never_sent(key: str) -> None:
    """Nor one that would break the request apart."""
    line = Script()
    with pytest.raises(ValueError, match="no key"):
        till_on(line)[0].earn(key, points=1)
    assert line.sent == []


def test_a_key_is_quoted_when_asked_about() -> None:
    """Whatever it holds, it stays one value of the query."""
    line = Script(NOT_FOUND)
    assert till_on(line)[0].outcome("a&b=c/d e") is None
    assert line.sent[0][0] == "GET /v1/transactions?idempotency_key=a%26b%3Dc%2Fd%20e"


def test_a_read_waits_for_its_turn_and_for_the_line() -> None:
    """Another POS waits, then the line breaks; the time that is left is what the till is asked for."""
    line = Script(Reply(409, {"code": "busy"}, {}), Lost("reset"), Reply(200, READ, {}))
    till, _ = till_on(line)
    assert till.read(timeout_s=30)["read_id"] == "r"
    assert [body["timeout_ms"] for _, body, _ in line.sent] == [30000, 29800, 29400]


def test_no_card_and_a_crowded_till_are_answers() -> None:
    """`no_card` at once; `busy` when the turn never came."""
    none = Reply(408, {"code": "no_card", "next": ["Tap again."], "step": "tap_again"}, {})
    with pytest.raises(Refused) as no_card:
        till_on(Script(none))[0].read()
    assert (no_card.value.next, no_card.value.step) == (("Tap again.",), "tap_again")
    with pytest.raises(Refused, match="busy"):
        till_on(Script(*[Reply(409, {"code": "busy"}, {})] * 99))[0].read(timeout_s=5)
    with pytest.raises(Unanswered):
        till_on(Script(*[Lost("gone")] * 99))[0].read(timeout_s=5)


def test_over_http_with_the_token(api: Api, till: FakeTill) -> None:
    """Earn, the same again, what became of it, a card, the status; and a wrong token is told at once."""
    with Till.at(f"http://{api.address}", TOKENS.pos) as pos:
        sale = pos.earn("k-1", {"number": "2990000000017"}, points=5, receipt={"number": "7"}, operator="anne")
        assert pos.earn("k-1", {"number": "2990000000017"}, points=5, receipt={"number": "7"}, operator="anne") == sale
        known = pos.outcome("k-1")
        assert known is not None
        assert (known["id"], known["state"]) == (sale["id"], "queued")
        assert pos.card("2990000000017")["status"] == "active"
        assert pos.status()["terminal"] == "S001-T01"
        pos.end_read()
    with Till.at(f"http://{api.address}", "wrong") as stranger, pytest.raises(Refused, match="unauthorized"):
        stranger.status()
    assert len(till.outcomes) == 1


def test_over_the_socket_without_one(api: Api) -> None:
    """The kernel says who asks."""
    with Till.on_socket(api.socket) as pos:
        with pytest.raises(Refused, match="insufficient_points"):
            pos.redeem("k-1", {"number": "2990000000017"}, 500)
        assert pos.earn("k-2", points=5)["points"] == 5


@pytest.mark.parametrize(("language", "words"), [("fr", TOO_FEW.fr), ("en", TOO_FEW.en), (None, TOO_FEW.en)])
def test_a_no_is_in_the_language_of_the_counter(api: Api, language: str | None, words: str) -> None:
    """By HTTP and on the socket; whoever asks for none hears the till's own."""
    for till in (
        Till.at(f"http://{api.address}", TOKENS.pos, language=language),
        Till.on_socket(api.socket, language=language),
    ):
        with till, pytest.raises(Refused) as no:
            till.redeem("k-poor", {"number": "2990000000017"}, 500)
        assert no.value.detail == words


def test_events_go_on_where_they_stopped(till: FakeTill, tmp_path: Path) -> None:
    """Over a restart of the server nothing is missed and nothing comes twice."""
    with serving(till, tmp_path) as first:
        port = first.port
        heard = Till.at(f"http://{first.address}", TOKENS.pos).events(after="first")
        till.present()
        card = next(heard)
        till.notices.publish("sync", {"n": 1})
        assert (card["kind"], card["data"]["card"]["number"]) == ("card_read", "2990000000017")
        assert next(heard)["data"] == {"n": 1}
    # The server has closed these notices for good: a new start has its own, and says that some may be missing.
    again = FakeTill()
    with serving(again, tmp_path, f"127.0.0.1:{port}"):
        assert next(heard)["kind"] == "reset"
        again.notices.publish("sync", {"n": 2})
        assert next(heard)["data"] == {"n": 2}
    heard.close()


def test_a_break_before_the_first_event_is_a_reset(till: FakeTill, api: Api) -> None:
    """There is no id to go on from, so nobody may believe that nothing happened."""
    line = Breaking(Place.of_url(f"http://{api.address}", TOKENS.pos))
    heard = Till(Attempts(line, Patience(), sleep=lambda _: None)).events()
    assert next(heard)["kind"] == "reset"
    till.notices.publish("sync", {"n": 1})
    assert next(heard)["data"] == {"n": 1}
    heard.close()


class Breaking(Line):
    """The first stream breaks before anything came."""

    broken = False

    def stream(self, target: str, headers: Mapping[str, str]) -> Any:
        if not self.broken:
            self.broken = True
            raise Lost("reset")
        return super().stream(target, headers)


def test_a_stream_with_a_wrong_token_ends(api: Api) -> None:
    """It would never be let in."""
    with pytest.raises(Refused, match="unauthorized"):
        next(Till.at(f"http://{api.address}", "wrong").events())
