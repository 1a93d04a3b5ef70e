"""Disputes settled with real processes: at the till by program and by hand, at the office, and with the till down."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from terminal.commands import client
from tests.acceptance.rig import LedgerProcess, Pos, TillProcess, asked, tilld

CARD = "2990000000017"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    process = LedgerProcess(tmp_path)
    process.start("--unknown-cards", "register", "--enrolment", "open")
    yield process
    process.stop()


@pytest.fixture
def till(tmp_path: Path, ledger: LedgerProcess) -> Iterator[TillProcess]:
    process = TillProcess(tmp_path / "till", f"http://127.0.0.1:{ledger.port}", extra='[terminal]\nlanguage = "en"\n')
    process.start()
    yield process
    process.stop()


def sold_twice(pos: Pos, number: str) -> str:
    """Two sales of 10 and 40 points on one receipt; the id of the second, which waits for a person."""
    ids = []
    for points in (10, 40):
        receipt = {"number": number, "issued_at": "2026-03-01T10:00:00Z"}
        fields: dict[str, Any] = {"card": {"number": CARD}, "points": points, "receipt": receipt}
        status, answer = pos.transaction(f"{number}-{points}", "earn", **fields)
        assert status == 201
        ids.append(answer["id"])
    return str(ids[1])


def wait_for_conflict(till: TillProcess, entry_id: str, state: str) -> Any:
    """The event that says so; those of before are heard again."""
    for event in client.watch(till.state / "tilld.sock", "first"):
        if event.kind == "conflict" and (event.data["id"], event.data["state"]) == (entry_id, state):
            return event.data
    raise AssertionError(f"the till stopped before {entry_id} was {state}")


def test_a_pos_and_a_person_settle_disputes(till: TillProcess, ledger: LedgerProcess) -> None:
    """One by REST, one by hand: the points follow, the inbox empties, the account explains it."""
    pos, where = till.pos(), ("--state", till.state, "--config", till.config)
    first, second = sold_twice(pos, "R1"), sold_twice(pos, "R2")
    told = wait_for_conflict(till, second, "parked")
    assert (told["code"], told["sentence"][:12]) == ("receipt_duplicate", "This receipt")
    entries = asked("conflicts", "list", *where)["entries"]
    assert [entry["id"] for entry in entries] == [first, second]
    assert pos.ask("GET", "/v1/status")[1]["queue"]["conflicts"] == 2
    open_one = tilld("conflicts", "show", second, *where).stdout
    assert f"tilld conflicts resolve {second} --decision honour --reason TEXT  (or refuse)" in open_one
    body = {"decision": "honour", "author": "Anne", "reason": "two meals, one receipt"}
    assert pos.ask("POST", f"/v1/conflicts/{first}/resolution", body)[0] == 201
    assert pos.ask("POST", f"/v1/conflicts/{first}/resolution", body)[0] in (200, 409)
    by_hand = ("--decision", "refuse", "--reason", "rung up twice", "--author", "Bob")
    assert tilld("conflicts", "resolve", second, *by_hand, *where).returncode == 0
    assert wait_for_conflict(till, first, "resolved")["detail"] == "by Anne: two meals, one receipt"
    assert wait_for_conflict(till, second, "resolved")["detail"] == "by Bob: rung up twice"
    assert asked("conflicts", "list", *where)["entries"] == []
    assert pos.ask("GET", "/v1/status")[1]["queue"]["conflicts"] == 0
    shown = tilld("conflicts", "show", second, *where)
    assert (shown.returncode, "rung up twice" in shown.stdout, CARD in shown.stdout) == (0, True, False)
    assert ("A person has decided" in shown.stdout, "Decide:" in shown.stdout) == (True, False)
    assert tilld("conflicts", "resolve", second, *by_hand, *where).returncode in (0, 1)
    assert tilld("conflicts", "resolve", "unknown", *by_hand, *where).returncode == 1
    assert ledger.account(CARD)["points"] == 60
    assert asked("ledger", "verify", "--database", ledger.database)["problems"] == []
    pos.close()


def test_with_the_till_down_the_journal_tells(till: TillProcess) -> None:
    """The list is read from the disk and says so; a decision needs the running till."""
    pos, where = till.pos(), ("--state", till.state, "--config", till.config)
    disputed = sold_twice(pos, "R1")
    wait_for_conflict(till, disputed, "parked")
    live = asked("conflicts", "list", *where)["entries"]
    pos.close()
    till.kill()
    down = tilld("conflicts", "list", *where, "--json")
    assert "does not run" in down.stderr
    entries = json.loads(down.stdout)["entries"]
    assert [{**entry, "age_s": 0} for entry in entries] == [{**entry, "age_s": 0} for entry in live]
    assert asked("conflicts", "show", disputed, *where)["code"] == "receipt_duplicate"
    assert tilld("conflicts", "show", "unknown", *where).returncode == 1
    decision = ("--decision", "honour", "--reason", "seen")
    assert tilld("conflicts", "resolve", disputed, *decision, *where).returncode == 3
    till.start()


def test_the_office_settles_and_the_till_hears_of_it(till: TillProcess, ledger: LedgerProcess) -> None:
    """By the books themselves, with the server up; the till's inbox empties and its balance follows."""
    pos = till.pos()
    disputed = sold_twice(pos, "R1")
    wait_for_conflict(till, disputed, "parked")
    books = ("--database", ledger.database)
    (flag,) = asked("ledger", "conflicts", *books)
    assert flag["name"] == disputed
    looked = asked("ledger", "conflicts", "show", disputed, *books)
    assert (looked["honour"]["balance"], looked["refuse"]["balance"]) == (50, 10)
    word = ("--honour", "--author", "Office", "--reason", "two meals")
    assert tilld("ledger", "conflicts", "resolve", disputed, *word, *books).returncode == 0
    till.drain()
    assert wait_for_conflict(till, disputed, "resolved")["detail"] == "by Office: two meals"
    assert pos.ask("GET", f"/v1/transactions/{disputed}")[1]["state"] == "resolved"
    assert pos.ask("GET", f"/v1/cards/{CARD}")[1]["balance"]["points"] == 50
    pos.close()
