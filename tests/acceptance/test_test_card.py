"""`tilld test-card` at the real till, with the simulated reader and its faults: from the first tap to the sheet."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from drivers.base import Technology
from drivers.simulated import Fault, Tap, tap
from terminal.commands import client
from tests.acceptance.rig import TILLD, TillProcess, tilld

NO_LEDGER = "http://127.0.0.1:1"
CARD = "2990000000017"
CHIP = Tap(card=CARD, technology=Technology.NTAG, effort=1, duration_ms=80)
READERS = "".join(f'[[reader]]\nname = "{name}"\ndriver = "simulated"\n' for name in ("counter", "kiosk"))
IDLE = "[cards]\ndebounce_ms = 50\n"


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TillProcess]:
    till = TillProcess(tmp_path_factory.mktemp("trial"), NO_LEDGER, extra=IDLE, readers=READERS)
    till.start()
    yield till
    till.kill()


class Test:
    """`tilld test-card` in a process of its own; `events` are what watchers hear of its trial, from its beginning."""

    __test__ = False

    def __init__(self, till: TillProcess, *options: str, out: int = subprocess.PIPE) -> None:
        self.socket = till.state / "tilld.sock"
        self.reader = till.state / "readers" / "counter.sock"
        before = {trial["id"] for trial in self._trials()}
        command = [*TILLD, "test-card", "--reader", "counter", "--state", str(till.state), *options]
        self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True)
        self.events = (
            event.data
            for event in client.watch(self.socket, "first")
            if event.kind == "trial" and event.data["id"] not in before
        )

    def _trials(self) -> Any:
        return client.ask(self.socket, "GET", "/v1/trials").body["trials"]

    def now(self) -> Any:
        return self._trials()[0]

    def present(self, presented: Sequence[Tap]) -> None:
        """Each as soon as the till has taken the one before."""
        for card in presented:
            next(self.events)
            tap(self.reader, card)

    def end(self) -> tuple[int, str, str]:
        out, errors = self.process.communicate(timeout=120)
        return self.process.returncode, out, errors


def run(till: TillProcess, presented: Sequence[Tap], *options: str) -> tuple[int, str, str]:
    test = Test(till, "--taps", str(len(presented)), *options)
    test.present(presented)
    return test.end()


def test_a_good_reader_gets_its_sheet(till: TillProcess, tmp_path: Path) -> None:
    """A line for each tap, the verdict, exit code 0, and a page that proves itself."""
    sheet = tmp_path / "counter.html"
    others = [Tap(card=f"299000000{n:04}", technology=Technology.NTAG, effort=1, duration_ms=80) for n in range(3)]
    code, out, errors = run(till, others, "--operator", "Anne", "--report", str(sheet))
    assert (code, errors) == (0, ""), out
    assert re.search(r"^tap 1: identified, ntag, •••• 0000, read 80 ms, till \d+ ms$", out, re.MULTILINE), out
    assert "PASS: this reader works." in out
    verified = tilld("test-card", "--verify", sheet, "--state", till.state)
    assert (verified.returncode, "as expected" in verified.stdout) == (0, True), verified.stderr
    forged = tmp_path / "forged.html"
    forged.write_text(sheet.read_text().replace("Anne", "Eve"))
    assert tilld("test-card", "--verify", forged, "--state", till.state).returncode == 1
    elsewhere = tilld("test-card", "--verify", sheet, "--state", tmp_path)
    assert (elsewhere.returncode, "--key" in elsewhere.stderr) == (1, True)


def test_a_reader_that_fails_now_and_then_is_told(till: TillProcess) -> None:
    """For a script: one document with the signed sheet, exit code 1."""
    bad = Tap(fault=Fault.UNREADABLE, technology=Technology.NTAG)
    code, out, _ = run(till, [CHIP, bad, Tap(uid="08112233", technology=Technology.PHONE)], "--json")
    told = json.loads(out)["sheet"]["trial"]
    assert code == 1
    assert [one["result"] for one in told["taps"]] == ["identified", "unreadable", "refused"]
    codes = [remark["code"] for remark in told["judgement"]["remarks"]]
    assert codes == ["intermittent", "usable", "phone_without_pass"]
    assert CARD not in out


def test_a_reader_that_breaks_down_does_not_pass(till: TillProcess) -> None:
    """It comes back by itself and reads; that it died is on the sheet."""
    test = Test(till, "--taps", "1", "--json")
    test.present([Tap(fault=Fault.CRASH)])
    while test.now()["restarts"] == 0:
        next(test.events)
    for event in client.watch(test.socket, "first"):
        if event.kind == "reader_status" and (event.data["status"], event.data["pid"]) == ("ready", pid_of(test)):
            break
    tap(test.reader, CHIP)
    code, out, _ = test.end()
    remarks = [remark["code"] for remark in json.loads(out)["sheet"]["trial"]["judgement"]["remarks"]]
    assert (code, "broke_down" in remarks) == (1, True)


def pid_of(test: Test) -> int:
    (reader,) = [
        one for one in client.ask(test.socket, "GET", "/v1/status").body["readers"] if one["name"] == "counter"
    ]
    return int(reader["pid"])


def test_the_pos_hears_nothing_of_a_test(till: TillProcess) -> None:
    """A read that waits is not answered by the technician's card, but by the next one at the other reader."""
    pos = till.pos()
    before = [event.data for event in until_now(till) if event.kind == "card_read"]
    run(till, [CHIP, Tap(card="2990000000024")])
    tap(till.state / "readers" / "kiosk.sock", Tap(card="2990000000031"))
    reads = read_until(till, "kiosk")
    assert len(reads) == len(before) + 1
    assert (reads[-1]["reader"], reads[-1]["card"]["number"]) == ("kiosk", "2990000000031")
    pos.close()


def until_now(till: TillProcess) -> list[client.Happening]:
    """Every event so far: up to the pass that is asked for here."""
    client.ask(till.state / "tilld.sock", "POST", "/v1/sync")
    seen = []
    for event in client.watch(till.state / "tilld.sock", "first"):
        seen.append(event)
        if event.kind == "sync" and len(seen) > 1:
            return seen
    raise AssertionError("the till has stopped")


def read_until(till: TillProcess, reader: str) -> list[Any]:
    reads = []
    for event in client.watch(till.state / "tilld.sock", "first"):
        if event.kind == "card_read":
            reads.append(event.data)
            if event.data["reader"] == reader:
                return reads
    raise AssertionError("the till has stopped")


def test_who_breaks_off_frees_the_reader(till: TillProcess) -> None:
    """Ctrl-C ends the test, and there is a sheet of what there was; the reader is free at once."""
    test = Test(till, "--taps", "3")
    test.present([CHIP])
    assert test.process.stdout is not None
    while not test.process.stdout.readline().startswith("tap 1"):
        pass
    test.process.send_signal(signal.SIGINT)
    code, out, _ = test.end()
    assert code == 1
    assert "1 of 3" in out
    assert client.ask(test.socket, "GET", "/v1/status").body["tested"] == []


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--report", "sheet.pdf"], 2, ".html"),
        (["--report", "/nowhere/sheet.html"], 2, "no folder"),
        (["--taps", "0"], 2, "1<=x<=50"),
        ([], 2, "counter, kiosk"),
        (["--reader", "cellar"], 1, "counter, kiosk"),
        (["--verify", "/nowhere"], 2, "cannot be read"),
        (["--verify", "/proc/version"], 1, "no sheet"),
    ],
)
def test_mistakes_are_told_before_anything_begins(
    till: TillProcess, options: Sequence[str], code: int, said: str
) -> None:
    """With what to do instead."""
    done = tilld("test-card", *options, "--state", till.state)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_a_person_sees_the_taps_as_they_come(till: TillProcess) -> None:
    """On a terminal: a table that grows, what to do next, and the verdict."""
    ours, theirs = pty.openpty()
    test = Test(till, "--taps", "2", out=theirs)
    os.close(theirs)
    shown = b""
    for taps, card in enumerate([CHIP, Tap(uid="08112233", technology=Technology.PHONE)]):
        while f"{taps} of 2 taps".encode() not in shown:
            shown += os.read(ours, 4096)
        tap(test.reader, card)
    with contextlib.suppress(OSError):  # EIO: the terminal's other side has ended
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    assert test.end()[0] == 0
    text = shown.decode()
    assert text.index("0 of 2 taps") < text.index("PASS") < text.index("use its QR code")
    assert CARD not in text


def test_a_second_test_of_a_reader_is_refused(till: TillProcess) -> None:
    """Two technicians at one reader would judge each other's cards."""
    first = Test(till, "--taps", "1")
    next(first.events)
    refused = tilld("test-card", "--reader", "counter", "--state", till.state)
    assert (refused.returncode, "tested already" in refused.stderr) == (1, True)
    tap(first.reader, CHIP)
    assert first.end()[0] == 0


def test_without_a_till_it_says_so(tmp_path: Path) -> None:
    """And how to start one."""
    done = tilld("test-card", "--reader", "counter", "--state", tmp_path)
    assert (done.returncode, "tilld run" in done.stderr) == (3, True)
