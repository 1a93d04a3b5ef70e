"""`tilld ledger` as people and scripts meet it."""

import json
import re
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ledger import config
from ledger.cli import ledger
from ledger.commands.command_line import books
from ledger.commands.serve import warn_in_the_clear
from ledger.port.book import Book
from offline_queue.entry import Card, Clock, Kind, Receipt
from tests.ledger.client import Client
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill
from tests.ledger.test_lineage import Line

KEY = b64encode(bytes(range(32))).decode()


@pytest.fixture
def url(database: str) -> str:
    """Books of a till that sold a bit, garbage included."""
    with closing(opened(database)) as book:
        book.register(CARD, 100)
        till = FakeTill(book)
        earned = till.earn(10)
        till.send(earned, till.redeem(4), till.reverse(earned, 3), till.earn(7, "2990000000031"), b"garbage")
        till.hello()
    return database


def opened(url: str, **options: Any) -> Book:
    book: Book = books(url, must_exist=False)(**options)
    return book


def run(url: str, *arguments: str) -> Result:
    result = CliRunner().invoke(ledger, [*arguments, "--database", url], standalone_mode=False)
    assert result.exception is None, result.exception
    return result


def refused(*arguments: str) -> str:
    """What a person reads; the exit code is 2."""
    result = CliRunner().invoke(ledger, list(arguments))
    assert result.exit_code == 2, result.output
    return result.output


class TestOffice:
    def test_an_account_is_explained(self, url: str) -> None:
        """Points, lots and every entry; as JSON one document with the whole."""
        told = json.loads(run(url, "account", CARD, "--json").stdout)
        assert told["points"] == 103 == sum(lot["remaining"] for lot in told["lots"])
        assert [entry["points"] for entry in told["entries"]] == [100, 10, -4, -3]
        shown = run(url, "account", CARD).stdout
        assert "103 points" in shown
        assert CARD not in shown

    def test_a_worn_card_is_seen_before_it_dies(self, url: str) -> None:
        """What the tills last found, by technology; a sale that says nothing of it takes nothing back."""
        with closing(opened(url)) as book:
            till = FakeTill(book, 2)
            reads = [Card(CARD, "ntag", "contactless", 62), Card(CARD, "qr", "scanned", 0), Card(CARD)]
            till.send(*(till.entry(Kind.EARN, 1, card=read) for read in reads))
        told = json.loads(run(url, "account", CARD, "--json").stdout)["wear"]
        assert [(one["technology"], one["wear"], one["terminal"]) for one in told] == [
            ("ntag", 62, "S001-T02"),
            ("qr", 0, "S001-T02"),
        ]
        shown = run(url, "account", CARD).stdout
        assert "by ntag: wear 62 of 100" in shown
        assert shown.count("replace it soon") == 1

    def test_numbers_read_well(self, database: str) -> None:
        """One is one, and no line of a table ends in blanks that get into a ticket."""
        with closing(opened(database)) as book:
            till = FakeTill(book)
            book.register(CARD, 1)
            till.send(till.earn(7, "2990000000031"))
        assert "It begins with 1 point." in run(database, "register", OTHER_CARD, "--points", "1").stdout
        assert "1 point, as of" in run(database, "account", CARD).stdout
        assert "Sum: 1 entry makes 1," in run(database, "account", CARD, "--explain").stdout
        assert "2 accounts; 2 points owed." in run(database, "verify").stdout
        waiting = json.loads(run(database, "conflicts", "--json").stdout)[0]["name"]
        for shown in (run(database, "conflicts").stdout, run(database, "conflicts", "show", waiting).stdout):
            assert [line for line in shown.splitlines() if line != line.rstrip()] == []

    def test_an_unknown_card_needs_attention(self, url: str) -> None:
        """Exit code 1, and the command that opens an account."""
        result = run(url, "account", "2990000000099", "--json")
        assert result.return_value == 1
        assert json.loads(result.stdout) == {"number": "2990000000099", "known": False}
        assert "register" in result.stderr

    def test_registering_credits_what_waited(self, url: str) -> None:
        """Opening points come once, whoever asks how often."""
        first = run(url, "register", "2990000000031", "--points", "5", "--json")
        assert json.loads(first.stdout)["opened"] is True
        again = run(url, "register", "2990000000031", "--points", "5")
        assert (again.return_value, "given before" in again.stdout) == (0, True)
        other = run(url, "register", "2990000000031", "--points", "6")
        assert other.return_value == 1
        assert json.loads(run(url, "account", "2990000000031", "--json").stdout)["points"] == 12

    def test_terminals_and_conflicts_are_listed(self, url: str) -> None:
        """For people as tables, for scripts as lists; garbage in a record cannot garble the table."""
        (till,) = json.loads(run(url, "terminals", "--json").stdout)
        assert (till["name"], till["records"], till["software"]) == ("S001-T01", 5, "fake 1")
        assert "S001-T01" in run(url, "terminals").stdout
        flags = json.loads(run(url, "conflicts", "--json").stdout)
        assert [flag["code"] for flag in flags] == ["card_unknown", "undecodable"]
        assert "undecodable" in run(url, "conflicts").stdout

    def test_the_texts_of_a_till_are_shown_and_not_obeyed(self, database: str) -> None:
        """Escapes, what turns the writing round, ends of lines: in tables, pages and JSON."""
        receipt = Receipt("47\x1b[2J\x9b\u202e\x7f\n", "S001", "2026-03-01T10:00:00Z")
        with closing(opened(database)) as book:
            book.register(CARD, 100)
            till = FakeTill(book)
            till.send(till.earn(10, receipt=receipt), till.earn(5, receipt=receipt))
        for arguments in (
            ("account", CARD),
            ("account", CARD, "--explain"),
            ("conflicts",),
            ("account", CARD, "--json"),
        ):
            shown = run(database, *arguments).output
            assert shown.replace("\n", "").isprintable()
            assert "[2J" in shown

    def test_an_id_is_whole_wherever_the_table_goes(self, url: str) -> None:
        """It is copied into the next command."""
        [first, *_] = json.loads(run(url, "conflicts", "--json").output)
        assert first["name"] in run(url, "conflicts").output

    def test_what_was_found_against_a_till_is_acknowledged(self, url: str) -> None:
        """It is listed until then; the till's name is enough."""
        with closing(opened(url)) as book:
            till = FakeTill(book)
            Line(book, till).hello()
            Line(book, till).hello()
        assert json.loads(run(url, "terminals", "--json").stdout)[0]["findings"] == ["journal_lost"]
        assert "journal_lost" in run(url, "terminals").stdout
        assert "1 finding acknowledged" in run(url, "terminals", "acknowledge", "S001-T01").stdout
        assert json.loads(run(url, "terminals", "acknowledge", "S001-T01", "--json").stdout)["findings"] == 0
        assert "nothing is found against it" in run(url, "terminals", "acknowledge", "S001-T01").stdout
        assert json.loads(run(url, "terminals", "--json").stdout)[0]["findings"] == []
        assert "no till S009" in refused("--database", url, "terminals", "acknowledge", "S009")

    def test_empty_books_say_what_to_do_next(self, database: str) -> None:
        """Nobody is left with an empty table."""
        run(database, "register", CARD)
        assert "tilld ledger enroll" in run(database, "terminals").stdout
        assert "Nothing waits" in run(database, "conflicts").stdout
        assert "0 points" in run(database, "account", CARD).stdout

    def test_verify_says_whether_all_adds_up(self, url: str) -> None:
        """Exit code 1 as soon as one thing does not."""
        fine = run(url, "verify", "--json")
        assert (fine.return_value, json.loads(fine.stdout)["ok"]) == (0, True)
        assert "All adds up" in run(url, "verify").stdout
        with closing(opened(url)) as book:
            book._engine.write(lambda tables: tables.change("UPDATE account SET balance = balance + 1"))
        bad = run(url, "verify")
        assert (bad.return_value, "its entries" in bad.stdout) == (1, True)

    def test_what_expired_long_ago_is_written_off(self, url: str, tmp_path: Path) -> None:
        """By the rules of the config: the account says when points end, which had ended, and why they left."""
        file = tmp_path / "ledger.toml"
        file.write_text('[[rule]]\nid = "old@1"\nexpires = {days = 30}\n')
        at = "2025-01-10T12:00:00Z"
        with closing(opened(url, policy=config.load(file).policy())) as book:
            till = FakeTill(book, 2)
            till.send(till.earn(40, rule="old@1", occurred_at=at, clock=Clock("b", 1, at)))
        told = json.loads(run(url, "account", CARD, "--json").stdout)
        assert (told["points"], told["usable"], told["expired"]) == (143, 103, 40)
        shown = run(url, "account", CARD).stdout
        assert "103 usable, 0 not active yet, 40 expired" in shown
        assert "Expired and not written off yet" in shown
        done = run(url, "expire", "--json", "--config", str(file))
        assert json.loads(done.stdout) == {"accounts": 1, "lots": 1, "points": 40, "following": None}
        assert "Nothing" in run(url, "expire").stdout
        told = json.loads(run(url, "account", CARD, "--json").stdout)
        assert (told["points"], told["expired"]) == (103, 0)
        assert told["entries"][-1]["reason"] == "expired after 2025-02-09"
        assert "Expired" not in run(url, "account", CARD).stdout

    def test_a_till_is_let_in_by_name_and_key(self, url: str) -> None:
        """A known till's key changes only with --replace."""
        arguments = ("enroll", "S001-T02", KEY)
        assert json.loads(run(url, *arguments, "--json").stdout) == {"terminal": "S001-T02", "enrolled": True}
        run(url, *arguments)
        other = b64encode(bytes(32)).decode()
        database = ("--database", url)
        assert "--replace" in refused("enroll", "S001-T02", other, *database)
        run(url, "enroll", "S001-T02", other, "--replace")

    @pytest.mark.parametrize(
        "arguments",
        [
            ("enroll", "S 1", KEY),
            ("enroll", "S1", "short"),
            ("register", "9" * 65),
            ("register", CARD, "--points", "0"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, url: str, arguments: tuple[str, ...]) -> None:
        """With exit code 2 and a sentence."""
        assert "Error" in refused(*arguments, "--database", url)

    def test_the_database_may_be_named_before_the_command(self, url: str) -> None:
        """`tilld ledger --database … verify` is what many type."""
        result = CliRunner().invoke(ledger, ["--database", url, "verify"], standalone_mode=False)
        assert (result.return_value, "All adds up" in result.stdout) == (0, True)


class TestConfig:
    def test_the_config_names_the_books_and_a_flag_goes_first(self, url: str, tmp_path: Path) -> None:
        """The office works on the books of the server without naming them; who names others gets those."""
        file = tmp_path / "ledger.toml"
        file.write_text(f'[ledger]\ndatabase = "{url}"\n')
        for arguments in (("--config", str(file), "verify"), ("verify", "--config", str(file))):
            result = CliRunner().invoke(ledger, arguments, standalone_mode=False)
            assert (result.return_value, "All adds up" in result.stdout) == (0, True)
        other = f"sqlite:///{tmp_path}/other.db"
        assert "no books" in refused("verify", "--config", str(file), "--database", other)

    def test_its_mistakes_are_told_all_at_once(self, tmp_path: Path) -> None:
        """Where the config is wrong nothing is served and nothing changed; check-config tells the same."""
        file = tmp_path / "ledger.toml"
        file.write_text('[ledger]\nlisten = "x"\n[policy]\noverdrawn = "maybe"\n')
        checked = CliRunner().invoke(ledger, ["--config", str(file), "check-config"], standalone_mode=False)
        assert checked.return_value == 2
        for said in (refused("--config", str(file)), refused("verify", "--config", str(file)), checked.stderr):
            assert "ledger.listen" in said
            assert "policy.overdrawn" in said

    def test_a_good_config_is_said_to_be_good(self, tmp_path: Path) -> None:
        """For people and for scripts."""
        file = tmp_path / "ledger.toml"
        file.write_text('[policy]\noverdrawn = "review"\n')
        shown = CliRunner().invoke(ledger, ["check-config", "--config", str(file)], standalone_mode=False)
        assert (shown.return_value, "no mistakes" in shown.stdout) == (0, True)
        told = CliRunner().invoke(ledger, ["check-config", "--json", "--config", str(file)], standalone_mode=False)
        assert json.loads(told.stdout) == {"file": str(file), "ok": True, "problems": []}


class TestUsage:
    def test_books_that_are_not_there_are_not_made_by_looking(self, database: str) -> None:
        """A typing error does not leave empty books behind."""
        for _ in range(2):
            assert "no books" in refused("verify", "--database", database)

    @pytest.mark.parametrize("url", ["mysql://x", "ledger.db", "sqlite:///"])
    def test_other_databases_are_declined(self, url: str) -> None:
        """Politely, with what works."""
        assert "sqlite:///" in refused("verify", "--database", url)

    def test_the_default_lies_in_the_state_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """systemd's folder where there is one, else the user's own."""
        monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "a") + ":/elsewhere")
        assert str(tmp_path / "a" / "ledger.db") in refused("verify")
        monkeypatch.delenv("STATE_DIRECTORY")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert str(tmp_path / ".local" / "state" / "tilld" / "ledger.db") in refused("verify")

    def test_open_enrolment_is_for_this_machine_alone(self) -> None:
        """Whoever reaches the port would be let in."""
        assert "enroll" in refused("--listen", "0.0.0.0:0", "--enrolment", "open")

    @pytest.mark.parametrize(
        "listen", ["8790", "localhost:", ":8790", "localhost:http", "localhost:99999", "localhost:²", "a:" + "1" * 5000]
    )
    def test_an_address_has_host_and_port(self, listen: str) -> None:
        """The message shows a good one."""
        assert "127.0.0.1:8790" in refused("--listen", listen)

    def test_a_port_in_use_says_who_to_ask(self, tmp_path: Path) -> None:
        """And nothing was made or changed."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = refused("--listen", f"127.0.0.1:{port}", "--database", f"sqlite:///{tmp_path}/ledger.db")
        assert f"sport = :{port}" in said.replace("\n", " ")
        assert not (tmp_path / "ledger.db").exists()

    def test_a_file_that_is_no_ledger_is_refused(self, tmp_path: Path) -> None:
        """Exit code 2 and the file as it was."""
        path = tmp_path / "notes.db"
        path.write_text("notes " * 100)
        assert "Nothing in it was touched" in refused("verify", "--database", f"sqlite:///{path}")


@contextmanager
def served(database: str, *options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A real ledger process and its URL."""
    command = [sys.executable, "-m", "terminal", "ledger", "--listen", "127.0.0.1:0", "--database", database]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.fullmatch(r"ledger listening on (http://127\.0\.0\.1:\d+)\n", line)
            assert found, line
            yield process, found[1]
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


TOLD_TOO_SOON = """
import signal, sys
from ledger.http.server import LedgerServer
from terminal.cli import main
serve = LedgerServer.serve_until_stopped
LedgerServer.serve_until_stopped = lambda server: signal.raise_signal(signal.SIGTERM) or serve(server)
main(["ledger", "--listen", "127.0.0.1:0", "--database", sys.argv[1]])
"""


class TestServing:
    def test_a_stop_that_comes_before_it_serves_is_heard(self, tmp_path: Path) -> None:
        """Whoever starts and stops it at once does not wait for its end in vain."""
        command = [sys.executable, "-c", TOLD_TOO_SOON, f"sqlite:///{tmp_path / 'ledger.db'}"]
        assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0

    @pytest.mark.parametrize(("listen", "said"), [("0.0.0.0:8790", 1), ("127.0.0.1:8790", 0), ("[::1]:8790", 0)])
    def test_to_be_open_in_the_clear_is_said(self, listen: str, said: int, caplog: pytest.LogCaptureFixture) -> None:
        """A proxy with TLS belongs before a ledger that other machines reach."""
        warn_in_the_clear(listen)
        assert ["plain HTTP" in record.message for record in caplog.records] == [True] * said

    def test_it_serves_until_told_to_stop(self, url: str) -> None:
        """It prints its address once it answers, works beside the office's commands, and ends with exit code 0."""
        with served(url, "--enrolment", "open") as (process, address):
            client = Client(address, "S001-T07")
            assert client.hello().status == 200
            assert "S001-T07" in run(url, "terminals").stdout
            assert client.request("GET", f"/v1/accounts/{CARD}").json["balance"]["points"] == 103
            client.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        if url.startswith("sqlite:///"):
            assert not Path(url.removeprefix("sqlite:///") + "-wal").exists()  # closed cleanly, all in one file
