"""Files that somebody hands to us: exports, copies of peers, configs, and databases that are none of ours."""

import io
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

import ledger.config
import terminal.config
from ledger.port.refusals import BooksUnusable
from ledger.sqlite.book import SqliteBook
from ledger.sqlite.file import connect
from offline_queue.config_file import ConfigUnusable, Problem
from offline_queue.export_check import Broken, check
from offline_queue.journal import JournalUnusable
from offline_queue.mirror_copy import FolderKeeper, decoded, sealed
from offline_queue.opening import HEADER_SIZE, open_to_read, open_to_write, parse_header
from tests.fuzz.hostile import bent, bounded, crooked, hostile, seldom, thoroughly
from tests.offline_queue.journals import opened, sell

ROOT = Path(__file__).parents[2]
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A journal, its export, and books, as bytes."""
    folder = tmp_path_factory.mktemp("made")
    with closing(opened(folder)) as store, closing(store.reader()) as reader:
        for n in range(4):
            sell(store, f"sale-{n}")
        out = io.BytesIO()
        reader.export(out, KEY)
    SqliteBook(folder / "ledger.db").close()
    files = {"journal": folder / "journal.db", "books": folder / "ledger.db"}
    return {"export": out.getvalue(), **{name: path.read_bytes() for name, path in files.items()}}


class TestExports:
    @thoroughly
    @given(data=st.data())
    def test_a_bent_export(self, made: dict[str, bytes], data: st.DataObject) -> None:
        """It is the export, or Broken and nothing else."""
        text = data.draw(bent([made["export"]]) | st.binary(max_size=300))
        with bounded(), suppress(Broken):
            check(text.splitlines(keepends=True))
            assert text == made["export"]

    @thoroughly
    @given(data=st.data())
    def test_an_export_with_a_crooked_line(self, made: dict[str, bytes], data: st.DataObject) -> None:
        """A line that is JSON and still is not what was written."""
        lines = made["export"].splitlines(keepends=True)
        number = data.draw(st.integers(0, len(lines) - 1))
        lines[number] = data.draw(crooked([lines[number]])) + b"\n"
        with bounded(), suppress(Broken):
            check(lines)
            raise AssertionError("a changed line was taken for the right one")


COPY = sealed("S001-T02", "ab12", 1, [b'{"a":1}', b'{"b":"\xc3\xa9"}'], b"h" * 32, KEY)


class TestCopies:
    LINE = msgspec.json.encode(COPY)

    @thoroughly
    @given(line=hostile([LINE]))
    def test_a_line_is_a_copy_or_none(self, line: bytes) -> None:
        """Names in it can lead nowhere but into its own folder."""
        with bounded():
            found = decoded(line)
        if found is not None:
            assert "/" not in found.terminal + found.stream
            assert not found.terminal.startswith(".")

    @thoroughly
    @given(text=bent([LINE + b"\n" + LINE + b"\n"]))
    def test_a_bent_file(self, text: bytes) -> None:
        """Torn and foreign lines are passed over; a further copy is kept all the same."""
        with TemporaryDirectory() as folder, bounded():
            path = Path(folder) / COPY.terminal / f"{COPY.stream}.jsonl"
            path.parent.mkdir()
            path.write_bytes(text)
            keeper = FolderKeeper(Path(folder))
            assert all(copy.stream == COPY.stream for copy in keeper.copies(COPY.terminal, COPY.stream))
            later = sealed(COPY.terminal, COPY.stream, 2**39, [b"{}"], b"i" * 32, KEY)
            keeper.keep(later)
            assert [*keeper.copies(COPY.terminal, COPY.stream)][-1] == later


CONFIGS = {
    terminal.config: [(ROOT / "terminal" / "default.toml").read_bytes()],
    ledger.config: [
        (ROOT / "ledger" / "default.toml").read_bytes(),
        b'[ledger]\nlisten = "127.0.0.1:1"\n[[rule]]\nid = "base@1"\npoints = 1\nper = 100\nexpires = { days = 3 }\n',
        b'[programme]\ntime_zone = "Europe/Paris"\n[policy]\noverdrawn = "review"\n[limits]\nbreaches = 3\n',
    ],
}
UNCOMMENTED = {
    module: [*texts, *(b"\n".join(line.removeprefix(b"# ") for line in text.splitlines()) for text in texts)]
    for module, texts in CONFIGS.items()
}


@pytest.mark.parametrize("module", [*CONFIGS])
@thoroughly
@given(data=st.data())
def test_configs(module: object, data: st.DataObject) -> None:
    """A config is used or all its mistakes are told, each in a line; never a traceback."""
    text = data.draw(bent(UNCOMMENTED[module]) | st.text(max_size=200).map(str.encode))  # type: ignore[index]
    with TemporaryDirectory() as folder, bounded():
        path = Path(folder) / "some.toml"
        path.write_bytes(text)
        terminal.config.named_state(path)
        found = module.check(path)  # type: ignore[attr-defined]
        assert all(isinstance(problem, Problem) for problem in found)
        with suppress(ConfigUnusable):
            module.load(path)  # type: ignore[attr-defined]
            assert found == []


def opens(how: Callable[[], None]) -> bool:
    """Or it is said why not, and what to do."""
    try:
        how()
    except (JournalUnusable, BooksUnusable) as why:
        return not str(why)
    return True


@pytest.mark.parametrize("value", [b"9" * 5000, b"[" * 3000, b"0x" + b"f" * 9000, b"1e9999", b"9999-99-99"])
@pytest.mark.parametrize("module", [*CONFIGS])
def test_values_that_python_itself_chokes_on(module: object, value: bytes, tmp_path: Path) -> None:
    """Found by the test above: a number of 5,000 digits was a traceback."""
    path = tmp_path / "some.toml"
    path.write_bytes(b"[terminal]\nstate = " + value + b"\n")
    assert module.check(path)  # type: ignore[attr-defined]
    assert terminal.config.named_state(path) is None


class TestDatabases:
    @thoroughly
    @given(raw=st.binary(max_size=150))
    def test_headers_of_anything(self, raw: bytes) -> None:
        """A header or none."""
        with bounded():
            header = parse_header(raw)
        assert header is None or (len(raw) >= HEADER_SIZE and header.size >= 0)

    @seldom
    @given(data=st.data())
    def test_a_journal_with_a_bent_header(self, made: dict[str, bytes], data: st.DataObject) -> None:
        """It opens, or JournalUnusable says why; then the file is as it was."""
        bent_header = data.draw(bent([made["journal"][:HEADER_SIZE]]))
        raw = bent_header + made["journal"][HEADER_SIZE:]
        for opener in (open_to_read, lambda path: open_to_write(path, "normal")):
            with TemporaryDirectory() as folder, bounded():
                path = Path(folder) / "journal.db"
                path.write_bytes(raw)
                if not opens(lambda path=path, opener=opener: opener(path).close()):  # type: ignore[misc]
                    assert path.read_bytes() == raw

    @seldom
    @given(data=st.data())
    def test_books_with_a_bent_header(self, made: dict[str, bytes], data: st.DataObject) -> None:
        """The same at the ledger."""
        raw = data.draw(bent([made["books"][:HEADER_SIZE]])) + made["books"][HEADER_SIZE:]
        with TemporaryDirectory() as folder, bounded():
            path = Path(folder) / "ledger.db"
            path.write_bytes(raw)
            if not opens(lambda path=path: connect(path).close()):  # type: ignore[misc]
                assert path.read_bytes()[HEADER_SIZE:] == raw[HEADER_SIZE:]
