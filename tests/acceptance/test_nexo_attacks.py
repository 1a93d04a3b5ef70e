"""The nexo listener under attack: forged, swapped, stale, garbled, endless and slow messages move nothing."""

import base64
import json
import socket
import ssl
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.nexo_rig import PORT, NexoTill, RawPos, account, loyalty, message, points, sale, status_of
from tests.acceptance.rig import asked, free_port

NOW = datetime.now(UTC)
Answer = tuple[int, Any]


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NexoTill]:
    """Without a ledger: nothing here needs one."""
    till = NexoTill(tmp_path_factory.mktemp("nexo"), f"http://127.0.0.1:{free_port()}")
    till.start()
    till.wait_for_readers()
    yield till
    till.stop()


@pytest.fixture
def pos(till: NexoTill) -> RawPos:
    return RawPos(till)


def award(number: str, value: int = 5, at: datetime = NOW, **header: str) -> dict[str, Any]:
    data = {**account(), **points(value)}
    request = loyalty("Award", data, sale(f"t-{number}", at.isoformat(timespec="seconds")))
    return message("Loyalty", request, number, **header)


def send(pos: RawPos, envelope: dict[str, Any], **headers: str) -> Answer:
    return pos.post(json.dumps(envelope).encode(), **headers)


def recorded(till: NexoTill) -> int:
    return len(asked("queue", "list", "--state", till.state)["entries"])


def condition(answer: dict[str, Any]) -> str:
    [body] = [part for name, part in answer["SaleToPOIResponse"].items() if name.endswith("Response")]
    response = body["Response"]
    return str(response.get("ErrorCondition", response["Result"]))


def test_the_secrets_are_for_the_tills_user_alone(till: NexoTill) -> None:
    """Made here at the first start, and never the same twice."""
    for name in ("nexo-key.json", "nexo-ca.pem", "nexo-ca-key.pem", "nexo-certificate.pem", "nexo.db"):
        assert stat.S_IMODE((till.state / name).stat().st_mode) == 0o600, name


def test_both_forms_and_both_framings(pos: RawPos) -> None:
    """Encrypted and in the clear, with a length and in chunks as the client library sends it."""
    status, answer = pos.plain(award("ok-1"))
    assert (status, condition(answer)) == (200, "Success")
    status, answer = send(pos, pos.encrypted(award("ok-2")))
    assert (status, condition(pos.opened(answer))) == (200, "Success")
    body = json.dumps(pos.encrypted(award("ok-3"))).encode()
    status, answer = pos.post(body[start : start + 7] for start in range(0, len(body), 7))
    assert (status, condition(pos.opened(answer))) == (200, "Success")


def test_a_notification_is_taken_and_has_no_answer(pos: RawPos) -> None:
    """The protocol has none for it; without the token it is refused like everything else."""
    header = {"MessageClass": "Event", "MessageCategory": "Event", "MessageType": "Notification"}
    told = {"MessageHeader": {**header, "SaleID": "TILL-04", "POIID": "S001-T01"}}
    event = {"TimeStamp": NOW.isoformat(), "EventToNotify": "SaleWakeUp"}
    envelope = {"SaleToPOIRequest": {**told, "EventNotification": event}}
    assert pos.plain(envelope) == (200, None)
    assert send(pos, envelope)[0] == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_api_key": "wrong"},
        {"x_api_key": ""},
        {"authorization": "Basic dXNlcjpzZWNyZXQ="},
    ],
)
def test_the_clear_form_needs_the_token(till: NexoTill, pos: RawPos, headers: dict[str, str]) -> None:
    """401 in the words of the client library, and nothing recorded."""
    before = recorded(till)
    status, answer = send(pos, award("no-1"), **headers)
    assert status == answer["status"]
    assert status in {401, 429}
    assert answer["errorCode"] in {"unauthorized", "too_many_attempts"}
    assert recorded(till) == before


def test_an_encrypted_message_with_another_header_is_refused(till: NexoTill, pos: RawPos) -> None:
    """What stands beside the blob is what a relay would change: it must be what was encrypted."""
    before = recorded(till)
    swapped = message("Loyalty", {}, "swap-1", SaleID="TILL-05")["SaleToPOIRequest"]["MessageHeader"]
    status, answer = send(pos, pos.encrypted(award("swap-1"), header=swapped))
    assert (status, recorded(till)) == (400, before)
    assert "MessageHeader" in answer["errors"][0]


def test_a_message_that_is_played_again_counts_once(till: NexoTill, pos: RawPos) -> None:
    """The very bytes hear the first answer; another message under the number is refused, in any form."""
    envelope = pos.encrypted(award("again-1"))
    first = pos.opened(send(pos, envelope)[1])
    before = recorded(till)
    assert pos.opened(send(pos, envelope)[1]) == first
    assert condition(pos.opened(send(pos, pos.encrypted(award("again-1", 6)))[1])) == "NotAllowed"
    assert condition(pos.plain(award("again-1", 7))[1]) == "NotAllowed"
    assert recorded(till) == before


@pytest.mark.parametrize("days", [-2, 2])
def test_an_encrypted_message_of_another_day_is_refused(till: NexoTill, pos: RawPos, days: int) -> None:
    """Whoever has kept one cannot play it when its number is forgotten. The clear form needs the token instead."""
    before = recorded(till)
    old = award(f"old{days}", at=NOW + timedelta(days=days))
    assert condition(pos.opened(send(pos, pos.encrypted(old))[1])) == "NotAllowed"
    assert recorded(till) == before


@pytest.mark.parametrize(
    "trailer",
    [
        {"Hmac": base64.b64encode(bytes(32)).decode()},
        {"Nonce": base64.b64encode(bytes(16)).decode()},
        {"Nonce": "AA=="},
        {"Hmac": "?"},
        {"KeyIdentifier": "other"},
        {"KeyVersion": 7},
        {"AdyenCryptoVersion": 0},
        {"Hmac": None},
    ],
)
def test_a_forged_trailer_is_refused(till: NexoTill, pos: RawPos, trailer: dict[str, Any]) -> None:
    """With 400 and `errors`, which the client library shows as they are."""
    before = recorded(till)
    status, answer = send(pos, pos.encrypted(award("forged-1"), **trailer))
    assert (status, recorded(till)) == (400, before)
    assert answer["errors"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"SaleToPOIRequest": {"NexoBlob": 1}}',
        b'{"SaleToPOIRequest": {"NexoBlob": "", "SecurityTrailer": {}}}',
        b'{"SaleToPOIResponse": {}}',
        b'{"SaleToPOIRequest": {"MessageHeader": {"MessageClass": "Service"}}}',
    ],
)
def test_garbage_is_malformed(pos: RawPos, body: bytes) -> None:
    """Never a 500, and never an answer that no client can read."""
    status, answer = pos.post(body, x_api_key=pos.token)
    assert status == 400
    assert answer["errors"]


def test_what_a_stranger_sends_is_not_read(pos: RawPos) -> None:
    """A crowd without a token that sends large documents costs the till no time; what is wrong within is not told."""
    body = b'{"SaleToPOIRequest": {"MessageHeader": {"a": 1, "a": 2}, "LoyaltyRequest": {}}}'
    assert pos.post(body)[0] == 401
    assert pos.post(body, x_api_key=pos.token)[0] == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example:8443"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),
    ],
)
def test_web_pages_of_others_are_refused(pos: RawPos, headers: dict[str, str], status: int) -> None:
    """The same guard as in front of the REST API; even the right token does not help a foreign page."""
    answered, answer = send(pos, award("page-1"), x_api_key=pos.token, **headers)
    assert (answered, answer["status"]) == (status, status)


def test_other_addresses_and_methods_say_so(pos: RawPos) -> None:
    """In JSON, since the client library reads nothing else."""
    assert pos.post(b"{}", path="/v1/status", x_api_key=pos.token)[0] == 404
    with pos.connect() as line:
        line.sendall(f"GET /nexo/ HTTP/1.1\r\nHost: {pos.till.host}:{PORT}\r\nConnection: close\r\n\r\n".encode())
        assert b" 405 " in line.makefile("rb").readline()


def test_an_endless_message_ends(till: NexoTill, pos: RawPos) -> None:
    """More than a megabyte is nobody's honest message, announced or not."""
    assert pos.post(b"x" * (1024 * 1024 + 1), x_api_key=pos.token)[0] == 413
    chunks = (b"x" * 65536 for _ in range(20))
    assert pos.post(chunks, x_api_key=pos.token)[0] == 413


def test_who_dawdles_is_cut_off_and_keeps_nobody_out(pos: RawPos) -> None:
    """A connection without a word, a half handshake and a head that never ends, while others are served."""
    silent = socket.create_connection((pos.till.host, PORT), timeout=60)
    half = pos.connect()
    with silent, half:
        half.sendall(b"POST /nexo/ HTTP/1.1\r\n")
        assert condition(pos.plain(award("slow-1"))[1]) == "Success"
        assert half.recv(1) == b""
        assert silent.recv(1) == b""


def acquisition(number: str, **header: str) -> dict[str, Any]:
    request = {"SaleData": sale("a-1", NOW.isoformat()), "CardAcquisitionTransaction": {}}
    return message("CardAcquisition", request, number, **header)


def wait_until_it_runs(pos: RawPos, number: str) -> None:
    asked = message("TransactionStatus", status_of("CardAcquisition", number), f"{number}?")
    while (told := condition(pos.plain(asked)[1])) != "InProgress":
        assert told == "NotFound"


def test_the_same_read_twice_is_one_read(pos: RawPos) -> None:
    """A POS that repeats what is still under way hears the same end, and is not told `Busy`."""
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(pos.plain, acquisition("twice")) for _ in range(3)]
        wait_until_it_runs(pos, "twice")
        reference = {"MessageCategory": "CardAcquisition", "ServiceID": "twice"}
        abort = message("Abort", {"AbortReason": "x", "MessageReference": reference}, "abort")
        while not all(each.done() for each in waiting):
            # One that comes after the end of the others begins anew, and is ended too.
            assert pos.plain(abort) == (200, None)
        assert {condition(each.result()[1]) for each in waiting} == {"Aborted"}


def test_a_pos_that_is_gone_waits_for_no_card(pos: RawPos) -> None:
    """The next card is not swallowed for it, and the next wait is not Busy."""
    body = json.dumps(acquisition("gone")).encode()
    head = f"POST /nexo/ HTTP/1.1\r\nHost: {pos.till.host}:{PORT}\r\nContent-Type: application/json\r\n"
    with pos.connect() as line:
        line.sendall(f"{head}x-api-key: {pos.token}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        wait_until_it_runs(pos, "gone")
    asked = message("TransactionStatus", status_of("CardAcquisition", "gone"), "gone?")
    while condition(told := pos.plain(asked)[1]) == "InProgress":
        pass
    repeated = told["SaleToPOIResponse"]["TransactionStatusResponse"]["RepeatedMessageResponse"]
    answer = repeated["RepeatedResponseMessageBody"]["CardAcquisitionResponse"]
    assert answer["Response"]["ErrorCondition"] == "Aborted"


def test_the_certificate_is_this_tills_own(pos: RawPos) -> None:
    """Valid for the loopback's names under the pinned authority, and for nobody without it."""
    with pos.connect() as line:
        shown = line.getpeercert()
        assert shown is not None
        names = {value for _, value in shown["subjectAltName"]}
    assert {"localhost", "127.0.0.1", pos.till.host} <= names
    assert "TILLD-S001T01.test.terminal.adyen.com" in names
    with socket.create_connection((pos.till.host, PORT), timeout=60) as plain, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(plain, server_hostname=pos.till.host)
