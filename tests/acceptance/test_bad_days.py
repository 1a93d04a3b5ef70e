"""What a shop's worst days bring: the till says what happened, loses nothing and goes on."""

import contextlib
import http.client
import json
import os
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.line import Faults, Line
from tests.acceptance.rig import LedgerProcess, TillProcess, asked, tilld

CARD = {"number": "2990000000017"}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    process = LedgerProcess(tmp_path)
    process.start("--enrolment", "open", "--unknown-cards", "register")
    yield process
    process.stop()


@pytest.fixture
def till(tmp_path: Path, ledger: LedgerProcess) -> Iterator[TillProcess]:
    process = TillProcess(tmp_path, f"http://127.0.0.1:{ledger.port}")
    yield process
    process.stop()


def refused_start(till: TillProcess) -> str:
    """What `tilld run` says when it will not start."""
    done = tilld("run", "--config", till.config, "--state", till.state)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("harm", ["truncated", "foreign", "garbage"])
def test_a_journal_that_is_not_whole_is_refused_and_kept(till: TillProcess, harm: str) -> None:
    """The till does not start on it, says what to do, and leaves every byte of it as it was."""
    till.start()
    pos = till.pos()
    for n in range(50):
        assert pos.transaction(f"k{n}", "earn", card=CARD, points=5)[0] == 201
    pos.close()
    till.stop()
    journal = till.state / "journal.db"
    whole = journal.read_bytes()
    harmed = {"truncated": whole[: len(whole) // 2], "foreign": foreign_database(till.state), "garbage": b"\xff" * 5000}
    journal.write_bytes(harmed[harm])
    said = refused_start(till)
    assert "journal.db" in said
    assert "points" in said.lower()
    assert "mv " in said
    assert journal.read_bytes() == harmed[harm]
    assert not (till.state / "journal.db-wal").exists()
    journal.write_bytes(whole)
    till.start()
    assert asked("queue", "verify", "--state", till.state)["ok"]


def foreign_database(folder: Path) -> bytes:
    file = folder / "foreign.db"
    with contextlib.closing(sqlite3.connect(file)) as recipes:
        recipes.execute("CREATE TABLE recipe (name TEXT)")
    return file.read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_full_disk_refuses_sales_and_recovers_by_itself(till: TillProcess) -> None:
    """503 `not_recorded` while there is no room, nothing half-written, and sales again once there is."""
    till.state.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", till.state], check=True)
    try:
        till.start()
        pos = till.pos()
        assert pos.transaction("before", "earn", card=CARD, points=1)[0] == 201
        fill(till.state / "ballast")
        said = {}
        for n in range(200):
            said[f"full-{n}"] = pos.transaction(f"full-{n}", "earn", card=CARD, points=1)
        refused = [key for key, (status, _) in said.items() if status != 201]
        assert refused
        assert {said[key][1]["code"] for key in refused} == {"not_recorded"}
        assert {said[key][0] for key in refused} == {503}
        (till.state / "ballast").unlink()
        assert pos.transaction(refused[0], "earn", card=CARD, points=1)[0] == 201
        assert pos.transaction("after", "earn", card=CARD, points=1)[0] == 201
        for key in refused[1:]:
            assert pos.ask("GET", f"/v1/transactions?idempotency_key={key}")[0] == 404
        till.drain()
        pos.close()
        assert asked("queue", "verify", "--state", till.state)["ok"]
    finally:
        till.stop()
        subprocess.run(["umount", till.state], check=True)


def fill(file: Path) -> None:
    """Takes the last free byte of a small disk."""
    with file.open("wb", buffering=0) as ballast:
        for size in (65536, 4096, 1):
            try:
                while True:
                    ballast.write(b"\0" * size)
            except OSError:
                continue


def test_an_unreadable_config_is_told_at_once(till: TillProcess) -> None:
    """All mistakes in one go, each with a suggestion, and exit code 2."""
    till.config.write_text('[terminal]\nidd = "x"\n[[reader]]\nname = "a"\ndriver = "pcsk"\n')
    said = refused_start(till)
    assert "idd" in said
    assert "pcsc" in said
    till.config.write_text("[terminal\n")
    assert "line 1" in refused_start(till)


def test_a_ledger_that_answers_html_is_silence(till: TillProcess, ledger: LedgerProcess) -> None:
    """A captive portal takes nothing over: sales go on, and everything arrives when the real ledger is back."""
    line = Line(("127.0.0.1", ledger.port), Faults(html=1.0))
    try:
        till.config.write_text(till.config.read_text().replace(f"http://127.0.0.1:{ledger.port}", line.url))
        till.start()
        pos = till.pos()
        for n in range(5):
            assert pos.transaction(f"k{n}", "earn", card=CARD, points=3)[0] == 201
        assert pos.ask("GET", "/v1/status")[1]["queue"]["queued"] == 5
        line.faults = Faults()
        till.drain()
        pos.close()
        assert ledger.account(CARD["number"])["points"] == 15
    finally:
        line.close()


def test_a_port_in_use_is_named(till: TillProcess) -> None:
    """The till says which port, and what to do about it, instead of half starting."""
    with socket.create_server(("127.0.0.1", till.port)):
        said = refused_start(till)
    assert str(till.port) in said
    assert "listen" in said


def test_a_second_till_on_the_same_folder_is_told_who_holds_it(till: TillProcess) -> None:
    """Two writers of one journal would be the end of it."""
    till.start()
    assert till.child is not None
    assert str(till.child.pid) in refused_start(till)


def test_without_pcscd_the_till_sells(till: TillProcess, tmp_path: Path) -> None:
    """A missing card service is that reader's state, with the command that mends it, and nobody else's trouble."""
    till.config.write_text(till.config.read_text() + '[[reader]]\nname = "counter"\ndriver = "pcsc"\n')
    till.start({"PCSCLITE_CSOCK_NAME": str(tmp_path / "no-pcscd")})
    pos = till.pos()
    events = follow(till)
    reader = next(r for r in events if r["name"] == "counter" and r["status"] == "absent")
    assert "pcscd" in reader["remedy"]
    assert pos.transaction("k", "earn", card=CARD, points=3)[0] == 201
    pos.close()


def follow(till: TillProcess) -> Iterator[dict[str, str]]:
    """Every reader's state as it is now, then as it changes."""
    pos = till.pos()
    watcher = http.client.HTTPConnection("127.0.0.1", till.port, timeout=60)
    try:
        watcher.request("GET", "/v1/events", headers={"Authorization": f"Bearer {pos.token}"})
        answer = watcher.getresponse()
        yield from pos.ask("GET", "/v1/status")[1]["readers"]
        while line := answer.readline():
            if line.startswith(b"event: reader_status"):
                while not line.startswith(b"data: "):
                    line = answer.readline()
                yield json.loads(line[6:])
    finally:
        watcher.close()
        pos.close()


def test_oversized_requests_are_refused_and_forgotten(till: TillProcess) -> None:
    """A 10 MB body and a card number of 10,000 characters get a clear no, and the next sale its yes."""
    till.start()
    pos = till.pos()
    big = {"kind": "earn", "card": CARD, "points": 1, "operator": "x" * 10_000_000}
    try:
        status, answer, _ = pos.ask("POST", "/v1/transactions", big, Idempotency_Key="big")
        assert (status, answer["code"]) == (413, "too_large")
    except (BrokenPipeError, ConnectionResetError):
        pass  # The till closes without reading on; whether its answer is still heard is up to the kernel.
    status, answer = pos.transaction("long", "earn", card={"number": "9" * 10_000}, points=1)
    assert status == 422
    assert "9" * 20 not in str(answer)
    assert pos.transaction("fine", "earn", card=CARD, points=1)[0] == 201
    pos.close()


def test_the_state_is_private(till: TillProcess) -> None:
    """Tokens, key and journal are for the till's own user alone."""
    till.start()
    assert till.state.stat().st_mode & 0o777 == 0o700
    for name in ("pos.token", "technician.token", "terminal.key", "journal.db", "directory.db"):
        assert (till.state / name).stat().st_mode & 0o777 == 0o600, name
