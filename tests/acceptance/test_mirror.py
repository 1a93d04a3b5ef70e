"""A till burns down before its points were with the ledger: its second copies bring them, once."""

import http.client
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.acceptance.rig import LedgerProcess, TillProcess, asked, free_port, tilld

CARD = {"number": "2990000000017"}
SALES = 5


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def ledger(tmp_path: Path, running: ExitStack) -> LedgerProcess:
    process = LedgerProcess(tmp_path)
    running.callback(process.stop)
    return process


def till(folder: Path, ledger: LedgerProcess, running: ExitStack, name: str, mirror: str) -> TillProcess:
    extra = f'[terminal]\nid = "{name}"\n[mirror]\n{mirror}'
    process = TillProcess(folder / name, f"http://127.0.0.1:{ledger.port}", extra=extra)
    running.callback(process.stop)
    return process


def sold(till: TillProcess, count: int = SALES) -> None:
    pos = till.pos()
    for number in range(count):
        key = f"{till.config.parent.name}-{number}"
        assert pos.transaction(key, "earn", card=CARD, points=10)[0] == 201
    pos.close()


def copied(*where: str | Path) -> None:
    """Waits for the copies; a sale waits for its own, but on a loaded machine no longer than agreed."""
    while sum(one["records"] for one in asked("mirror", "list", *where) if one["terminal"] == "S001-T01") < SALES:
        pass


def points(ledger: LedgerProcess) -> int:
    return int(ledger.account(CARD["number"])["points"])


def test_a_folder_brings_what_a_burnt_till_had_sold(tmp_path: Path, ledger: LedgerProcess, running: ExitStack) -> None:
    """The ledger was away all the while; another till delivers; the disk that comes back after all adds nothing."""
    office = tmp_path / "office"
    burnt = till(tmp_path, ledger, running, "S001-T01", f'to = "{office}"\nwait_ms = 5000')
    other = till(tmp_path, ledger, running, "S001-T02", "")
    ledger.start("--enrolment", "open", "--unknown-cards", "register")
    for each in (burnt, other):
        each.start()
        each.drain()
    ledger.stop()
    sold(burnt)
    copied(office)
    burnt.kill()
    shutil.move(burnt.state, tmp_path / "found in the ashes")
    ledger.start("--enrolment", "open", "--unknown-cards", "register")
    brought = asked("mirror", "deliver", office, "--config", other.config, "--state", other.state)
    assert {one["terminal"] for one in brought} == {"S001-T01"}
    assert points(ledger) == 10 * SALES
    assert asked("mirror", "list", office) == []
    shutil.move(tmp_path / "found in the ashes", burnt.state)
    burnt.start()
    burnt.drain()
    assert points(ledger) == 10 * SALES
    assert asked("ledger", "verify", "--database", ledger.database)["ok"]


def page_of(port: int) -> int:
    """What a web page hears that asks the listener for peers."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/v1/mirror/S001-T01", headers={"Origin": "http://evil.example"})
        return connection.getresponse().status


def test_a_peer_keeps_copies_and_gives_them_up(tmp_path: Path, ledger: LedgerProcess, running: ExitStack) -> None:
    """Two tills keep each other's sales; what the ledger has is no longer kept twice."""
    port = free_port()
    first = till(tmp_path, ledger, running, "S001-T01", f'to = "http://127.0.0.1:{port}"\nwait_ms = 5000')
    told = asked("enroll", "--config", first.config, "--state", first.state)
    peer = f'listen = "127.0.0.1:{port}"\npeers = ["{told["terminal"]} {told["public_key"]}"]'
    second = till(tmp_path, ledger, running, "S001-T02", peer)
    second.start()
    first.start()
    assert page_of(port) == 403
    sold(first)
    copied("--state", second.state)
    first.kill()
    shutil.rmtree(first.state)
    ledger.start("--enrolment", "open", "--unknown-cards", "register")
    tilld("ledger", "enroll", told["terminal"], told["public_key"], "--database", ledger.database)
    second.drain()
    done = tilld("mirror", "deliver", "--config", second.config, "--state", second.state)
    assert done.returncode == 0, done.stderr
    assert points(ledger) == 10 * SALES
    assert asked("mirror", "list", "--state", second.state) == []


def test_strangers_and_forgers_are_turned_away(tmp_path: Path, ledger: LedgerProcess, running: ExitStack) -> None:
    """Copies that somebody has changed prove nothing: the ledger takes none of them, and the copies stay."""
    office = tmp_path / "office"
    burnt = till(tmp_path, ledger, running, "S001-T01", f'to = "{office}"\nwait_ms = 5000')
    other = till(tmp_path, ledger, running, "S001-T02", "")
    ledger.start("--enrolment", "open", "--unknown-cards", "register")
    for each in (burnt, other):
        each.start()
        each.drain()
    ledger.stop()
    sold(burnt)
    copied(office)
    burnt.kill()
    for file in office.glob("*/*.jsonl"):
        file.write_text(file.read_text().replace('\\"points\\":10', '\\"points\\":90'))
    ledger.start("--enrolment", "open", "--unknown-cards", "register")
    done = tilld("mirror", "deliver", office, "--config", other.config, "--state", other.state)
    assert done.returncode == 1
    assert "the copies stay" in done.stdout
    assert ledger.account(CARD["number"]).get("points", 0) == 0
    assert asked("mirror", "list", office) != []
