"""`tilld queue list --last`, `verify` and `export`, as a technician and a stranger meet them."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.terminal_key import load_or_create_key, public_key
from terminal.cli import main
from terminal.commands.queue_list import latest
from tests.offline_queue.journals import opened, sell


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A till that sold a bit, with its key."""
    load_or_create_key(tmp_path / "terminal.key")
    with closing(opened(tmp_path)) as store:
        for n in range(3):
            sell(store, f"sale-{n}")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out, told.err


def test_the_newest_are_found_with_the_till_down(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Out of both lanes, by their time, the newest last."""
    every = json.loads(run(capsys, "queue", "list", "--state", str(state), "--json")[1])["entries"]
    code, told, _ = run(capsys, "queue", "list", "--last", "2", "--state", str(state), "--json")
    ordered = sorted(every, key=lambda entry: (entry["occurred_at"], entry["id"]))
    assert (code, json.loads(told)["entries"]) == (0, ordered[-2:])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99)), max_size=12), st.integers(1, 6))
def test_the_newest_of_many_pages_are_the_newest_of_all(told: list[tuple[int, int]], count: int) -> None:
    """Whichever way the transactions are dealt out."""
    entries = [{"occurred_at": f"{at:03}", "id": f"{number:03}"} for at, number in told]
    ordered = sorted(entries, key=lambda entry: (entry["occurred_at"], entry["id"]))
    half = len(entries) // 2
    assert latest([*latest(entries[:half], count), *entries[half:]], count) == ordered[-count:]


def test_an_export_is_sealed_and_can_be_verified(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its own command too: with the keys, for a person to compare."""
    out, key = state / "journal.jsonl", public_key(load_or_create_key(state / "terminal.key"))
    code, told, _ = run(capsys, "queue", "export", "--output", str(out), "--state", str(state), "--json")
    assert (code, json.loads(told)) == (0, {"file": str(out), "records": 7})
    assert out.stat().st_mode & 0o777 == 0o600
    code, told, _ = run(capsys, "queue", "verify", "--file", str(out))
    assert code == 0
    assert "7 records in 2 streams, every chain is whole." in told
    assert f"Sealed by S001-T01 (2 streams), key {key}" in told
    code, told, _ = run(capsys, "queue", "verify", "--file", str(out), "--json")
    assert (json.loads(told)["ok"], json.loads(told)["seals"]) == (True, 2)


def test_a_forged_export_is_named_by_its_line(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and which line."""
    out = state / "journal.jsonl"
    run(capsys, "queue", "export", "--output", str(out), "--state", str(state))
    out.write_bytes(out.read_bytes().replace(rb"\"points\":5", rb"\"points\":500", 1))
    code, told, _ = run(capsys, "queue", "verify", "--file", str(out), "--json")
    first_bad = json.loads(told)["first_bad"]
    assert (code, json.loads(told)["ok"]) == (1, False)
    assert "breaks at" in first_bad["why"]
    code, told, _ = run(capsys, "queue", "verify", "--file", str(out))
    assert f"Line {first_bad['line']} is not what was exported" in told


@pytest.mark.parametrize(("change", "word"), [("unlink", "there is no"), ("write", "holds no key")])
def test_without_its_key_the_export_is_not_sealed(
    state: Path, capsys: pytest.CaptureFixture[str], change: str, word: str
) -> None:
    """That is said beside it, and no new key is made."""
    key, out = state / "terminal.key", state / "journal.jsonl"
    key.unlink() if change == "unlink" else key.write_text("no key")
    code, _, errors = run(capsys, "queue", "export", "--output", str(out), "--state", str(state))
    assert (code, "not sealed" in errors, word in errors) == (0, True, True)
    assert key.exists() is (change == "write")
    assert json.loads(run(capsys, "queue", "verify", "--file", str(out), "--json")[1])["seals"] == 0


def test_a_file_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a line, with exit code 1."""
    code, told, errors = run(capsys, "queue", "verify", "--file", str(tmp_path / "nothing"))
    assert (code, told) == (1, "")
    assert "cannot read" in errors
