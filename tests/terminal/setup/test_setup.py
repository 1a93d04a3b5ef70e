"""`tilld setup` as a person meets it: on a real terminal, with a real ledger that is up, down, or something else."""

import http.server
import json
import stat
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from terminal.config import load
from terminal.setup.dialogue import chosen
from terminal.setup.running import read_again
from tests.acceptance.rig import LedgerProcess, TillProcess, asked, free_port, tilld
from tests.virtual.person import Person, person

TILLD = [sys.executable, "-m", "terminal"]
SIMULATED = '[[reader]]\nname = "simulated"\ndriver = "simulated"\n'


class Portal(http.server.BaseHTTPRequestHandler):
    """A captive portal: a page for whatever is asked."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<h1>\x1b[2JAccept our terms</h1>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Silence."""


@pytest.fixture
def portal() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Portal) as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()
        thread.join()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    process = LedgerProcess(tmp_path)
    process.start("--enrolment", "open", "--unknown-cards", "register")
    yield process
    process.stop()


@pytest.fixture
def where(tmp_path: Path) -> list[str | Path]:
    return ["--config", tmp_path / "tilld.toml", "--state", tmp_path / "state"]


@pytest.fixture
def anne(where: list[str | Path]) -> Iterator[Person]:
    """She has typed `tilld setup`."""
    with person([*TILLD, "setup", *where], {"LC_ALL": "C.UTF-8", "PCSCLITE_CSOCK_NAME": "/nowhere"}) as anne:
        yield anne


def simulated(anne: Person) -> None:
    """Question 1: only the reader that needs no device, wherever it stands in the list."""
    listed = anne.sees("Which ones")
    (number,) = [line.split()[0] for line in listed.splitlines() if line.split()[1:2] == ["simulated"]]
    anne.types(f"{number}\n")


def test_five_questions_and_a_till_that_runs(anne: Person, ledger: LedgerProcess, tmp_path: Path) -> None:
    """Each answer is tried as it is given; what is written is what was said, private, and the till starts with it."""
    assert "Ctrl-C leaves everything as it was" in anne.sees("1/5 Readers")
    simulated(anne)
    anne.sees("ok: tap it")
    anne.answers("Its address", "ftp://ledger")
    anne.answers("Its address", "http://ledger.example.com")
    assert "not encrypted" in anne.sees("Its address")
    anne.types(f"http://127.0.0.1:{ledger.port}\n")
    anne.answers("name there", "till 1")
    anne.answers("name there", "T7")
    anne.sees("ok: the ledger answered: protocol 2")
    anne.answers("earns so many points", "2")
    anne.answers("full amount of")
    anne.answers("currency", "CHF")
    anne.answers("to try (empty: none)", "2990000000019")
    assert "the rule base@2" in anne.seen
    anne.answers("Take only numbers like this?")
    anne.answers("begin with", "29")
    anne.sees("the till takes this number")
    anne.answers("Words for the cashier", "fr")
    anne.answers("with the machine?", "n")
    anne.answers("Write ")
    assert anne.leaves() == 0, anne.seen
    path = tmp_path / "tilld.toml"
    config = load(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (config.terminal.id, config.terminal.language) == ("T7", "fr")
    assert (config.programme.rule, config.programme.points, config.programme.currency) == ("base@2", 2, "CHF")
    assert [(one.length, one.prefix, one.check) for one in config.cards.formats] == [(13, "29", "ean")]
    assert [one.name for one in config.readers] == ["simulated"]
    assert "tilld run --config" in anne.seen
    assert [one["name"] for one in asked("ledger", "terminals", "--database", ledger.database)] == ["T7"]


def test_enter_takes_the_defaults_and_a_dead_ledger_stops_nobody(anne: Person, tmp_path: Path) -> None:
    """Where nothing answers yet it is said, with what mends it; it ends with 1."""
    simulated(anne)
    anne.answers("Its address", f"http://127.0.0.1:{free_port()}")
    anne.answers("name there")
    anne.sees("not yet: no connection")
    anne.answers("Keep this?")
    for question in ("points [1]", "(100 is 1.00) [100]", "currency [EUR]", "(empty: none)", "[en]", "machine? [y/N]"):
        anne.answers(question)
    anne.answers("Write ", "y")
    assert anne.leaves() == 1
    assert load(tmp_path / "tilld.toml").programme.rule == "base@1"


def test_something_that_is_no_ledger_is_told(anne: Person, portal: str) -> None:
    """And another address can be given; nothing of it commands the terminal."""
    simulated(anne)
    anne.answers("Its address", portal)
    anne.answers("name there")
    anne.sees("something that is no ledger answered: HTTP 200, text/html")
    anne.answers("Keep this?", "n")
    anne.sees("Its address")
    assert "\x1b[2J" not in anne.seen


@pytest.mark.parametrize("question", ["Which ones", "Its address", "name there"])
def test_ctrl_c_leaves_everything_as_it_was(anne: Person, tmp_path: Path, question: str) -> None:
    """At any question."""
    (tmp_path / "tilld.toml").write_text(before := "[terminal]\nid = 'old'\n")
    if question != "Which ones":
        simulated(anne)
    if question == "name there":
        anne.answers("Its address", "http://127.0.0.1:9")
    anne.sees(question)
    assert anne.interrupts() == 130
    assert "Nothing was changed." in anne.seen
    assert (tmp_path / "tilld.toml").read_text() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(("tilld.toml.", ".tilld"))] == []


def test_a_config_that_is_there_is_shown_before_it_is_replaced(where: list[str | Path], tmp_path: Path) -> None:
    """As a difference; a no leaves it, a yes keeps it beside the new one."""
    path = tmp_path / "tilld.toml"
    path.write_text(f'[terminal]\nid = "T7"\nstore = "S7"\n{SIMULATED}')
    for word, code in (("n", 130), ("y", 1)):
        with person([*TILLD, "setup", *where], {}) as anne:
            anne.answers("Which ones")
            anne.answers("Its address", "http://127.0.0.1:9")
            anne.answers("name there [T7]")
            anne.answers("Keep this?")
            for _ in range(4):
                anne.answers("]: " if _ < 3 else "(empty: none)")
            anne.answers("cashier", "fr")
            anne.answers("machine?", "n")
            assert '+language = "fr"' in anne.sees("Replace ")
            anne.types(f"{word}\n")
            assert anne.leaves() == code, anne.seen
        assert (tmp_path / "tilld.toml.1").exists() == (word == "y")
    assert tomllib.loads(path.read_text())["terminal"]["store"] == "S7"
    assert (tmp_path / "tilld.toml.1").read_text().startswith("[terminal]")


def test_a_script_sets_a_till_up(where: list[str | Path], tmp_path: Path, ledger: LedgerProcess) -> None:
    """By an answers file, with one JSON document; again it changes nothing; another answer needs --yes."""
    answers = tmp_path / "answers.toml"
    text = f'[terminal]\nid = "T7"\n[ledger]\nurl = "http://127.0.0.1:{ledger.port}"\n{SIMULATED}'
    answers.write_text(f'{text}[setup]\nboot = false\nsample = "2990000000019"\n')
    command = ["setup", "--answers", answers, *where]
    told = asked(*command)
    assert (told["ok"], told["written"], told["backup"], told["terminal"]) == (True, True, None, "T7")
    assert [one["what"] for one in told["tried"]] == ["simulated", f"http://127.0.0.1:{ledger.port}", "card •••• 0019"]
    assert asked(*command)["written"] is False
    answers.write_text(text.replace("T7", "T8"))
    assert "--yes" in (refused := tilld(*command)).stderr
    assert refused.returncode == 1
    told = asked(*command, "--yes")
    assert (told["terminal"], told["backup"]) == ("T8", f"{tmp_path / 'tilld.toml'}.1")


def test_a_ledger_that_lets_nobody_in_says_what_head_office_types(where: list[str | Path], tmp_path: Path) -> None:
    """The very command; when it was given, the same set-up goes through. A till with a journal is asked about anew."""
    ledger = LedgerProcess(tmp_path)
    ledger.start()
    try:
        answers = tmp_path / "answers.toml"
        answers.write_text(f'[ledger]\nurl = "http://127.0.0.1:{ledger.port}"\n{SIMULATED}')
        command = ("setup", "--answers", answers, "--yes", *where)
        word = asked(*command)["tried"][1]
        assert (word["ok"], word["said"]) == (False, "the ledger answered; it does not know this till yet")
        name, key = word["remedy"].partition("tilld ledger enroll ")[2].split()
        assert tilld("ledger", "enroll", name, key, "--database", ledger.database).returncode == 0
        assert asked(*command)["ok"]
        (tmp_path / "state" / "journal.db").touch()
        assert "knows this till" in asked(*command)["tried"][1]["said"]
    finally:
        ledger.stop()


def test_what_cannot_be_done_is_said_before_anybody_is_asked(tmp_path: Path) -> None:
    """No terminal, mistakes in the answers, a place where nothing can be written."""
    config = ("--config", tmp_path / "t.toml", "--state", tmp_path / "s")
    assert tilld("setup", *config).returncode == 2
    assert "--yes" in tilld("setup", "--json", *config).stderr
    (tmp_path / "answers.toml").write_text("[terminal]\nidd = 'T7'\n")
    refused = tilld("setup", "--answers", tmp_path / "answers.toml", *config)
    assert (refused.returncode, "answers.toml:terminal.idd" in refused.stderr) == (2, True)
    nowhere = tilld("setup", "--yes", "--config", "/proc/t.toml", "--state", tmp_path / "s")
    assert nowhere.returncode == 2
    assert not (tmp_path / "t.toml").exists()


def test_the_till_that_runs_reads_its_new_config(tmp_path: Path, ledger: LedgerProcess) -> None:
    """The same process, other settings; what it had recorded is still there, and its readers were not taken from it."""
    till = TillProcess(tmp_path / "till", f"http://127.0.0.1:{ledger.port}")
    till.start()
    try:
        pos = till.pos()
        assert pos.transaction("k-1", "earn", card={"number": "2990000000019"}, points=5)[0] == 201
        pos.close()
        till.drain()
        answers = tmp_path / "answers.toml"
        answers.write_text('[terminal]\nstore = "S7"\nlanguage = "fr"\n')
        place = ("--config", till.config, "--state", till.state)
        told = asked("setup", "--yes", "--answers", answers, *place)
        assert (told["ok"], told["running"], told["next"]) == (True, True, []), json.dumps(told)
        assert "(the till that runs has it)" in told["tried"][0]["said"]
        status: Any = asked("status", *place)
        assert (status["running"], load(till.config).terminal.store) == (True, "S7")
        assert till.child is not None
        assert till.child.poll() is None
        answer = json.loads(tilld("queue", "list", *place, "--json").stdout)
        assert [entry["points"] for entry in answer["entries"] if entry["kind"] == "earn"] == [5]
        till.config.write_text("[terminal]\nid = 7\n")
        assert read_again(till.state, "S001-T01") == ""
        assert "goes on with the config that it had" in till.log.read_text()
    finally:
        assert till.stop() == 0


@pytest.mark.parametrize(("text", "places"), [("2", [1]), ("1,3", [0, 2]), ("3 1 1", [0, 2])])
def test_numbers_of_readers_are_places(text: str, places: list[int]) -> None:
    """With commas or blanks, in any order, each once."""
    assert chosen(text, 3) == places


@pytest.mark.parametrize("text", ["", "x", "0", "4", "1,-1", "²", "1" * 5000])
def test_what_is_no_number_of_a_reader_is_said_in_words(text: str) -> None:
    """The same words whatever was typed."""
    with pytest.raises(ValueError, match=r"^give numbers from 1 to 3, like 1,2$"):
        chosen(text, 3)
