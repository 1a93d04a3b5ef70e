"""What is logged, and what never is."""

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.log import JsonLines, Readable, set_up, without_numbers


@pytest.fixture
def root() -> logging.Logger:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    ("text", "logged"),
    [
        ("card 2990000000017 read", "card •••• 0017 read"),
        ("4111 1111 1111 1111", "•••• 1111"),
        ("4111-1111-1111-1111!", "•••• 1111!"),
        ("on 2026-03-01 at 10:00", "on 2026-03-01 at 10:00"),
        ("0195d0f2-7b1a-7c3e-8000-123456789012", "0195d0f2-7b1a-7c3e-8000-123456789012"),
        ("port 8780, pid 1234567", "port 8780, pid 1234567"),
    ],
)
def test_numbers_that_may_be_cards_are_masked(text: str, logged: str) -> None:
    """Runs of 8 digits and more and groups of four; dates, ports and our own ids stay."""
    assert without_numbers(text) == logged


@given(before=st.text(max_size=6), number=st.integers(10**7, 10**19 - 1), after=st.text(max_size=6))
def test_no_long_number_passes(before: str, number: int, after: str) -> None:
    """Whatever stands around it, as long as all of it is too short for one of our own hashes."""
    assert str(number) not in without_numbers(f"{before}{number}{after}")


def test_a_traceback_is_masked_too(root: logging.Logger) -> None:
    """An exception that quotes a card is logged without its number."""
    stream = io.StringIO()
    set_up(stream=stream)
    try:
        raise ValueError("card 2990000000017")
    except ValueError:
        logging.getLogger("x").exception("failed for %s", "2990000000024")
    line = json.loads(stream.getvalue())
    assert line.keys() == {"time", "level", "source", "message", "trace"}
    assert (line["level"], line["source"], line["message"]) == ("error", "x", "failed for •••• 0024")
    assert "ValueError: card •••• 0017" in line["trace"]
    assert "2990000000017" not in stream.getvalue()


def test_a_person_reads_lines_and_a_machine_json(root: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets short lines, unless systemd collects them."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    set_up(stream=Terminal())
    assert isinstance(root.handlers[0].formatter, Readable)
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    set_up(stream=Terminal())
    assert isinstance(root.handlers[0].formatter, JsonLines)


def test_a_readable_line_is_masked_with_its_traceback() -> None:
    """The form for people hides as much."""
    record = logging.LogRecord("x", logging.INFO, "f", 1, "card %s", ("2990000000017",), None)
    assert Readable().format(record).endswith("INFO x: card •••• 0017")


def test_a_terminal_shows_what_a_device_would_have_it_do() -> None:
    """A reader's own name is written by its maker, or by somebody who plugs one in to be obeyed; tracebacks stay."""
    try:
        raise ValueError("\x1b[2J")
    except ValueError as error:
        fault = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%s: ready", ("Scan\x1b]0;done\a\nner",), fault)
    told = Readable().format(record)
    assert "Scan\\x1b]0;done\\x07\\nner: ready" in told
    assert all(line.isprintable() for line in told.splitlines())
    assert told.splitlines()[-1] == "ValueError: \\x1b[2J"
