"""The unmodified client library in front of the real till: every message, encrypted and in the clear."""

import itertools
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.acceptance.nexo_rig import (
    CARD,
    NexoPos,
    NexoTill,
    account,
    loyalty,
    node,
    points,
    pos_at,
    sale,
    status_of,
    wait_for_read,
)
from tests.acceptance.rig import LedgerProcess, tilld

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = datetime.now(UTC).isoformat(timespec="seconds")
SOFTWARE = {"ManufacturerID": "x", "ApplicationName": "x", "SoftwareVersion": "1", "CertificationCode": "x"}
ACQUISITION = {"SaleData": sale("a-1", NOW), "CardAcquisitionTransaction": {"LoyaltyHandling": "Required"}}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerProcess]:
    ledger = LedgerProcess(tmp_path_factory.mktemp("ledger"))
    ledger.start("--unknown-cards", "register", "--enrolment", "open")
    yield ledger
    ledger.stop()


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory, ledger: LedgerProcess) -> Iterator[NexoTill]:
    chosen = 'brand = "corner-club"\ndisplay = true'
    till = NexoTill(tmp_path_factory.mktemp("nexo"), f"http://127.0.0.1:{ledger.port}", nexo=chosen)
    till.start()
    till.wait_for_readers()
    yield till
    till.stop()


@pytest.fixture(scope="module")
def pos(till: NexoTill) -> Iterator[NexoPos]:
    with pos_at(till) as pos:
        yield pos


def told(body: dict[str, Any]) -> dict[str, str]:
    """AdditionalResponse."""
    return {name: values[0] for name, values in parse_qs(body["Response"]["AdditionalResponse"]).items()}


def outcome(body: dict[str, Any]) -> str:
    """`Success`, or the ErrorCondition."""
    response = body["Response"]
    return str(response.get("ErrorCondition", response["Result"]))


def award(pos: NexoPos, name: str, value: float = 24, **step: Any) -> Any:
    return pos.ask("Loyalty", loyalty("Award", {**account(), **points(value)}, sale(name, NOW)), **step)


def test_a_card_is_read_and_earns(till: NexoTill, pos: NexoPos) -> None:
    """An acquisition that a tap answers, and an Award that names it: as the library's own models keep them."""
    transaction = {"LoyaltyHandling": "Required", "AllowedLoyaltyBrand": ["corner-club"], "ForceEntryMode": ["Scanned"]}
    asked = {"SaleData": sale("a-1", NOW, OperatorID="lea"), "CardAcquisitionTransaction": transaction}
    number = pos.send("CardAcquisition", asked)
    wait_for_read(pos, number)
    tilld("tap", CARD, "--state", till.state)
    read = pos.heard(number)["heard"]["CardAcquisitionResponse"]
    assert outcome(read) == "Success"
    assert read["SaleData"]["OperatorID"] == "lea"
    shown = read["LoyaltyAccount"][0]
    assert (shown["LoyaltyBrand"], shown["LoyaltyAccountID"]["LoyaltyID"]) == ("corner-club", CARD)
    assert shown["LoyaltyAccountID"]["EntryMode"] == ["Scanned"]
    card = {"CardAcquisitionReference": read["POIData"]["POITransactionID"]}
    earned = pos.ask("Loyalty", loyalty("Award", {**card, **points(24)}, sale("a-1", NOW, OperatorID="lea")))
    assert outcome(earned) == "Success"
    assert told(earned)["syncState"] in {"queued", "accepted", "posted"}
    moved = earned["LoyaltyResult"][0]
    assert moved["LoyaltyAccount"] == shown
    assert (moved["LoyaltyAmount"], moved["CurrentBalance"]) == ({"LoyaltyUnit": "Point", "Value": 24}, 24)
    assert moved["LoyaltyAcquirerData"]["LoyaltyTransactionID"] == earned["POIData"]["POITransactionID"]
    asked = {"LoyaltyAccountReq": card}
    assert pos.ask("BalanceInquiry", asked)["LoyaltyAccountStatus"]["CurrentBalance"] == 24


def test_every_way_of_loyalty_and_back(till: NexoTill, pos: NexoPos) -> None:
    """Money and points earned, redeemed and rebated; each refund takes its own kind back, and no other."""
    card = account("2990000000031")
    earned = pos.ask("Loyalty", loyalty("Award", card, sale("e-1", NOW), TotalAmount=150.90, Currency="EUR"))
    assert earned["LoyaltyResult"][0]["LoyaltyAmount"]["Value"] == 150
    till.drain()
    redeemed = pos.ask_ledger("Loyalty", loyalty("Redemption", {**card, **points(30)}, sale("e-2", NOW)), "e-2")
    assert (outcome(redeemed), redeemed["LoyaltyResult"][0]["CurrentBalance"]) == ("Success", 120)
    assert redeemed["LoyaltyResult"][0]["LoyaltyAcquirerData"]["ApprovalCode"]
    rebated = pos.ask_ledger("Loyalty", loyalty("Rebate", {**card, **points(20)}, sale("e-3", NOW)), "e-3")
    assert rebated["LoyaltyResult"][0]["Rebates"]["TotalRebate"] == 0.2
    for kind, original, left in (("RedemptionRefund", redeemed, 130), ("RebateRefund", rebated, 150)):
        first = {"OriginalPOITransaction": {"POITransactionID": original["POIData"]["POITransactionID"]}}
        wrong = pos.ask("Loyalty", loyalty("AwardRefund", None, sale("e-4", NOW), **first))
        assert outcome(wrong) == "NotAllowed"
        back = pos.ask("Loyalty", loyalty(kind, None, sale("e-5", NOW), **first))
        assert (outcome(back), back["LoyaltyResult"][0]["CurrentBalance"]) == ("Success", left)
    first = {"OriginalPOITransaction": {"POITransactionID": earned["POIData"]["POITransactionID"]}}
    part = pos.ask("Loyalty", loyalty("AwardRefund", points(50), sale("e-6", NOW), **first))
    assert part["LoyaltyResult"][0]["CurrentBalance"] == 100
    some = {"TotalAmount": 20.50, "Currency": "EUR"}
    part = pos.ask("Loyalty", loyalty("AwardRefund", None, sale("e-8", NOW), **first, **some))
    assert part["LoyaltyResult"][0]["CurrentBalance"] == 80
    much = pos.ask_ledger("Loyalty", loyalty("Redemption", {**card, **points(5000)}, sale("e-7", NOW)), "e-7")
    assert outcome(much) == "Refusal"
    assert "No points moved" in told(much)["message"]


def test_a_sale_without_a_card_has_a_claim_code(pos: NexoPos) -> None:
    """The protocol has no field for it, so it is in AdditionalResponse."""
    earned = pos.ask("Loyalty", loyalty("Award", None, sale("c-1", NOW), TotalAmount=30, Currency="EUR"))
    assert told(earned)["claim"].startswith("TILLD1:")


def test_the_same_message_counts_once(pos: NexoPos) -> None:
    """Repeated as it was it hears its first answer; another one under its ServiceID is refused."""
    first = award(pos, "r-1", number="again-1")
    assert award(pos, "r-1", number="again-1") == first
    other = award(pos, "r-1", 25, number="again-1")
    assert outcome(other) == "NotAllowed"
    assert "48 hours" in told(other)["message"]


def test_a_lost_answer_is_told_again(ledger: LedgerProcess, till: NexoTill, pos: NexoPos) -> None:
    """The POS hangs up while the till waits for the ledger; TransactionStatus tells it of the end."""
    card, left = account("2990000000109"), 500
    assert outcome(pos.ask("Loyalty", loyalty("Award", {**card, **points(left)}, sale("l-1", NOW)))) == "Success"
    till.drain()
    for number in map("lost-{}".format, itertools.count()):
        request = loyalty("Redemption", {**card, **points(20)}, sale(number, NOW))
        is_lost, again = hung_up(ledger, pos, request, number)
        repeated = again.get("RepeatedMessageResponse", {})
        answer = repeated.get("RepeatedResponseMessageBody", {}).get("LoyaltyResponse")
        is_done = answer is not None and outcome(answer) == "Success"
        left -= 20 * is_done
        # On a slow machine a customer's time may be up before the ledger goes on: then nothing has moved.
        if is_lost and is_done:
            break
    assert repeated["MessageHeader"]["ServiceID"] == number
    assert answer["LoyaltyResult"][0]["CurrentBalance"] == left
    assert pos.ask("Loyalty", request, number) == answer
    assert pos.ask("TransactionStatus", {})["MessageReference"]["ServiceID"] == number


def hung_up(ledger: LedgerProcess, pos: NexoPos, request: object, number: str) -> tuple[bool, Any]:
    """Whether the till was still at it when the POS had hung up, and what TransactionStatus tells in the end."""
    assert ledger.child is not None
    ledger.child.send_signal(signal.SIGSTOP)
    try:
        lost = pos.ask("Loyalty", request, number, timeout=1000)
        status = status_of("Loyalty", number)
        is_lost = "socket hang up" in lost and outcome(pos.ask("TransactionStatus", status)) == "InProgress"
    finally:
        ledger.child.send_signal(signal.SIGCONT)
    while outcome(again := pos.ask("TransactionStatus", status)) == "InProgress":
        pass
    return is_lost, again


def test_a_read_is_aborted(pos: NexoPos) -> None:
    """Abort has no answer of its own; the one that it names hears Aborted."""
    number = pos.send("CardAcquisition", ACQUISITION)
    wait_for_read(pos, number)
    second = pos.ask("CardAcquisition", ACQUISITION, timeout=5000)
    assert outcome(second) == "Busy"
    reference = {"MessageCategory": "CardAcquisition", "ServiceID": number, "SaleID": "TILL-04"}
    assert pos.ask("Abort", {"AbortReason": "customer left", "MessageReference": reference}) == {}
    assert outcome(pos.heard(number)["heard"]["CardAcquisitionResponse"]) == "Aborted"


def test_reversal(pos: NexoPos) -> None:
    """A sale is voided; a second time there is nothing left."""
    earned = award(pos, "v-1", 10)
    original = {"POITransactionID": earned["POIData"]["POITransactionID"]}
    asked = {"OriginalPOITransaction": original, "ReversalReason": "CustCancel", "SaleData": sale("v-2", NOW)}
    voided = pos.ask("Reversal", asked, "void-1")
    assert outcome(voided) == "Success"
    again = pos.ask("TransactionStatus", status_of("Reversal", "void-1"))["RepeatedMessageResponse"]
    assert again["RepeatedResponseMessageBody"]["ReversalResponse"] == voided
    assert outcome(pos.ask("Reversal", {**asked, "SaleData": sale("v-3", NOW)})) == "NotAllowed"
    unknown = {**asked, "OriginalPOITransaction": {"POITransactionID": {"TransactionID": "none", "TimeStamp": NOW}}}
    assert outcome(pos.ask("Reversal", unknown)) == "NotFound"
    paid = pos.ask("Loyalty", loyalty("Award", account(), sale("v-4", NOW), TotalAmount=24.90, Currency="EUR"))
    asked = {**asked, "OriginalPOITransaction": {"POITransactionID": paid["POIData"]["POITransactionID"]}}
    assert pos.ask("Reversal", {**asked, "ReversedAmount": 5})["ReversedAmount"] == 5
    given = {
        **asked,
        "OriginalPOITransaction": {"POITransactionID": award(pos, "v-5", 240)["POIData"]["POITransactionID"]},
    }
    assert outcome(pos.ask("Reversal", {**given, "ReversedAmount": 24.90})) == "MessageFormat"


def stored(kind: str, *numbers: str, **item: Any) -> list[dict[str, Any]]:
    account = {"StoredValueAccountType": "Other", "EntryMode": ["Keyed"], "IdentificationType": "AccountNumber"}
    return [
        {"StoredValueTransactionType": kind, "StoredValueAccountID": {**account, "Value": number}, **item}
        for number in numbers
    ]


def test_stored_value(till: NexoTill, pos: NexoPos) -> None:
    """A card is activated, loaded, its points reserved and given back, and another takes its place."""
    old, new = "2990000000048", "2990000000055"

    def ask(*data: dict[str, Any], number: str | None = None) -> Any:
        request = {"SaleData": sale("s-1", NOW), "StoredValueData": list(data)}
        return pos.ask_ledger("StoredValue", request, number) if number else pos.ask("StoredValue", request)

    assert outcome(ask(*stored("Activate", old))) == "Success"
    loaded = ask(*stored("Load", old, ItemAmount=100))
    assert loaded["StoredValueResult"][0]["StoredValueAccountStatus"]["CurrentBalance"] == 100
    till.drain()
    held = ask(*stored("Reserve", old, ItemAmount=40), number="hold-1")
    assert held["StoredValueResult"][0]["ItemAmount"] == 40
    again = pos.ask("TransactionStatus", status_of("StoredValue", "hold-1"))["RepeatedMessageResponse"]
    assert again["RepeatedResponseMessageBody"]["StoredValueResponse"] == held
    original = {"POITransactionID": held["POIData"]["POITransactionID"]}
    assert outcome(ask(*stored("Reverse", old, OriginalPOITransaction=original))) == "Success"
    replaced = ask(*stored("Duplicate", old, new))
    account = replaced["StoredValueResult"][0]["StoredValueAccountStatus"]["StoredValueAccountID"]
    assert account["Value"] == new
    assert outcome(ask(*stored("Duplicate", old))) == "MessageFormat"
    till.drain()
    asked = {"LoyaltyAccountReq": account_of(new)}
    assert pos.ask("BalanceInquiry", asked)["LoyaltyAccountStatus"]["CurrentBalance"] == 100


def account_of(number: str) -> dict[str, Any]:
    return account(number, "Keyed")


def card_reads(till: NexoTill) -> Iterator[dict[str, Any]]:
    """What the till's events tell of cards, from the first on."""
    rest = till.pos()
    with closing(rest):
        rest.connection.request("GET", "/v1/events?after=first", headers={"Authorization": f"Bearer {rest.token}"})
        events = rest.connection.getresponse()
        while line := events.readline():
            if line.startswith(b"event: card_read\n"):
                yield json.loads(events.readline().removeprefix(b"data: "))


def test_a_read_of_the_other_dialect_is_a_card_too(till: NexoTill, pos: NexoPos) -> None:
    """The shop's own page has read it; balance and sale take its name alike, and an unknown one alike."""
    tilld("tap", "2990000000178", "--state", till.state)
    read = next(told["read_id"] for told in card_reads(till) if told["card"]["number"] == "2990000000178")
    known, none = ({"TransactionID": name, "TimeStamp": NOW} for name in (read, "read-none"))
    for reference, expected in ((known, "Success"), (none, "NotFound")):
        card = {"CardAcquisitionReference": reference}
        assert outcome(pos.ask("Loyalty", loyalty("Award", {**card, **points(5)}, sale("b-1", NOW)))) == expected
        assert outcome(pos.ask("BalanceInquiry", {"LoyaltyAccountReq": card})) == expected


def test_a_card_is_replaced_and_a_pass_started_by_admin(pos: NexoPos) -> None:
    """The protocol's door for what it has no message for."""
    assert "due" in told(pos.ask("Admin", {"ServiceIdentification": "tilld:sync"}))
    replace = {"ServiceIdentification": "tilld:replace-card?card=2990000000062&successor=2990000000079"}
    first = pos.ask("Admin", replace, "admin-1")
    assert (outcome(first), pos.ask("Admin", replace, "admin-1")) == ("Success", first)
    assert outcome(pos.ask("Admin", {"ServiceIdentification": "tilld:replace-card?card=1"})) == "MessageFormat"
    assert outcome(pos.ask("Admin", {"ServiceIdentification": "barcode"})) == "UnavailableService"


def test_login_diagnosis_logout(pos: NexoPos) -> None:
    """Who works here, and how the till is."""
    request = {"DateTime": NOW, "SaleSoftware": SOFTWARE, "OperatorLanguage": "fr"}
    logged = pos.ask("Login", request)
    assert outcome(logged) == "Success"
    assert logged["POISystemData"]["POISoftware"]["ApplicationName"] == "tilld"
    how = pos.ask("Diagnosis", {"HostDiagnosisFlag": True})
    assert how["LoggedSaleID"] == ["TILL-04"]
    assert how["POIStatus"] == {"GlobalStatus": "OK", "CardReaderOKFlag": True, "CommunicationOKFlag": True}
    assert how["HostStatus"] == [{"AcquirerID": "127.0.0.1", "IsReachableFlag": True}]
    assert told(how)["readers"] == "simulated:ready"
    assert outcome(pos.ask("Logout", {})) == "Success"
    assert pos.ask("Diagnosis", {}).get("LoggedSaleID", []) == []


def test_a_no_is_said_in_the_operators_language(till: NexoTill, pos: NexoPos) -> None:
    """The message's, else that of the login, else the till's own; the condition is the same."""

    def short(name: str, **operator: str) -> str:
        asked = loyalty("Award", {**account("12"), **points(5)}, sale(name, NOW, **operator))
        no = pos.ask("Loyalty", asked)
        assert outcome(no) == "InvalidCard"
        return told(no)["message"]

    english, french = "This is shorter than any number", "C'est plus court que tout numéro"
    assert short("o-1").startswith(english)
    assert short("o-2", OperatorLanguage="fr").startswith(french)
    login = {"DateTime": NOW, "SaleSoftware": SOFTWARE, "OperatorLanguage": "fr"}
    assert outcome(pos.ask("Login", login)) == "Success"
    assert short("o-3").startswith(french)
    assert short("o-4", OperatorLanguage="en").startswith(english)
    assert short("o-5", OperatorLanguage="de").startswith(french)
    assert outcome(pos.ask("Logout", {})) == "Success"
    assert short("o-6").startswith(english)


def test_swipe_ahead(till: NexoTill, pos: NexoPos) -> None:
    """The customer taps first; the acquisition that follows has the card at once."""
    start = {"TransactionAction": "StartTransaction", "ServicesEnabled": ["CardAcquisition"]}
    assert outcome(pos.ask("EnableService", start)) == "Success"
    tilld("tap", "2990000000086", "--state", till.state)
    read = pos.ask("CardAcquisition", ACQUISITION)
    assert read["LoyaltyAccount"][0]["LoyaltyAccountID"]["LoyaltyID"] == "2990000000086"
    assert outcome(pos.ask("EnableService", start)) == "Success"
    assert outcome(pos.ask("EnableService", start, sale="TILL-05")) == "Busy"
    assert outcome(pos.ask("EnableService", {"TransactionAction": "AbortTransaction"})) == "Success"
    assert outcome(pos.ask("EnableService", start, sale="TILL-05")) == "Success"
    assert outcome(pos.ask("EnableService", {"TransactionAction": "AbortTransaction"}, sale="TILL-05")) == "Success"


def test_a_card_that_came_ahead_must_be_one_that_is_wanted(till: NexoTill, pos: NexoPos) -> None:
    """A bar code does where it may be scanned; where a tap is wanted, the customer is asked again."""
    start = {"TransactionAction": "StartTransaction"}
    for mode, card in (("Scanned", "2990000000116"), ("Contactless", "2990000000123")):
        assert outcome(pos.ask("EnableService", start)) == "Success"
        tilld("tap", card, "--state", till.state)
        number = pos.send("CardAcquisition", acquisition(mode))
        if mode == "Contactless":
            wait_for_read(pos, number)
            reference = {"MessageCategory": "CardAcquisition", "ServiceID": number, "SaleID": "TILL-04"}
            pos.ask("Abort", {"AbortReason": "test", "MessageReference": reference})
        heard = pos.heard(number)["heard"]["CardAcquisitionResponse"]
        assert outcome(heard) == ("Success" if mode == "Scanned" else "Aborted")


def acquisition(mode: str) -> dict[str, Any]:
    transaction = {"LoyaltyHandling": "Required", "ForceEntryMode": [mode]}
    return {"SaleData": sale("a-2", NOW), "CardAcquisitionTransaction": transaction}


def test_display_and_input(till: NexoTill, pos: NexoPos) -> None:
    """The cashier's page shows a text; nothing of the till shows or takes anything else."""
    text = {"OutputFormat": "Text", "OutputText": [{"Text": "Ask for the loyalty card"}]}
    outputs = [
        {"Device": device, "InfoQualify": "Display", "OutputContent": text}
        for device in ("CashierDisplay", "CustomerDisplay")
    ]
    shown = pos.ask("Display", {"DisplayOutput": outputs}, **{"class": "Device"})
    assert [outcome(result) for result in shown["OutputResult"]] == ["Success", "UnavailableDevice"]
    data = {"Device": "CashierInput", "InfoQualify": "Input", "InputCommand": "GetConfirmation"}
    no = pos.ask("Input", {"InputData": data}, **{"class": "Device"})
    assert outcome(no["InputResult"]) == "UnavailableDevice"


def test_what_the_till_does_not_do_is_said(pos: NexoPos) -> None:
    """No payment, and no message for another terminal."""
    payment = {
        "SaleData": sale("p-1", NOW),
        "PaymentTransaction": {"AmountsReq": {"Currency": "EUR", "RequestedAmount": 1}},
    }
    assert outcome(pos.ask("Payment", payment)) == "UnavailableService"
    assert outcome(award(pos, "p-2", poi="OTHER-1")) == "NotAllowed"
    assert outcome(award(pos, "p-3", 0.5)) == "MessageFormat"
    assert outcome(pos.ask("TransactionStatus", status_of("Loyalty", "never"))) == "NotFound"
    blocked = "2990000000093"
    tilld("card", "block", blocked, "--state", pos.state)
    data = {**account(blocked), **points(5)}
    assert outcome(pos.ask("Loyalty", loyalty("Award", data, sale("p-4", NOW)))) == "NotAllowed"
    payment_card = {**account("4111111111111111"), **points(5)}
    assert outcome(pos.ask("Loyalty", loyalty("Award", payment_card, sale("p-5", NOW)))) == "InvalidCard"


FAMILIES: list[tuple[str, dict[str, Any]]] = [
    ("Login", {"DateTime": NOW, "SaleSoftware": SOFTWARE, "OperatorLanguage": "fr"}),
    ("EnableService", {"TransactionAction": "AbortTransaction"}),
    ("Admin", {"ServiceIdentification": "tilld:sync"}),
    ("StoredValue", {"SaleData": sale("f-1", NOW), "StoredValueData": stored("Activate", "2990000000130")}),
    ("StoredValue", {"SaleData": sale("f-2", NOW), "StoredValueData": stored("Load", "2990000000130", ItemAmount=5)}),
    ("Diagnosis", {"HostDiagnosisFlag": True}),
    ("BalanceInquiry", {"LoyaltyAccountReq": account()}),
    ("TransactionStatus", {}),
    ("Logout", {}),
]


@pytest.mark.parametrize(("library", "form"), [("adyen-32", "plain"), ("adyen-24", "encrypted"), ("adyen-17", "plain")])
def test_other_versions_and_the_clear_form(till: NexoTill, library: str, form: str) -> None:
    """Each family of messages; the clear form with the POS's token, and with nothing else."""
    name = f"{library}-{form}"
    with pos_at(till, library, form=form) as pos:
        number = pos.send("CardAcquisition", ACQUISITION, sale=name)
        reference = {"MessageCategory": "CardAcquisition", "ServiceID": number, "SaleID": name}
        while outcome(pos.ask("TransactionStatus", {"MessageReference": reference}, sale=name)) != "InProgress":
            pass
        assert pos.ask("Abort", {"AbortReason": "x", "MessageReference": reference}, sale=name) == {}
        assert outcome(pos.heard(number)["heard"]["CardAcquisitionResponse"]) == "Aborted"
        earned = award(pos, name, sale=name)
        assert earned["LoyaltyResult"][0]["LoyaltyAccount"]["LoyaltyAccountID"]["LoyaltyID"] == CARD
        original = {"POITransactionID": earned["POIData"]["POITransactionID"]}
        asked = {"OriginalPOITransaction": original, "ReversalReason": "CustCancel"}
        assert outcome(pos.ask("Reversal", asked, sale=name)) == "Success"
        for category, request in FAMILIES:
            assert outcome(pos.ask(category, request, sale=name)) == "Success", category
        text = {"OutputFormat": "Text", "OutputText": [{"Text": "hello"}]}
        output = {"Device": "CashierDisplay", "InfoQualify": "Status", "OutputContent": text}
        shown = pos.ask("Display", {"DisplayOutput": [output]}, sale=name, **{"class": "Device"})
        assert outcome(shown["OutputResult"][0]) == "Success"
        if form == "plain":
            refused = award(pos, f"{name}-2", sale=name, apiKey="not-the-token")
            assert "401" in refused
            assert "pos.token" in refused


def test_the_example_of_the_docs(till: NexoTill, tmp_path: Path) -> None:
    """As it is printed, with this till's own places and today's date."""
    [example] = re.findall(r"```js\n(.*?)```", (ROOT / "docs" / "nexo.md").read_text(), re.DOTALL)
    places = {
        "/var/lib/tilld": str(till.state),
        "https://127.0.0.1": f"https://{till.host}",
        "2026-11-21T17:03:40+01:00": NOW,
        "@adyen/api-library": str(ROOT / "tests" / "node" / "node_modules" / "adyen-32"),
    }
    for printed, here in places.items():
        assert printed in example
        example = example.replace(printed, here)
    script = tmp_path / "example.js"
    script.write_text(f"(async () => {{ {example}; console.log(JSON.stringify(answer)); }})();")
    done = subprocess.run([node(), script], capture_output=True, text=True, timeout=60, check=True)
    answer = json.loads(done.stdout)["SaleToPOIResponse"]["LoyaltyResponse"]
    assert (outcome(answer), answer["LoyaltyResult"][0]["LoyaltyAmount"]["Value"]) == ("Success", 24)


def test_an_ordinary_client_trusts_the_authority(till: NexoTill) -> None:
    """No terminal's name and no setting of the library: Node's own check, with the authority among those it knows."""
    program = (
        "require('https').request({host: process.argv[1], port: 8443, path: '/nexo/', method: 'POST'},"
        " answer => { console.log(answer.statusCode); process.exit(); })"
        ".on('error', error => console.log(error.code)).end()"
    )
    for trusted, heard in (({"NODE_EXTRA_CA_CERTS": str(till.state / "nexo-ca.pem")}, "4"), ({}, "UNABLE_TO_")):
        done = subprocess.run(
            [node(), "-e", program, till.host],
            capture_output=True, text=True, timeout=60, check=True, env={**os.environ, **trusted},
        )  # fmt: skip
        assert done.stdout.startswith(heard), done
