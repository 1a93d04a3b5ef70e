"""`tilld doctor` beside a real till and ledger, with real faults as input."""

import contextlib
import fcntl
import json
import os
import pty
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from drivers.base import Technology
from drivers.simulated import Tap, tap
from terminal.commands.client import watch
from tests.acceptance.rig import TILLD, LedgerProcess, TillProcess, free_port, tilld
from tests.api.schema import Checked, misfit

CARD = "2990000000017"
NO_LEDGER = "http://127.0.0.1:1"
READERS = (
    '[[reader]]\nname = "simulated"\ndriver = "simulated"\n'
    '[[reader]]\nname = "gun"\ndriver = "serial_line"\nport = "/dev/none"\n'
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    ledger = LedgerProcess(tmp_path)
    ledger.start("--enrolment", "open", "--unknown-cards", "register")
    yield ledger
    ledger.kill()


@pytest.fixture
def till(tmp_path: Path, ledger: LedgerProcess) -> Iterator[TillProcess]:
    till = TillProcess(tmp_path / "till", f"http://127.0.0.1:{ledger.port}", readers=READERS)
    till.start()
    yield till
    till.kill()


def sell(till: TillProcess) -> None:
    with closing(till.pos()) as pos:
        assert pos.transaction("k", "earn", card={"number": CARD}, points=5)[0] == 201


def examined(till: TillProcess, *options: str) -> tuple[int, Any]:
    """Exit code and document."""
    done = tilld("doctor", "--config", till.config, "--state", till.state, "--json", *options)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def verdicts(document: Any) -> dict[tuple[str, str], str]:
    found = [finding for section in document["sections"] for finding in section["findings"]]
    return {(finding["code"], finding["subject"]): finding["verdict"] for finding in found}


def evidence(document: Any, code: str, subject: str = "") -> str:
    found = [finding for section in document["sections"] for finding in section["findings"]]
    return next(f["evidence"] for f in found if (f["code"], f["subject"]) == (code, subject))


def test_a_running_till_is_examined_by_itself_and_from_beside(till: TillProcess) -> None:
    """What the till holds is told by the till; what it does not know is filled in; the end is marked."""
    sell(till)
    till.drain()
    code, document = examined(till, "--level", "external")
    found = verdicts(document)
    assert code == 1
    assert document["running"] is True
    assert list(document)[-1] == "complete"
    assert found["readers.state", "simulated"] == "ok"
    assert found["readers.state", "gun"] == "broken"
    assert found["serial.port", "gun"] == "broken"
    for fine in ("till.running", "till.config", "journal.synchronous", "journal.chain", "api.listening"):
        assert found[fine, ""] == "ok", evidence(document, fine)
    assert found["ledger.signature", ""] == "ok"
    assert ("disk.sync", "") in found
    assert CARD not in json.dumps(document)


def test_with_the_till_down_what_can_be_seen_is_seen_and_nothing_is_changed(till: TillProcess) -> None:
    """Readers are opened and given back, the journal is read; not a byte of the state folder is other than before."""
    till.stop()
    before = {path: path.read_bytes() for path in till.state.rglob("*") if path.is_file()}
    code, document = examined(till, "--level", "external")
    found = verdicts(document)
    assert code == 1
    assert document["running"] is False
    assert found["till.running", ""] == "attention"
    assert found["readers.state", "simulated"] == "ok"
    assert found["readers.state", "gun"] == "broken"
    assert found["journal.synchronous", ""] == "unknown"
    assert (found["journal.mode", ""], found["journal.chain", ""]) == ("ok", "ok")
    assert found["ledger.signature", ""] == "ok"
    assert {path: path.read_bytes() for path in till.state.rglob("*") if path.is_file()} == before


def test_one_section_alone_and_its_exit_codes(till: TillProcess) -> None:
    """0 for a section that is well, 1 for one that is not, 3 when nothing is wrong but that the till is down."""
    code, document = examined(till, "--section", "api")
    assert ([section["name"] for section in document["sections"]], code) == (["api"], 0)
    assert examined(till, "--section", "readers")[0] == 1
    assert tilld("doctor", "--section", "kitchen", "--state", till.state).returncode == 2
    till.stop()
    assert examined(till, "--section", "journal")[0] == 3
    assert examined(till, "--section", "serial")[0] == 1


def test_the_folder_alone_is_enough(till: TillProcess) -> None:
    """Name, readers and the rest are those of the till that runs there, or ran last."""
    named = json.loads(tilld("doctor", "--state", till.state, "--section", "readers", "--json").stdout)
    assert ("readers.state", "gun") in verdicts(named)
    till.stop()
    again = json.loads(tilld("doctor", "--state", till.state, "--section", "readers", "--json").stdout)
    assert ("readers.state", "gun") in verdicts(again)
    both = tilld("enroll", "--config", till.config, "--state", till.state)
    assert tilld("enroll", "--state", till.state).stdout == both.stdout


def test_the_section_of_taps_can_be_asked_for_alone(tmp_path: Path) -> None:
    """With the level that has it; without, the level is named."""
    config = tmp_path / "tilld.toml"
    config.write_text(f'[api]\nlisten = "127.0.0.1:{free_port()}"\n')
    options = ("--config", config, "--state", tmp_path / "none", "--section", "taps", "--json")
    document = json.loads(tilld("doctor", "--level", "interactive", *options).stdout)
    assert [section["name"] for section in document["sections"]] == ["taps"]
    assert verdicts(document)["taps.reads", ""] == "unknown"
    refused = tilld("doctor", *options)
    assert (refused.returncode, "--level interactive" in refused.stderr) == (2, True)


def test_files_that_others_can_read_are_told_with_the_command(till: TillProcess) -> None:
    """Whoever reads the token is a POS."""
    token = till.state / "pos.token"
    token.chmod(0o644)
    code, document = examined(till, "--section", "state")
    assert (code, verdicts(document)["state.files", str(token)]) == (1, "broken")
    script = tilld("doctor", "--config", till.config, "--state", till.state, "--section", "state", "--fix-hint").stdout
    assert f"sudo chmod 600 {token}" in script.splitlines()
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0


def test_a_ledger_that_is_down_is_told_by_the_step_that_fails(till: TillProcess, ledger: LedgerProcess) -> None:
    """The name is known, the port takes nothing; what lies behind it is not guessed at."""
    ledger.kill()
    code, document = examined(till, "--level", "external", "--section", "ledger")
    found = {code: verdict for (code, _), verdict in verdicts(document).items()}
    assert (code, found["ledger.name"], found["ledger.port"]) == (1, "ok", "broken")
    assert "ledger.signature" not in found


def test_a_reader_that_another_program_holds(tmp_path: Path) -> None:
    """The till says `held` and by whom; the command shows the program, and kills nobody."""
    master, slave = pty.openpty()
    fcntl.flock(slave, fcntl.LOCK_EX)
    readers = f'[[reader]]\nname = "gun"\ndriver = "serial_line"\nport = "{os.ttyname(slave)}"\n'
    till = TillProcess(tmp_path / "till", NO_LEDGER, readers=readers)
    till.start()
    try:
        for event in watch(till.state / "tilld.sock", "first"):
            if event.kind == "reader_status" and event.data["status"] == "held":
                break
        code, document = examined(till, "--section", "readers")
    finally:
        till.stop()
        os.close(slave)
        os.close(master)
    assert (code, verdicts(document)["readers.state", "gun"]) == (1, "broken")
    assert f"process {os.getpid()}" in evidence(document, "readers.state", "gun")


def test_a_till_that_hangs_is_told_from_beside(tmp_path: Path) -> None:
    """It takes connections and answers nothing; what can be seen without it is seen."""
    till = TillProcess(tmp_path / "till", NO_LEDGER)
    till.start()
    assert till.child is not None
    try:
        till.child.send_signal(signal.SIGSTOP)
        code, document = examined(till, "--section", "journal")
    finally:
        till.child.send_signal(signal.SIGCONT)
        till.stop()
    assert (code, document["running"]) == (3, False)
    assert verdicts(document)["journal.readable", ""] == "ok"


def test_a_card_is_asked_for_at_each_reader(tmp_path: Path) -> None:
    """The interactive level: the card that is presented then is the finding, masked."""
    till = TillProcess(tmp_path / "till", NO_LEDGER)
    till.start()
    command = [*TILLD, "doctor", "--level", "interactive", "--config", till.config, "--state", till.state, "--json"]
    out = tmp_path / "out.json"
    with out.open("w") as answer:
        asking = subprocess.Popen(command, stdout=answer, stderr=subprocess.PIPE, text=True)
    try:
        assert asking.stderr is not None
        while "present a card to the reader simulated" not in asking.stderr.readline():
            pass
        present_until_over(asking, till.state / "readers" / "simulated.sock")
    finally:
        asking.kill()
        asking.communicate()
        till.stop()
    said = json.loads(out.read_text())
    assert said["sections"][-1]["name"] == "taps"
    assert verdicts(said)["taps.reads", "simulated"] == "ok"
    assert evidence(said, "taps.reads", "simulated").startswith("•••• ")


def present_until_over(asking: "subprocess.Popen[str]", reader: Path) -> None:
    """Card after card: the first may come before anybody waits for it."""
    for number in range(120):
        tap(reader, Tap(str(2990000000017 + 1000 * number), Technology.QR, None, None))
        with contextlib.suppress(subprocess.TimeoutExpired):
            asking.wait(0.5)
            return
    raise AssertionError("no card was taken")


def test_the_document_is_of_the_documented_shape(tmp_path: Path) -> None:
    """What the command prints is what the API answers."""
    done = tilld("doctor", "--state", tmp_path / "none", "--section", "machine", "--json")
    shape = {"$ref": "#/components/schemas/Diagnosis"}
    assert misfit(json.loads(done.stdout), shape, Checked().document) is None


def test_a_damaged_journal_is_found(till: TillProcess) -> None:
    """A record that was changed on the disk breaks the chain; a page that was bent breaks the file."""
    sell(till)
    till.stop()
    journal = till.state / "journal.db"
    with sqlite3.connect(journal) as connection:
        connection.execute("UPDATE record SET record = CAST(replace(record, 'earn', 'warn') AS BLOB)")
    connection.close()
    assert verdicts(examined(till, "--level", "external", "--section", "journal")[1])["journal.chain", ""] == "broken"
    bent = bytearray(journal.read_bytes())
    bent[2048 * 3 : 2048 * 3 + 64] = bytes(64)
    journal.write_bytes(bent)
    assert "broken" in verdicts(examined(till, "--section", "journal")[1]).values()


def test_a_till_that_does_not_answer_is_no_till(tmp_path: Path) -> None:
    """A config that cannot be used, a folder that is not there: the rest is looked at all the same."""
    config = tmp_path / "tilld.toml"
    config.write_text('[terminal]\nid = "a b"\n')
    done = tilld("doctor", "--config", config, "--state", tmp_path / "none", "--json")
    document = json.loads(done.stdout)
    found = verdicts(document)
    assert done.returncode == 1
    assert found["till.config", ""] == "broken"
    assert found["state.folder", ""] == "attention"
    assert "machine.memory" in {code for code, _ in found}
    assert "does not answer" in done.stderr


def test_a_person_sees_a_table_with_its_end(till: TillProcess) -> None:
    """Each section with its time, each fault with what it should be, what mends it and who can."""
    done = tilld("doctor", "--config", till.config, "--state", till.state)
    assert "BROKEN     readers.state [gun]: absent" in done.stdout
    assert "(cashier)" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("end of examination of S001-T01, level internal:")
    assert "\x1b" not in done.stdout


def test_the_browsers_policy_names_the_pages_of_the_pos(tmp_path: Path) -> None:
    """Those of the config and those of the command line, as valid JSON; a pattern is refused."""
    config = tmp_path / "tilld.toml"
    config.write_text(f'[api]\nlisten = "127.0.0.1:{free_port()}"\norigins = ["https://pos.example.com"]\n')
    options = ("--config", config, "--state", tmp_path / "s", "--section", "api", "--fix-hint")
    script = tilld("doctor", *options, "--origin", "https://other.example.com:8443").stdout
    policy = json.loads(script[script.index("{") : script.rindex("}") + 1])
    assert policy["LoopbackNetworkAllowedForUrls"] == ["https://pos.example.com", "https://other.example.com:8443"]
    assert policy["LocalNetworkAccessAllowedForUrls"] == policy["LoopbackNetworkAllowedForUrls"]
    refused = tilld("doctor", *options, "--origin", "*")
    assert (refused.returncode, "is no origin" in refused.stderr) == (2, True)
