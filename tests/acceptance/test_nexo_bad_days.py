"""nexo when things break: no ledger, no reader, a till that is killed, a POS that repeats everything and crashes."""

import http.client
import json
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.nexo_rig import (
    CARD,
    NexoTill,
    RawPos,
    account,
    loyalty,
    message,
    points,
    pos_at,
    sale,
    status_of,
    wait_for_read,
)
from tests.acceptance.rig import LedgerProcess, free_port, tilld

NOW = datetime.now(UTC).isoformat(timespec="seconds")
DEAD_READER = '[[reader]]\nname = "scanner"\ndriver = "serial_line"\nport = "/dev/there-is-none"\n'
SALES, KILLS = 60, 6


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    ledger = LedgerProcess(tmp_path)
    ledger.start("--unknown-cards", "register", "--enrolment", "open")
    yield ledger
    ledger.kill()


def condition(body: dict[str, Any]) -> str:
    return str(body["Response"].get("ErrorCondition", body["Response"]["Result"]))


@pytest.mark.parametrize("form", ["encrypted", "plain"])
def test_no_ledger_and_no_reader(tmp_path: Path, form: str) -> None:
    """Sales go on, a redemption is UnreachableHost and no Refusal, and the diagnosis names the reader that is dead."""
    till = NexoTill(tmp_path, f"http://127.0.0.1:{free_port()}", readers=DEAD_READER)
    till.start()
    try:
        with pos_at(till, form=form) as pos:
            data = {**account(), **points(30)}
            earned = pos.ask("Loyalty", loyalty("Award", data, sale("1", NOW)))
            redeemed = pos.ask("Loyalty", loyalty("Redemption", data, sale("2", NOW)))
            assert (condition(earned), condition(redeemed)) == ("Success", "UnreachableHost")
            assert "No%20points%20moved" in redeemed["Response"]["AdditionalResponse"]
            how = pos.ask("Diagnosis", {})
            assert how["POIStatus"]["CardReaderOKFlag"] is False
            assert how["POIStatus"]["CommunicationOKFlag"] is False
            assert how["HostStatus"] == [{"AcquirerID": "127.0.0.1", "IsReachableFlag": False}]
            assert "scanner%3A" in how["Response"]["AdditionalResponse"]
            asked = {"SaleData": sale("3", NOW), "CardAcquisitionTransaction": {}}
            assert condition(pos.ask("CardAcquisition", asked)) == "UnavailableDevice"
            unknown = {"LoyaltyAccountReq": account("2990000000024")}
            assert condition(pos.ask("BalanceInquiry", unknown)) == "UnreachableHost"
    finally:
        till.stop()


def test_the_journal_answers_for_a_till_that_was_killed(tmp_path: Path, ledger: LedgerProcess) -> None:
    """TransactionStatus and the repeated message both give the first answer, made again from the journal."""
    till = NexoTill(tmp_path / "till", f"http://127.0.0.1:{ledger.port}")
    till.start()
    try:
        asked = {
            "Loyalty": loyalty("Award", {**account(), **points(24)}, sale("1", NOW)),
            "StoredValue": {"SaleData": sale("2", NOW), "StoredValueData": [activation()]},
        }
        with pos_at(till) as pos:
            first = {category: pos.ask(category, request, category[:9]) for category, request in asked.items()}
            till.kill()
            for file in till.state.glob("nexo.db*"):
                file.unlink()
            till.start()
            for category, request in asked.items():
                told = pos.ask("TransactionStatus", status_of(category, category[:9]))
                repeated = told["RepeatedMessageResponse"]["RepeatedResponseMessageBody"][f"{category}Response"]
                assert condition(repeated) == "Success"
                assert without_state(repeated) == without_state(first[category])
                assert without_state(pos.ask(category, request, category[:9])) == without_state(first[category])
        till.drain()
        assert ledger.account(CARD)["points"] == 24
    finally:
        till.stop()


def test_a_refusal_that_is_remembered_does_not_hide_what_a_repeat_has_done(
    tmp_path: Path, ledger: LedgerProcess
) -> None:
    """Refused without a line, asked again and recorded, and the till is killed before it notes the second answer."""
    till = NexoTill(tmp_path / "till", f"http://127.0.0.1:{ledger.port}")
    till.start()
    try:
        with pos_at(till) as pos:
            data = {**account(), **points(24)}
            assert condition(pos.ask("Loyalty", loyalty("Award", data, sale("1", NOW)))) == "Success"
            till.drain()
            ledger.kill()
            redemption = loyalty("Redemption", data, sale("2", NOW))
            assert condition(pos.ask("Loyalty", redemption, "again")) == "UnreachableHost"
            noted = {file: file.read_bytes() for file in till.state.glob("nexo.db*")}
            ledger.start("--unknown-cards", "register", "--enrolment", "open")
            till.drain()
            assert condition(pos.ask_ledger("Loyalty", redemption, "again")) == "Success"
            till.kill()
            for file, content in noted.items():
                file.write_bytes(content)
            till.start()
            told = pos.ask("TransactionStatus", status_of("Loyalty", "again"))["RepeatedMessageResponse"]
            assert condition(told["RepeatedResponseMessageBody"]["LoyaltyResponse"]) == "Success"
    finally:
        till.stop()


def test_a_card_that_was_read_is_told_again_after_a_kill(tmp_path: Path, ledger: LedgerProcess) -> None:
    """No journal knows of it, the log of exchanges does; the read itself is gone with the till that made it."""
    till = NexoTill(tmp_path / "till", f"http://127.0.0.1:{ledger.port}")
    till.start()
    till.wait_for_readers()
    try:
        with pos_at(till, form="plain") as pos:
            number = pos.send("CardAcquisition", {"SaleData": sale("1", NOW), "CardAcquisitionTransaction": {}})
            wait_for_read(pos, number)
            tilld("tap", CARD, "--state", till.state)
            read = pos.heard(number)["heard"]["CardAcquisitionResponse"]
            till.kill()
            till.start()
            told = pos.ask("TransactionStatus", status_of("CardAcquisition", number))
            repeated = told["RepeatedMessageResponse"]["RepeatedResponseMessageBody"]["CardAcquisitionResponse"]
            assert (condition(repeated), repeated) == ("Success", read)
            card = {"CardAcquisitionReference": read["POIData"]["POITransactionID"]}
            assert condition(pos.ask("BalanceInquiry", {"LoyaltyAccountReq": card})) == "NotFound"
            unread = pos.ask("Loyalty", loyalty("Award", {**card, **points(5)}, sale("2", NOW)))
            assert condition(unread) == "NotFound"
            assert "Read%20the%20card%20again" in unread["Response"]["AdditionalResponse"]
    finally:
        till.stop()


def activation() -> dict[str, Any]:
    told = {"StoredValueAccountType": "Other", "EntryMode": ["Keyed"], "IdentificationType": "AccountNumber"}
    return {"StoredValueTransactionType": "Activate", "StoredValueAccountID": {**told, "Value": "2990000000048"}}


def without_state(body: dict[str, Any]) -> dict[str, Any]:
    """The ledger may have agreed meanwhile, which is all that may differ."""
    plain = json.loads(json.dumps(body))
    plain["Response"].pop("AdditionalResponse")
    for result in plain.get("LoyaltyResult", []):
        result["LoyaltyAcquirerData"].pop("ApprovalCode", None)
    return dict(plain)


class HastyPos:
    """Repeats each sale three times at least, hangs up on a third of them, and forgets in between what it has heard."""

    def __init__(self, till: NexoTill, seed: int) -> None:
        self.till, self.chance = till, random.Random(seed)
        self.pos = RawPos(till)
        self.up = threading.Event()
        self.up.set()
        self.wrong: list[Any] = []

    def sell(self, number: int) -> None:
        """Until the till has said yes to the third asking."""
        request = loyalty("Award", {**account(), **points(number)}, sale(f"s-{number}", NOW))
        said = message("Loyalty", request, f"{number}")
        answers: list[Any] = []
        while len(answers) < 3:
            self.up.wait(180)
            try:
                answers += self._told(number) if self.chance.random() < 0.3 else self._asked(said)
            except (OSError, http.client.HTTPException):
                self.pos = RawPos(self.till)
        self.wrong += [answer for answer in answers if without_state(answer) != without_state(answers[0])]

    def _asked(self, said: dict[str, Any]) -> list[Any]:
        encrypted = self.chance.random() < 0.5
        body = json.dumps(self.pos.encrypted(said) if encrypted else said).encode()
        if self.chance.random() < 0.33:
            self._hung_up(body)
            return []
        status, answer = self.pos.post(body, x_api_key=self.pos.token)
        opened = self.pos.opened(answer) if encrypted and status == 200 else answer
        return self._yes(opened["SaleToPOIResponse"]["LoyaltyResponse"]) if status == 200 else []

    def _told(self, number: int) -> list[Any]:
        """What a POS asks that has crashed; only a sale that is recorded has an answer."""
        status = message("TransactionStatus", status_of("Loyalty", f"{number}"), f"q{number}")
        code, answer = self.pos.plain(status)
        if code != 200:
            return []
        body = answer["SaleToPOIResponse"]["TransactionStatusResponse"]
        if condition(body) != "Success":
            return []
        return self._yes(body["RepeatedMessageResponse"]["RepeatedResponseMessageBody"]["LoyaltyResponse"])

    def _yes(self, body: dict[str, Any]) -> list[Any]:
        return [body] if condition(body) == "Success" else []

    def _hung_up(self, body: bytes) -> None:
        head = f"POST /nexo/ HTTP/1.1\r\nHost: {self.till.host}:8443\r\nContent-Type: application/json\r\n"
        head += f"x-api-key: {self.pos.token}\r\nContent-Length: {len(body)}\r\n\r\n"
        whole = self.chance.random() < 0.7
        with self.pos.connect() as line:
            line.sendall(head.encode() + (body if whole else body[: self.chance.randint(0, len(body))]))


@pytest.mark.timeout(900)
def test_a_pos_that_repeats_everything_and_a_till_that_is_killed_never_double_a_point(
    tmp_path: Path, ledger: LedgerProcess
) -> None:
    """Each sale has its own number of points, so the sum tells of any that is lost or counted twice."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    till = NexoTill(tmp_path / "till", f"http://127.0.0.1:{ledger.port}")
    till.start()
    hasty = HastyPos(till, seed)
    failures: list[BaseException] = []
    sold = threading.Semaphore(0)

    def work() -> None:
        try:
            for number in range(1, SALES + 1):
                hasty.sell(number)
                sold.release()
        except BaseException as error:
            failures.append(error)
            raise

    counter = threading.Thread(target=work, daemon=True)
    try:
        counter.start()
        for _ in range(KILLS):
            for _ in range(hasty.chance.randint(1, SALES // KILLS)):
                assert sold.acquire(timeout=180)
            hasty.up.clear()
            till.kill()
            till.start()
            hasty.up.set()
        counter.join(300)
        assert not counter.is_alive()
        assert failures == []
        assert hasty.wrong == []
        till.drain()
        assert ledger.account(CARD)["points"] == SALES * (SALES + 1) // 2
    finally:
        hasty.up.set()
        till.kill()
