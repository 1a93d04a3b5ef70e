"""The books in one file: every record with what was decided of it, on both engines, and a stranger can verify it."""

import io
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.books.receipts import Signer
from ledger.port.book import Book
from ledger.tables import export
from offline_queue.entry import encode
from offline_queue.export_check import Broken, Checked, check
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, FakeTill
from tests.ledger.test_commands import opened, refused, run
from tests.offline_queue.test_ledger_client_docs import EXAMPLES

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
NOT_TEXT = b"\xff\xfe not a record"


@pytest.fixture
def busy(book: Book, till: FakeTill, monkeypatch: pytest.MonkeyPatch) -> Book:
    """Two tills, one of them copied, with a record that is no text; pages are short."""
    monkeypatch.setattr(export, "PAGE", 3)
    till.send(till.earn(100), till.earn(50, "2990000000055"), NOT_TEXT)
    copy = till.stream.copy()
    till.send(*(till.earn(points) for points in range(1, 6)))
    till.send(till.redeem(7), stream=copy)
    other = FakeTill(book, 2)
    other.send(other.earn(3))
    return book


def lines_of(book: Book, **chosen: Any) -> list[bytes]:
    out = io.BytesIO()
    written = book.export(out, **chosen)
    lines = out.getvalue().splitlines(keepends=True)
    assert written == sum(json.loads(line)["line"] == "record" for line in lines)
    return lines


def told(lines: list[bytes], line: str = "record") -> list[Any]:
    return [found for each in lines if (found := json.loads(each))["line"] == line]


def test_every_record_is_there_with_its_owner_and_decisions(busy: Book, till: FakeTill) -> None:
    """In the order of custody; a record that is no text as it came, the copied disk's branch beside its parent."""
    records = told(lines_of(busy))
    sent = [record["record"] for record in records if record["owner"] == till.terminal and "record" in record]
    assert sent[0] == till.stream.records[0].decode()
    assert len(records) == 10
    opaque = next(record for record in records if "opaque" in record)
    assert opaque["decisions"][-1]["code"] == "undecodable"
    assert [one["code"] for one in records[0]["decisions"]] == ["posted"]
    assert [record["seq"] for record in records if record.get("branch")] == [4]


@pytest.mark.parametrize("signer", [None, SIGNER])
def test_a_stranger_verifies_it(busy: Book, signer: Signer | None, tmp_path: Path) -> None:
    """With our own check and with the page's; signed by the ledger where it has its key."""
    lines = lines_of(busy, signer=signer)
    keys = [SIGNER.public_key] if signer else []
    assert check(lines) == Checked(10, 3, 3 if signer else 0, 0, None, None, keys)
    path = tmp_path / "books.jsonl"
    path.write_bytes(b"".join(lines))
    assert "10 records, every chain holds" in stranger(path).stdout
    path.write_bytes(b"".join(lines).replace(rb"\"points\":50", rb"\"points\":51", 1))
    assert "broken in line" in stranger(path).stderr


def stranger(path: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", EXAMPLES["verify-export"], str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_any_line_left_out_is_missed(busy: Book) -> None:
    """A record, a branch, a receipt, an end."""
    lines = lines_of(busy, signer=SIGNER)
    for n in range(len(lines)):
        with pytest.raises(Broken):
            check([*lines[:n], *lines[n + 1 :]])


@pytest.mark.parametrize("signer", [None, SIGNER])
def test_its_first_line_says_whose_books_they_are(busy: Book, signer: Signer | None) -> None:
    """By their generation, and by the key that signs for them where there is one."""
    begin = json.loads(lines_of(busy, signer=signer)[0])
    assert (begin["generation"], begin.get("ledger_key")) == (busy.generation, signer.public_key if signer else None)


def test_a_till_that_was_copied_before_its_first_sale(book: Book, till: FakeTill) -> None:
    """Both futures begin with the first record, and each is whole."""
    copy = till.stream.copy()
    till.send(till.earn(1), till.earn(2))
    till.send(till.earn(4), stream=copy)
    lines = lines_of(book, signer=SIGNER)
    assert [(one["seq"], one["hash"]) for one in told(lines, "branch")] == [(0, "0" * 64)]
    assert check(lines) == Checked(3, 2, 2, 0, None, None, [SIGNER.public_key])


@pytest.mark.parametrize("signer", [None, SIGNER])
def test_a_stream_that_was_only_told_of_is_not_in_it(book: Book, till: FakeTill, signer: Signer | None) -> None:
    """A till has said hello and delivers later: what is held already is whole without that."""
    till.send(till.earn(1))
    fresh = till.new_stream()
    till.hello(till.stream, fresh)
    lines = lines_of(book, signer=signer)
    assert [one["stream"] for one in told(lines, "end")] == [till.stream.uid]
    assert check(lines).chains == 1


def test_the_ledgers_key_lies_where_nobody_else_looks(tmp_path: Path) -> None:
    """Its folder is made for it, and is the ledger's alone; the same key is found there again."""
    path = tmp_path / "etc" / "tilld" / "ledger.key"
    made = Signer.kept_in(path)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert Signer.kept_in(path).public_key == made.public_key


def test_one_terminal_or_stream_alone(busy: Book, till: FakeTill) -> None:
    """Whole with its branches, and whole in itself."""
    of_one = lines_of(busy, terminal="S001-T02")
    assert {record["owner"] for record in told(of_one)} == {"S001-T02"}
    assert [key["terminal"] for key in told(of_one, "key")] == ["S001-T02"]
    of_stream = lines_of(busy, stream=till.stream.uid)
    assert (len(told(of_stream)), len(told(of_stream, "branch"))) == (9, 1)
    assert check(of_one).chains == 1
    assert check(of_stream).chains == 2
    assert check(lines_of(busy, terminal="nobody")).records == 0


def test_long_opaque_records_come_page_by_page(book: Book, till: FakeTill, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page holds what fits; the longest record has one of its own."""
    monkeypatch.setattr(export, "MAX_BATCH_BYTES", 1000)
    till.send(till.earn(1), b"x" * 5000, till.earn(2), b"y" * 900, b"z" * 900)
    assert check(lines_of(book)).records == 5


def test_what_comes_meanwhile_is_not_in_it(busy: Book, till: FakeTill) -> None:
    """A till goes on selling while somebody reads slowly: nobody waits, and the file is whole."""

    class Pipe(io.BytesIO):
        def write(self, line: Any) -> int:
            till.send(till.earn(1))
            return super().write(line)

    pipe = Pipe()
    assert busy.export(pipe) == 10
    assert check(pipe.getvalue().splitlines(keepends=True)).records == 10


class TestCommand:
    def test_it_writes_a_private_file_that_the_till_can_verify(self, database: str, tmp_path: Path) -> None:
        """`--key` signs with the ledger's own."""
        with closing(opened(database)) as book:
            book.register(CARD, 100)
        key, out = tmp_path / "ledger.key", tmp_path / "books.jsonl"
        Signer.kept_in(key)
        assert json.loads(run(database, "export", str(out), "--key", str(key), "--json").stdout) == {"records": 1}
        assert out.stat().st_mode & 0o777 == 0o600
        assert check(out.read_bytes().splitlines(keepends=True)).receipts == 1

    def test_the_pipe_gets_the_lines_alone(self, database: str) -> None:
        """A word beside them goes to stderr."""
        with closing(opened(database)) as book:
            till = FakeTill(book)
            till.send(sold := till.earn(5))
        result = run(database, "export", "-")
        lines = result.stdout_bytes.splitlines(keepends=True)
        assert check(lines).records == 1
        assert told(lines)[0]["record"] == encode(sold).decode()
        assert "1 records" in result.stderr

    def test_wrong_usage_is_said(self, database: str, tmp_path: Path) -> None:
        """Two outputs in one pipe, a folder that is not there, a key that is none."""
        with closing(opened(database)):
            pass
        (tmp_path / "no.key").write_text("no key")
        assert "--json" in refused("export", "-", "--json", "--database", database)
        assert "cannot write" in refused("export", str(tmp_path / "no" / "x"), "--database", database)
        key = str(tmp_path / "no.key")
        assert "holds no key" in refused("export", str(tmp_path / "x"), "--key", key, "--database", database)


def test_after_a_restart_it_is_the_same(shelf: Shelfful, busy: Book) -> None:
    """Nothing in it depends on who opened the books."""
    before = lines_of(busy)
    assert lines_of(shelf.open()) == before
