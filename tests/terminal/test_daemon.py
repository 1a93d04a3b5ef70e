"""The daemon as a process: how it starts, how it refuses to, how it ends."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offline_queue.journal_reader import JournalReader
from tests.acceptance.rig import TILLD, TillProcess, free_port, ready_socket

NO_LEDGER = "http://127.0.0.1:1"
SOON_S = 180


@pytest.fixture
def till(tmp_path: Path) -> Iterator[TillProcess]:
    till = TillProcess(tmp_path, NO_LEDGER)
    till.start()
    yield till
    till.kill()


def run(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A daemon that is expected to end by itself."""
    command = [sys.executable, "-m", "terminal", "run", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SOON_S, env={**os.environ, **environment})


def assert_told_shortly(done: "subprocess.CompletedProcess[str]", *words: str) -> None:
    """One or two lines for people, exit code 2, no traceback; log lines are JSON."""
    told = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert done.returncode == 2, done.stderr
    assert 1 <= len(told) <= 3, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in "\n".join(told)


def test_a_daemon_answers_sells_and_stops_cleanly(till: TillProcess) -> None:
    """SIGTERM ends it with 0; its streams are sealed and nothing of it runs on."""
    pos = till.pos()
    status, sale = pos.transaction("sale-1", "earn", points=5)
    assert (status, sale["state"]) == (201, "queued")
    status, answer, _ = pos.ask("GET", "/v1/status")
    assert (status, answer["queue"]["queued"]) == (200, 1)
    (reader,) = answer["readers"]
    pos.close()
    assert till.stop() == 0
    journal = JournalReader.open(till.state / "journal.db")
    assert all(head.sealed for head in journal.streams(all=True))
    assert journal.verify().ok
    journal.close()
    assert not Path(f"/proc/{reader['pid']}").exists()


def test_everything_in_the_state_folder_is_private(till: TillProcess) -> None:
    """Folder 0700, files 0600."""
    assert till.state.stat().st_mode & 0o777 == 0o700
    for path in till.state.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_second_daemon_on_the_same_folder_is_told_who_holds_it(till: TillProcess) -> None:
    """And the first goes on."""
    assert till.child is not None
    done = run("--config", till.config, "--state", till.state)
    assert_told_shortly(done, f"process {till.child.pid} since 20", "--state")
    pos = till.pos()
    assert pos.ask("GET", "/healthz")[0] == 200
    pos.close()


def test_a_port_in_use_is_told_with_its_holder(tmp_path: Path) -> None:
    """Before a reader or the journal is opened; nothing is left running, and the folder is free again."""
    till = TillProcess(tmp_path, NO_LEDGER)
    with socket.create_server(("127.0.0.1", till.port)):
        for _ in range(2):
            assert_told_shortly(run("--config", till.config, "--state", till.state), str(till.port), "[api] listen")
    assert {path.name for path in till.state.iterdir()} <= {"lock"}
    till.start()
    assert till.stop() == 0


@pytest.mark.parametrize("content", [b"", b"no database" * 100, b"SQLite format 3\0" + b"\0" * 4000])
def test_a_bad_journal_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    """With a command that puts it aside."""
    till = TillProcess(tmp_path, NO_LEDGER)
    till.state.mkdir(mode=0o700)
    (till.state / "journal.db").write_bytes(content)
    assert_told_shortly(run("--config", till.config, "--state", till.state), "journal.db", "mv ")
    assert (till.state / "journal.db").read_bytes() == content


def test_a_bad_config_tells_all_its_mistakes(tmp_path: Path) -> None:
    """Before anything is started or made."""
    config = tmp_path / "tilld.toml"
    config.write_text('[terminal]\nidd = "x"\n[api]\nlisten = 1\n')
    done = run("--config", config, "--state", tmp_path / "state")
    assert done.returncode == 2
    assert "terminal.idd" in done.stderr
    assert "api.listen" in done.stderr
    assert not (tmp_path / "state").exists()


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file is in its way."""
    (tmp_path / "state").write_text("")
    assert_told_shortly(run("--state", tmp_path / "state" / "deeper"), "state", "--state DIR")


def test_a_key_of_another_kind_is_told(tmp_path: Path) -> None:
    """Without it the ledger would not know the terminal."""
    till = TillProcess(tmp_path, NO_LEDGER)
    till.state.mkdir(mode=0o700)
    (till.state / "terminal.key").write_text("no key")
    assert_told_shortly(run("--config", till.config, "--state", till.state), "terminal.key")


def test_a_read_that_waits_is_ended_by_the_stop(till: TillProcess) -> None:
    """The POS hears `aborted`, not a broken connection; the daemon does not wait for the card."""
    pos, heard = till.pos(), list[Any]()
    events = http.client.HTTPConnection("127.0.0.1", till.port, timeout=SOON_S)
    events.request("GET", "/v1/events", headers={"Authorization": f"Bearer {pos.token}"})
    stream = events.getresponse()

    def wait() -> None:
        # The other POS below may happen to wait just then.
        while not heard or heard[-1]["code"] == "busy":
            heard.append(pos.ask("POST", "/v1/reads", {"timeout_ms": 60_000})[1])

    waiter = threading.Thread(target=wait)
    waiter.start()
    # The first read is waiting as soon as a second one is refused.
    second = till.pos()
    while second.ask("POST", "/v1/reads", {"timeout_ms": 1})[1]["code"] != "busy":
        pass
    second.close()
    assert till.stop() == 0
    waiter.join(SOON_S)
    stream.close()
    events.close()
    pos.close()
    assert (heard[-1]["status"], heard[-1]["code"]) == (409, "aborted")


def test_a_daemon_killed_at_once_starts_again(till: TillProcess) -> None:
    """The sale is there, the lock and the socket are no obstacle, the first answer is given again."""
    pos = till.pos()
    _, first = pos.transaction("sale-1", "earn", points=5)
    pos.close()
    till.kill()
    till.start()
    pos = till.pos()
    status, again = pos.transaction("sale-1", "earn", points=5)
    pos.close()
    assert (status, again) == (200, first)
    assert till.stop() == 0


def test_systemd_hears_of_start_life_and_end(tmp_path: Path) -> None:
    """READY with the address, a heartbeat while the till's thread answers, STOPPING."""
    till = TillProcess(tmp_path, NO_LEDGER)
    with ready_socket(tmp_path) as (path, told):
        command = [sys.executable, "-m", "terminal", "run", "--config", str(till.config), "--state", str(till.state)]
        till.spawn(command, {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"})
        heard = [told.recv(4096).decode() for _ in range(3)]
        assert heard[0] == f"READY=1\nSTATUS=http://127.0.0.1:{till.port}/"
        assert heard[1:] == ["WATCHDOG=1"] * 2
        assert till.child is not None
        till.child.send_signal(signal.SIGTERM)
        while (word := told.recv(4096).decode()) == "WATCHDOG=1":
            pass
        assert word == "STOPPING=1"
        assert till.child.wait(SOON_S) == 0
        till.child = None


def kept(pid: int) -> tuple[int, int]:
    """How many descriptors and threads a process has."""
    of = Path(f"/proc/{pid}")
    return len(list((of / "fd").iterdir())), len(list((of / "task").iterdir()))


def test_a_till_that_reads_its_config_again_and_again_leaves_nothing_behind(tmp_path: Path) -> None:
    """Told twice in a row it reads it at least once; every descriptor and thread of the runs before is given back."""
    till, times, passing = TillProcess(tmp_path, NO_LEDGER), 6, 3
    with ready_socket(tmp_path) as (path, told):
        till.spawn([*TILLD, "run", "--config", str(till.config), "--state", str(till.state)], {"NOTIFY_SOCKET": path})
        assert till.child is not None
        try:
            assert told.recv(4096).startswith(b"READY=1")
            before = kept(till.child.pid)
            for _ in range(times):
                till.child.send_signal(signal.SIGUSR1)
                till.child.send_signal(signal.SIGUSR1)
                assert told.recv(4096).startswith(b"READY=1")
            while any(now > then + passing for now, then in zip(kept(till.child.pid), before, strict=True)):
                pass
        finally:
            assert till.stop() == 0


def test_the_log_is_json_and_says_where_the_page_is(till: TillProcess) -> None:
    """One object a line, for whoever collects it."""
    lines = [json.loads(line) for line in till.log.read_text().splitlines()]
    assert f"ready: http://127.0.0.1:{till.port}/" in [line["message"] for line in lines]


def test_two_daemons_run_beside_each_other(tmp_path: Path) -> None:
    """Each with its own folder and port."""
    tills = [TillProcess(tmp_path / name, NO_LEDGER) for name in ("a", "b")]
    try:
        for till in tills:
            till.start()
        assert free_port() not in {till.port for till in tills}
    finally:
        codes = [till.stop() for till in tills]
    assert codes == [0, 0]
