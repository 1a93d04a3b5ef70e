"""The routes, over real connections, in front of a fake till."""

import http.client
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from offline_queue.entry import State
from terminal.api.bodies import decode
from terminal.api.problems import Refused
from terminal.inbox import ReadAbandoned
from tests.api.conftest import TOKENS, Api, serving
from tests.api.fake_till import FakeTill


def test_a_sale_is_created_once_and_answered_again_word_for_word(api: Api) -> None:
    """Same key, same body: 200, the first answer, and a header that says so."""
    first, again = api.sale("k-1"), api.sale("k-1")
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json["card"] == {"masked": "•••• 0017"}


def test_a_key_used_for_another_sale_is_refused(api: Api) -> None:
    """Same key, other body: nothing is recorded."""
    api.sale("k-1")
    refused = api.sale("k-1", points=6)
    assert (refused.status, refused.json["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("", 400, "idempotency_key_missing"),
        ("x" * 65, 422, "invalid"),
        ("a\tb", 422, "invalid"),
        ("Schlüssel", 422, "invalid"),
    ],
)
def test_a_sale_needs_a_proper_key(api: Api, key: str, status: int, code: str) -> None:
    """1 to 64 printable ASCII characters; without a key a repeated sale would count twice."""
    refused = api.sale(key)
    assert (refused.status, refused.json["code"]) == (status, code)


def test_a_full_disk_is_said_at_once(api: Api, till: FakeTill) -> None:
    """A sale that cannot be written down is refused with 503 and may be tried again."""
    till.disk_full = True
    refused = api.sale("k-1")
    assert (refused.status, refused.json["code"]) == (503, "not_recorded")
    assert refused.headers["retry-after"] == "1"


def test_points_that_are_not_there_are_refused(api: Api) -> None:
    """409 with a code that the POS can act on."""
    refused = api.sale("k-1", kind="redeem", points=101)
    assert (refused.status, refused.json["code"]) == (409, "insufficient_points")
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed"),
        (b"", 400, "malformed"),
        (b"\xff\xfe", 400, "malformed"),
        (b"[" * 50_000, 400, "malformed"),
        (b'{"kind":"earn","kind":"redeem","points":1}', 400, "malformed"),
        (b'{"kind":"earn","points":1,"amount":{"value":1,"value":2,"currency":"EUR"}}', 400, "malformed"),
        (b"[]", 422, "invalid"),
        (b'{"kind":"steal"}', 422, "invalid"),
        (b'{"kind":"earn","points":"5"}', 422, "invalid"),
        (b'{"kind":"earn","points":1.5}', 422, "invalid"),
        (b'{"kind":"earn","points":-1}', 422, "invalid"),
        (b'{"kind":"earn","points":99999999999999999999}', 422, "invalid"),
        (b'{"kind":"earn","points":1,"surprise":true}', 422, "invalid"),
        (b'{"kind":"earn","points":1,"receipt":{"number":"1","nubmer":"2"}}', 422, "invalid"),
        (b'{"kind":"earn","amount":{"value":1,"currency":"EUR","tip":5}}', 422, "invalid"),
    ],
    ids=range(15),
)
def test_a_body_that_is_broken_or_does_not_fit_is_told_so(
    api: Api, till: FakeTill, body: bytes, status: int, code: str
) -> None:
    """The POS hears what is wrong, and nothing is recorded."""
    refused = api.ask("POST", "/v1/transactions", body, Idempotency_Key="k-1")
    assert (refused.status, refused.json["code"]) == (status, code)
    assert till.outcomes == []


def test_ten_megabytes_are_refused_with_an_answer(api: Api) -> None:
    """The client hears 413 instead of a broken connection."""
    refused = api.ask("POST", "/v1/transactions", b" " * 10_000_000, Idempotency_Key="k-1")
    assert (refused.status, refused.json["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"{", "The body is no JSON: "), (b" ", "The body is empty"), (b'{"a": 1, "a": 2}', "a key appears twice")],
)
def test_a_broken_body_is_told_in_words(body: bytes, words: str) -> None:
    """A parser's words alone would not say of what they speak."""
    with pytest.raises(Refused, match=words) as refused:
        decode(body, dict)
    assert refused.value.code == "malformed"


def test_an_endless_body_without_a_length_is_refused(api: Api) -> None:
    """Chunked transfer does not get round the limit."""
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
    headers = {"Authorization": f"Bearer {TOKENS.pos}", "Content-Type": "application/json", "Idempotency-Key": "k"}
    connection.request("POST", "/v1/transactions", (b" " * 65536 for _ in range(80)), headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_form_is_not_json(api: Api) -> None:
    """415: what a web form could send is never taken."""
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        refused = api.ask("POST", "/v1/transactions", b"{}", Content_Type=media_type, Idempotency_Key="k")
        assert (refused.status, refused.json["code"]) == (415, "media_type")


def test_what_became_of_a_sale_is_told_by_id_and_by_key(api: Api) -> None:
    """A POS that crashed before the answer asks with its own key."""
    id_ = api.sale("k 1/ä".replace("ä", "a")).json["id"]
    by_id = api.ask("GET", f"/v1/transactions/{id_}")
    by_key = api.ask("GET", "/v1/transactions?idempotency_key=k%201%2Fa")
    assert by_id.json == by_key.json
    assert by_id.json["state"] == "queued"
    assert api.ask("GET", "/v1/transactions?idempotency_key=other").json["code"] == "not_found"
    assert api.ask("GET", "/v1/transactions").json["code"] == "idempotency_key_missing"


def test_the_journal_is_paged(api: Api) -> None:
    """`next` leads through all of it, once each."""
    sent = [api.sale(f"k-{n}").json["id"] for n in range(5)]
    seen, after = [], ""
    while after is not None:
        page = api.ask("GET", f"/v1/queue?limit=2{after and '&after=' + after}").json
        seen += [entry["id"] for entry in page["entries"]]
        after = page["next"]
    assert seen == sent


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=100000", "state=lost"])
def test_a_page_that_cannot_be_is_refused(api: Api, query: str) -> None:
    """Wrong parameters are said, not ignored."""
    assert api.ask("GET", f"/v1/queue?{query}").json["code"] == "invalid"


def test_conflicts_are_listed(api: Api, till: FakeTill) -> None:
    """Only what is in conflict, with the cashier's sentence and what can be decided."""
    api.sale("k-1")
    api.sale("k-2")
    till.outcomes[0] = msgspec.structs.replace(till.outcomes[0], state=State.CONFLICT, verdict="overdrawn")
    entries = api.ask("GET", "/v1/conflicts").json["entries"]
    assert [(entry["idempotency_key"], entry["code"]) for entry in entries] == [("k-1", "overdrawn")]
    assert "no longer had enough points" in entries[0]["sentence"]
    assert entries[0]["resolutions"] == ["honour", "refuse"]
    assert api.ask("GET", f"/v1/conflicts/{entries[0]['id']}").json == entries[0]


def test_a_conflict_is_decided_once(api: Api, till: FakeTill) -> None:
    """201 once, 200 for the same decision again; what is not in dispute, or makes no sense, is said so."""
    sold = api.sale("k-1").json["id"]
    path, decision = (
        f"/v1/conflicts/{sold}/resolution",
        {"decision": "refuse", "reason": "rung up twice", "author": "A"},
    )
    assert api.ask("POST", path, decision).json["code"] == "not_in_dispute"
    till.outcomes[0] = msgspec.structs.replace(till.outcomes[0], state=State.CONFLICT, verdict="overdrawn")
    first, again = api.ask("POST", path, decision), api.ask("POST", path, decision)
    assert (first.status, again.status, again.headers["idempotency-replayed"]) == (201, 200, "true")
    assert api.ask("POST", path, decision, Idempotency_Key="mine").status == 201
    assert api.ask("POST", path, decision, Idempotency_Key="x" * 65).json["code"] == "invalid"
    for wrong in ({"decision": "maybe"}, {"reason": ""}, {"author": "x" * 65}, {"points": 10**10}, {"more": 1}):
        assert api.ask("POST", path, {**decision, **wrong}).json["code"] == "invalid"
    assert api.ask("POST", "/v1/conflicts/unknown/resolution", decision).json["code"] == "not_found"
    assert api.ask("POST", path, decision, token=None).status == 401


def test_a_card_is_shown_whole_to_the_pos(api: Api) -> None:
    """The authorised POS needs the number; ten thousand characters are no number."""
    assert api.ask("GET", "/v1/cards/2990000000017").json["card"]["number"] == "2990000000017"
    assert api.ask("GET", "/v1/cards/" + "1" * 10_000).json["code"] == "invalid"


def in_background(call: Any) -> "Future[Any]":
    pool = ThreadPoolExecutor(1)
    result = pool.submit(call)
    pool.shutdown(wait=False)
    return result


def test_a_read_waits_for_the_card(api: Api, till: FakeTill) -> None:
    """The POS asks first, the customer comes later."""
    read = in_background(lambda: api.ask("POST", "/v1/reads", {"timeout_ms": 15_000, "entry_modes": ["scanned"]}))
    assert till.reads_waiting.wait(60)
    till.present()
    assert read.result(60).json["card"] == {"masked": "•••• 0017", "number": "2990000000017"}
    assert till.modes == {"scanned"}


def test_a_read_without_a_card_ends_in_time(api: Api) -> None:
    """408 `no_card`, by the till's decision; the body may be left out."""
    refused = api.ask("POST", "/v1/reads", {"timeout_ms": 1})
    assert (refused.status, refused.json["code"]) == (408, "no_card")


def test_a_waiting_read_can_be_ended(api: Api, till: FakeTill) -> None:
    """A second one hears `busy`; DELETE frees the first with `aborted`."""
    read = in_background(lambda: api.ask("POST", "/v1/reads"))
    assert till.reads_waiting.wait(60)
    busy = api.ask("POST", "/v1/reads")
    assert (busy.status, busy.json["code"]) == (409, "busy")
    assert api.ask("DELETE", "/v1/reads/current").status == 204
    aborted = read.result(60)
    assert (aborted.status, aborted.json["code"]) == (409, "aborted")


def test_a_pos_that_hangs_up_frees_the_reader(api: Api, till: FakeTill) -> None:
    """A read whose client is gone does not keep the next one out."""
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
    connection.request("POST", "/v1/reads", headers={"Authorization": f"Bearer {TOKENS.pos}"})
    assert till.reads_waiting.wait(60)
    waiting = till.waiting
    connection.close()
    assert waiting is not None
    assert waiting.exception(10) is not None


@pytest.mark.parametrize("body", [{"timeout_ms": 0}, {"timeout_ms": 10**9}, {"entry_modes": ["telepathy"]}, {"x": 1}])
def test_a_read_that_cannot_be_is_refused(api: Api, body: object) -> None:
    """Wrong limits and unknown entry modes are 422."""
    assert api.ask("POST", "/v1/reads", body).json["code"] == "invalid"


def test_status_sync_health_and_metrics_answer(api: Api) -> None:
    """What a script and a monitoring system ask."""
    api.sale("k-1")
    status = api.ask("GET", "/v1/status").json
    assert status["queue"] == {"queued": 1, "oldest_age_s": 12.0, "conflicts": 0}
    sync = api.ask("POST", "/v1/sync")
    assert (sync.status, sync.json) == (202, {"due": 1})
    assert api.ask("GET", "/healthz", token=None).json == {"status": "ok"}
    metrics = api.ask("GET", "/metrics", token=None).body.decode()
    assert "tilld_queue_entries 1\n" in metrics
    assert 'tilld_reader_ready{reader="counter",driver="simulated"} 1\n' in metrics


def test_an_unknown_address_and_method_are_problems(api: Api) -> None:
    """404 and 405 speak the same language as every other error."""
    assert api.ask("GET", "/v1/nothing").json["code"] == "not_found"
    refused = api.ask("PUT", "/v1/status")
    assert (refused.status, refused.json["code"]) == (405, "method_not_allowed")
    assert "GET" in refused.headers["allow"]
    both = api.ask("PUT", "/v1/transactions")
    assert both.headers["allow"] == "GET, HEAD, POST"
    assert "GET, HEAD, POST" in both.json["detail"]


def test_a_till_that_cannot_keep_up_says_so(tmp_path: Path) -> None:
    """A full inbox is 503 `busy` with a time to come again, and nothing is recorded."""
    till = FakeTill(capacity=1)
    till.inbox.offer(ReadAbandoned("aborted"))
    with serving(till, tmp_path) as api:
        refused = api.sale("k-1")
    assert (refused.status, refused.json["code"]) == (503, "busy")
    assert refused.headers["retry-after"] == "1"
