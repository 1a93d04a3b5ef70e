"""docs/protocol.md says what the code does."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import pytest

from offline_queue.conflicts import ConflictKind
from offline_queue.entry import Entry, Kind, decode
from offline_queue.signing import parse_authorization
from offline_queue.terminal_key import load_or_create_key
from offline_queue.wire import ProblemCode
from tests.offline_queue.claimed import CARD, OTHER_PUBLIC, PUBLIC, code_of, on_card
from tests.offline_queue.journals import opened, sell
from tests.offline_queue.protocol_examples import batch_body, blocks, header, records

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
EXAMPLES = dict(re.findall(r"<!-- ([a-z-]+) -->\n```[a-z]*\n(.*?)\n```", PAGE, re.DOTALL))


def test_every_example_is_what_the_reference_ledger_says() -> None:
    """The page's conversation, held again: no example has gone stale, and none is missing."""
    held = dict(blocks())
    assert EXAMPLES.keys() == held.keys() | {"verify-batch", "verify-export", "verify-claim"}
    for name, text in held.items():
        assert EXAMPLES[name] == text, "python -m tests.offline_queue.protocol_examples shows what the page must say"


@pytest.mark.parametrize("word", [*ConflictKind, *ProblemCode, *Kind])
def test_every_code_and_kind_is_on_the_page(word: str) -> None:
    """A ledger's engineer finds each of them explained."""
    assert f"`{word}`" in PAGE


def test_every_field_of_a_record_is_on_the_page() -> None:
    """Nothing travels that the page does not name."""
    assert [name for name in Entry.__struct_fields__ if f"`{name}`" not in PAGE] == []


def test_stranger_verifies_a_batch_with_a_shell(tmp_path: Path) -> None:
    """sha256sum alone finds the head that the header declares, and another one when a byte was changed."""
    batch = tmp_path / "batch.ndjson"
    batch.write_bytes(batch_body(header(), records()))
    assert _shell(tmp_path) == header().head
    batch.write_bytes(batch.read_bytes().replace(b'"points":24', b'"points":25'))
    assert _shell(tmp_path) != header().head


def _shell(folder: Path) -> str:
    run = subprocess.run(
        ["bash", "-c", EXAMPLES["verify-batch"]], cwd=folder, capture_output=True, text=True, check=True, timeout=30
    )
    return run.stdout.strip()


def test_stranger_verifies_an_export_with_the_standard_library(tmp_path: Path) -> None:
    """The export proves itself to anybody, seals and all, and a forged line is found."""
    store = opened(tmp_path)
    for n in range(3):
        sell(store, f"sale-{n}")
    journal, path = store.reader(), tmp_path / "export.jsonl"
    with path.open("wb") as out:
        journal.export(out, load_or_create_key(tmp_path / "terminal.key"))
    journal.close()
    store.close()
    assert "5 records, every chain holds" in _python(path).stdout
    whole = path.read_bytes()
    path.write_bytes(whole.replace(rb"\"points\":5", rb"\"points\":6", 1))
    assert "broken in line" in _python(path).stderr
    path.write_bytes(whole.rpartition(b'{"line":"total"')[0])
    assert "cut off" in _python(path).stderr
    path.write_bytes(re.sub(rb'(?<="public_key":")[^"]+', base64.b64encode(PUBLIC), whole, count=1))
    assert _python(path).returncode != 0


def _python(path: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", EXAMPLES["verify-export"], str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_stranger_verifies_a_claim_code() -> None:
    """A general CBOR library and an Ed25519 library are all that is needed; a forged code raises."""

    def verified(key: bytes, card: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", EXAMPLES["verify-claim"], code_of(on_card()).text, key.hex(), card]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

    assert verified(PUBLIC, CARD).stdout.split() == ["S001-T01", on_card().id, "249", "True"]
    assert verified(PUBLIC, "2990000000024").stdout.split()[-1] == "False"
    assert "InvalidSignature" in verified(OTHER_PUBLIC, CARD).stderr


def test_record_without_a_version_is_of_the_first() -> None:
    """As the page says; a later version must say its own."""
    assert b'"v"' not in records()[1]
    assert decode(records()[1]).v == 1


def test_authorization_of_the_example_is_well_formed() -> None:
    """What the page shows is what both ends parse."""
    assert parse_authorization(EXAMPLES["authorization"].partition("Authorization: ")[2]) is not None
