"""The command line: answers for people and for scripts, and how it ends."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.base import ReaderState
from offline_queue.entry import State
from terminal.cli import SECTIONS, cli, main
from terminal.commands.console import age, columns, state_folder
from terminal.inbox import ReaderStatus
from tests.api.conftest import Api, serving
from tests.api.fake_till import NOW, FakeTill

Tilld = Callable[..., tuple[int, str, str]]


@pytest.fixture
def till() -> Iterator[FakeTill]:
    till = FakeTill()
    till.start()
    yield till
    till.stop()


@pytest.fixture
def api(till: FakeTill, tmp_path: Path) -> Iterator[Api]:
    with serving(till, tmp_path) as api:
        yield api


@pytest.fixture
def tilld(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Tilld:
    """Runs one command on the state folder of this test; gives exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--state", str(tmp_path)])
        said = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return int(end.value.code), said.out, said.err

    return run


def test_status_for_people_and_for_scripts(tilld: Tilld, api: Api) -> None:
    """A few lines, or the one document of the API."""
    api.sale("k-1")
    code, text, _ = tilld("status")
    assert code == 0
    assert "queue     1 waiting, the oldest 12 s" in text
    code, text, errors = tilld("status", "--json")
    assert (code, errors) == (0, "")
    told = json.loads(text)
    assert told["running"] is True
    assert told["queue"]["queued"] == 1


def test_status_says_why_the_ledger_is_not_reached(tilld: Tilld, api: Api, till: FakeTill) -> None:
    """A dead line and a refusal need different people: the reason and the remedy are shown."""
    till.reachable, till.detail = False, "The ledger refuses this till: ask head office to enrol it."
    code, text, _ = tilld("status")
    assert code == 1
    assert "not reached" in text
    assert till.detail in text


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_status_ends_with_1_where_somebody_should_look(
    tilld: Tilld, api: Api, till: FakeTill, option: tuple[str, ...]
) -> None:
    """As its first line says it; a queue that waits for the next pass is nothing to look at."""
    api.sale("k-1")
    assert tilld("status", *option)[0] == 0
    broken = replace(till.readers[0], status=ReaderState.ABSENT)
    till.readers[0], ready = broken, till.readers[0]
    assert tilld("status", *option)[0] == 1
    till.readers[0] = ready
    assert tilld("status", *option)[0] == 0
    till.outcomes[0] = msgspec.structs.replace(till.outcomes[0], state=State.CONFLICT)
    assert tilld("status", *option)[0] == 1


def test_readers_are_listed_with_what_mends_them(tilld: Tilld, api: Api, till: FakeTill) -> None:
    """A reader that cannot read shows its remedy where a ready one shows how it is used."""
    till.readers.append(ReaderStatus("pcsc", "pcsc", ReaderState.ABSENT, NOW, "no reader", "plug it in"))
    code, text, _ = tilld("readers")
    assert code == 0
    assert "waits for cards" in text
    assert "plug it in" in text
    assert [reader["name"] for reader in json.loads(tilld("readers", "--json")[1])["readers"]] == ["counter", "pcsc"]


def test_watch_shows_events_masked(tilld: Tilld, api: Api, till: FakeTill) -> None:
    """A line an event; with --json an object a line; never a whole card number."""
    till.present()
    api.sale("k-1")
    code, text, _ = tilld("watch", "--after", "first", "--count", "2")
    assert code == 0
    assert "•••• 0017 by qr at counter, 100 points" in text
    assert "earn +5 on •••• 0017: queued" in text
    lines = tilld("watch", "--after", "first", "--count", "2", "--json")[1].splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["card_read", "transaction"]
    assert "2990000000017" not in text + "".join(lines)


def test_nobody_writes_on_the_terminal_but_us(tilld: Tilld, api: Api, till: FakeTill) -> None:
    """Escape sequences and line feeds in a ledger's or a driver's words are shown, not obeyed."""
    evil = "ok\x1b]0;owned\x07\nqueue     0 waiting\u202e\x9b2J"
    api.sale("k-1")
    till.outcomes[0] = msgspec.structs.replace(till.outcomes[0], verdict=evil, detail=evil)
    till.readers.append(ReaderStatus("pcsc", "pcsc", ReaderState.ABSENT, NOW, evil, None))
    till.notices.publish("card_unreadable", {"reader": "counter", "reason": "format", "detail": evil, "next": []})
    shown = [
        tilld("queue", "list")[1],
        tilld("queue", "show", "k-1")[1],
        tilld("status")[1],
        tilld("readers")[1],
        tilld("watch", "--after", "first", "--count", "2")[1],
    ]
    for text in shown:
        assert r"ok\x1b]0;owned\x07\nqueue" in text
        assert all(line.replace("\x1b[1m", "").replace("\x1b[0m", "").isprintable() for line in text.splitlines())


def test_watch_ends_with_the_till(tilld: Tilld, api: Api, till: FakeTill) -> None:
    """When the till stops, a script hears of it."""
    till.notices.close()
    code, _, errors = tilld("watch")
    assert code == 3
    assert "stopped" in errors


def test_sync_says_what_is_due(tilld: Tilld, api: Api) -> None:
    """It starts the pass and does not wait for it."""
    api.sale("k-1")
    assert json.loads(tilld("sync", "--json")[1]) == {"due": 1}


RUNNING = {"phase": "running", "progress": {"sent": 30, "left": 70, "per_s": 10.0, "remaining_s": 7.0}}


def test_sync_can_wait_for_the_end(tilld: Tilld, api: Api, till: FakeTill) -> None:
    """It ends with the pass and says what came of it."""
    till.sync_words = [RUNNING, {"accepted": 100}]
    code, text, _ = tilld("sync", "--wait")
    assert (code, text) == (0, "Done: 100 sent, 0 waiting. The ledger has heard everything.\n")
    told = json.loads(tilld("sync", "--wait", "--json")[1])
    assert (told["phase"], told["sent"], told["queued"]) == ("ended", 100, 0)


def test_a_pass_that_fails_is_1(tilld: Tilld, api: Api, till: FakeTill) -> None:
    """With the reason; a script goes by the code."""
    till.sync_words = [RUNNING, {"phase": "failed", "detail": "No answer.\x1b[2J", "reachable": False}]
    code, text, _ = tilld("sync", "--wait")
    assert code == 1
    assert text.startswith("Failed: 0 sent, 0 waiting. No answer.\\x1b")


def test_a_till_that_stops_meanwhile_is_3(tilld: Tilld, api: Api, till: FakeTill) -> None:
    """Nothing is lost by it, and that is said."""
    till.sync_words = [RUNNING]
    till.notices.close()
    code, _, errors = tilld("sync", "--wait")
    assert code == 3
    assert "journal" in errors


def test_on_a_terminal_a_bar_shows_how_far_it_is(
    tilld: Tilld, api: Api, till: FakeTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On stderr, so that the answer stays clean."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    till.sync_words = [RUNNING, {}]
    code, text, _ = tilld("sync", "--wait", "--json")
    assert (code, json.loads(text)["phase"]) == (0, "ended")


def test_watch_tells_how_a_pass_goes(tilld: Tilld, api: Api, till: FakeTill) -> None:
    """Rate and time left while it runs."""
    till.sync_words = [RUNNING]
    tilld("sync")
    text = tilld("watch", "--after", "first", "--count", "1")[1]
    assert "running: 30 sent, 70 to go, 10 a second, about 7 s left" in text


def test_the_queue_is_listed_and_shown(tilld: Tilld, api: Api, till: FakeTill) -> None:
    """By id or by key, filtered, paged."""
    first, second = api.sale("k-1").json["id"], api.sale("k-2").json["id"]
    till.outcomes[1] = msgspec.structs.replace(till.outcomes[1], state=State.POSTED)
    assert [entry["id"] for entry in json.loads(tilld("queue", "list", "--json")[1])["entries"]] == [first, second]
    assert second not in tilld("queue", "list", "--only", "queued")[1]
    assert [entry["id"] for entry in json.loads(tilld("queue", "list", "--last", "1", "--json")[1])["entries"]] == [
        second
    ]
    assert f"--after {first}" in tilld("queue", "list", "--limit", "1")[1]
    assert json.loads(tilld("queue", "show", "k-2", "--json")[1])["id"] == second
    assert "state           posted" in tilld("queue", "show", second)[1]
    code, _, errors = tilld("queue", "show", "nothing")
    assert code == 1
    assert "no transaction 'nothing'" in errors


@pytest.mark.parametrize(
    "command",
    [["status"], ["readers"], ["watch"], ["sync"], ["tap", "2990000000017"], ["queue", "list"], ["queue", "verify"]],
)
def test_a_till_that_is_not_there_is_3(tilld: Tilld, command: list[str]) -> None:
    """One or two lines on stderr with the next step, nothing on stdout."""
    code, text, errors = tilld(*command)
    assert (code, text) == (3, "")
    assert 1 <= len(errors.strip().splitlines()) <= 2
    assert "--state" in errors or "tilld run" in errors


@pytest.mark.parametrize(
    "command",
    [
        ["stat"],
        ["status", "--nonsense"],
        ["tap"],
        ["tap", ""],
        ["tap", "1", "--fault", "boredom"],
        ["tap", "1", "--technology", "telepathy"],
        ["tap", "1", "--reader", "../../etc"],
        ["queue", "list", "--limit", "0"],
        ["queue", "list", "--last", "3", "--after", "x"],
        ["queue", "export", "--json"],
    ],
)
def test_wrong_usage_is_2(tilld: Tilld, command: list[str]) -> None:
    """The mistake, and where help is."""
    code, text, errors = tilld(*command)
    assert (code, text) == (2, "")
    assert "--help" in errors


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("command", [["status"], ["sync"], ["queue", "verify"], ["tap", "2990000000017"], ["enroll"]])
def test_who_has_forgotten_sudo_is_told_so(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Neither that the till is down, nor that there is a defect."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "journal.db").touch(mode=0o600)
        os.seteuid(65534)
        try:
            with pytest.raises(SystemExit) as end:
                main([*command, "--state", folder])
        finally:
            os.seteuid(0)
    said = capsys.readouterr().err
    assert end.value.code in (1, 2, 3)
    assert "sudo" in said or "Permission denied" in said
    assert "defect" not in said


def test_copies_are_delivered_by_an_enrolled_till(tilld: Tilld, tmp_path: Path) -> None:
    """A folder without a key is no till: what to do is said, and no key is made by the way."""
    code, text, errors = tilld("mirror", "deliver", str(tmp_path))
    assert (code, text) == (2, "")
    assert "tilld enroll" in errors
    assert not (tmp_path / "terminal.key").exists()


@pytest.mark.parametrize("group", [[], ["queue"], ["ledger", "claim"]])
def test_a_group_alone_shows_what_is_in_it(group: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Its help as it is, on stderr, each command with its first sentence whole; a script gets 2."""
    with pytest.raises(SystemExit) as end:
        main(group)
    said = capsys.readouterr()
    assert (end.value.code, said.out) == (2, "")
    assert said.err.startswith("Usage: tilld")
    assert "..." not in said.err.partition("Commands:")[2]


def test_a_config_with_mistakes_is_2(tilld: Tilld, tmp_path: Path) -> None:
    """All of them at once, and `run` starts nothing."""
    config = tmp_path / "tilld.toml"
    config.write_text('[api]\nlisten = 5\n[ledger]\nurll = "x"\n')
    code, text, _ = tilld("check-config", "--config", str(config), "--json")
    assert code == 2
    told = json.loads(text)
    assert told["ok"] is False
    assert len(told["problems"]) == 2
    code, _, errors = tilld("run", "--config", str(config))
    assert code == 2
    assert "Nothing was started" in errors
    config.write_text("")
    assert tilld("check-config", "--config", str(config))[0] == 0


class SimulatedReader:
    """Takes one line on the simulated reader's socket and says that it has."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(exist_ok=True)
        self.heard: list[Any] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / f"{name}.sock"))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client, client.makefile("rb") as lines:
            self.heard.append(json.loads(lines.readline()))
            client.sendall(b'{"ok":true}\n')

    def close(self) -> None:
        self._thread.join(60)
        self._listener.close()


def test_tap_presents_a_card(tilld: Tilld, tmp_path: Path) -> None:
    """The only simulated reader is found by itself; the number is masked in what is said."""
    reader = SimulatedReader(tmp_path / "readers", "counter")
    code, text, _ = tilld("tap", "2990000000017", "--technology", "ntag", "--json")
    reader.close()
    assert code == 0
    assert json.loads(text)["reader"] == "counter"
    assert "2990000000017" not in text
    assert reader.heard == [
        {"card": "2990000000017", "technology": "ntag", "fault": None, "uid": None, "effort": None, "duration_ms": 0.0}
    ]


def test_a_fault_is_no_card(tilld: Tilld, tmp_path: Path) -> None:
    """What the reader was given is called what it is."""
    reader = SimulatedReader(tmp_path / "readers", "counter")
    code, text, _ = tilld("tap", "--fault", "unreadable")
    reader.close()
    assert (code, text.startswith("counter was given the fault unreadable;")) == (0, True)


def test_tap_tells_a_reader_that_is_away_from_a_till_that_is_down(tilld: Tilld, api: Api) -> None:
    """With the till up something needs attention: 1, and where to look."""
    code, _, errors = tilld("tap", "1")
    assert code == 1
    assert "tilld readers" in errors


def test_tap_asks_which_when_there_are_several(tilld: Tilld, tmp_path: Path) -> None:
    """It never guesses between two readers."""
    (tmp_path / "readers").mkdir()
    for name in ("left", "right"):
        (tmp_path / "readers" / f"{name}.sock").touch()
    code, _, errors = tilld("tap", "1")
    assert code == 2
    assert "left, right" in errors


@pytest.mark.parametrize("command", sorted(set(cli.commands) - {"completion"}))
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And every one finds the till by --state."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = capsys.readouterr().out
    assert "--state" in text or "COMMAND" in text


def test_the_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """Grouped by what one wants, with examples."""
    with pytest.raises(SystemExit):
        main(["-h"])
    text, errors = capsys.readouterr()
    assert errors == ""
    assert [name for names in SECTIONS.values() for name in names if name not in text] == []
    assert {name for names in SECTIONS.values() for name in names} == {*cli.commands, "ledger"}
    assert "3 the till does not answer" in text


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_scripts_are_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """For the shells that click knows."""
    with pytest.raises(SystemExit) as end:
        main(["completion", shell])
    assert end.value.code == 0
    assert "_TILLD_COMPLETE" in capsys.readouterr().out


def test_a_defect_is_4_with_a_sentence_and_a_traceback_only_on_demand(
    tilld: Tilld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody at a counter sees a traceback."""

    def broken(*_: object) -> None:
        raise RuntimeError("the wheel came off")

    monkeypatch.setattr("terminal.commands.till.status_text", broken)
    monkeypatch.setattr("terminal.commands.console.Place.ask", lambda *_: {"readers": []})
    code, _, errors = tilld("status")
    assert code == 4
    assert "the wheel came off" in errors
    assert "Traceback" not in errors
    with pytest.raises(RuntimeError):
        main(["--debug", "status", "--state", "/nowhere"])


def test_the_state_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """--state, else systemd's, else the user's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert state_folder(None) == tmp_path / ".local" / "state" / "tilld"
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/tilld:/var/lib/other")
    assert state_folder(None) == Path("/var/lib/tilld")
    assert state_folder(Path("x")) == Path("x")
    config = tmp_path / "tilld.toml"
    config.write_text(f'[terminal]\nstate = "{tmp_path}"\n')
    assert state_folder(None, config) == tmp_path
    assert state_folder(Path("x"), config) == Path("x")
    config.write_text("[terminal]\nstate = 7\n")
    assert state_folder(None, config) == Path("/var/lib/tilld")


def test_small_forms() -> None:
    """Ages in one unit, columns aligned."""
    assert [age(s) for s in (None, 0, 119, 120, 7200, 200_000)] == ["-", "0 s", "119 s", "2 min", "2 h", "2 d"]
    assert columns([("A", "B"), ("long", "x")]).splitlines()[1] == "long  x"


def test_help_loads_neither_web_server_nor_tables() -> None:
    """A command answers at once: what it does not need is not imported."""
    code = (
        "import sys, terminal.cli; "
        "heavy = {'uvicorn', 'starlette', 'rich', 'cryptography', 'sqlite_utils', 'urllib3'} & sys.modules.keys(); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
