"""Commands about the journal: what the running till says of it, or, with the till down, the journal itself."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import click
import msgspec

from offline_queue.counted import counted
from offline_queue.legible import legible
from terminal.commands import completion
from terminal.commands.client import NotRunning, ask
from terminal.commands.console import Code, Failed, Place, accepted, answer, answering, details, placed, remark
from terminal.commands.journal import instead_of_the_till, opened_journal
from terminal.commands.queue_list import list_entries

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from offline_queue.export_check import Checked


@click.group(epilog="They work with the till up or down; nothing here changes the journal.")
def queue() -> None:
    """Look at the journal: list, show, verify, export."""


queue.add_command(list_entries)


@queue.command(epilog="Example:  tilld queue show receipt-4711 --json | jq .state")
@click.argument("transaction", metavar="ID", shell_complete=completion.transactions())
@answering
@placed
def show(place: Place, transaction: str, *, as_json: bool) -> Code:
    """One transaction by its id or by its idempotency key: what became of it, and why."""
    try:
        found = _shown_by_till(place, transaction)
    except NotRunning:
        found = _shown_by_journal(place, transaction)
    if found is None:
        raise Failed(f"this till has recorded no transaction {transaction!r}.", Code.ATTENTION)
    answer(found, details(found, _plain), as_json=as_json)
    return Code.FINE


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("masked", value))
    return " -> ".join(value) if isinstance(value, list) else str(value)


def _shown_by_till(place: Place, transaction: str) -> Any:
    quoted = quote(transaction, safe="")
    for target in (f"/v1/transactions/{quoted}", f"/v1/transactions?idempotency_key={quoted}"):
        reply = ask(place.socket, "GET", target)
        if reply.status != 404:
            return accepted(reply)
    return None


def _shown_by_journal(place: Place, transaction: str) -> Any:
    from terminal.questions import outcome

    with instead_of_the_till(place) as journal:
        found = journal.find_id(transaction) or journal.find_key(transaction)
    return msgspec.to_builtins(outcome(found)) if found else None


VERIFY_EXAMPLES: Final = """
\b
Examples:
  tilld queue verify
  tilld queue verify --file journal.jsonl    an export, of a till or of a ledger
"""


@queue.command(epilog=VERIFY_EXAMPLES)
@click.option(
    "--file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Check an export instead."
)
@answering
@placed
def verify(place: Place, file: Path | None, *, as_json: bool) -> Code:
    """Recompute every chain of the journal and check what the ledger has signed for.

    Ends with 1 when a record, an answer or a mark is not what was written.
    """
    if file is not None:
        return _verify_export(file, as_json=as_json)
    with opened_journal(place) as journal:
        result = journal.verify()
    bad = dict(zip(("stream", "seq", "why"), result.first_bad, strict=True)) if result.first_bad else None
    told = {"ok": result.ok, "records": result.records, "receipts": result.receipts, "first_bad": bad}
    signed = counted(result.receipts, "stream")
    text = f"{counted(result.records, 'record')}, every chain is whole; the ledger has signed for {signed}."
    if bad:
        text = (
            f"Record {bad['seq']} of stream {bad['stream']} is not what was written: {bad['why']}.\n"
            f"Keep {place.journal} as it is and send it to your support; the till's sales are not stopped by it."
        )
    answer(told, text, as_json=as_json)
    return Code.FINE if result.ok else Code.ATTENTION


def _verify_export(file: Path, *, as_json: bool) -> Code:
    from offline_queue.export_check import Broken, check
    from offline_queue.export_lines import MAX_LINE_BYTES

    try:
        with file.open("rb") as lines:
            found = check(iter(lambda: lines.readline(MAX_LINE_BYTES + 1), b""))
    except OSError as error:
        raise Failed(f"cannot read {file}: {error.strerror}.", Code.ATTENTION) from None
    except Broken as broken:
        told = {"ok": False, "first_bad": {"line": broken.line, "why": broken.why}}
        text = (
            f"Line {broken.line} is not what was exported: {legible(broken.why)}.\nAsk whoever made {file} for another."
        )
        answer(told, text, as_json=as_json)
        return Code.ATTENTION
    answer({"ok": True, **msgspec.to_builtins(found)}, _holds(found), as_json=as_json)
    return Code.FINE


def _holds(found: "Checked") -> str:
    lines = [f"{counted(found.records, 'record')} in {counted(found.chains, 'stream')}, every chain is whole."]
    if found.seals and found.public_key:
        sealed = counted(found.seals, "stream")
        lines.append(f"Sealed by {legible(found.terminal or '?')} ({sealed}), key {found.public_key}")
    signed = counted(found.receipts, "receipt")
    lines += [f"Custody signed by the ledger ({signed}), key {key}" for key in found.ledger_keys]
    return "\n".join([*lines, "Compare the keys with those that the till and the ledger show you."])


@queue.command(epilog="Example:  tilld queue export --output journal.jsonl")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="[default: stdout]")
@answering
@placed
def export(place: Place, output: Path | None, *, as_json: bool) -> Code:
    """Write the whole journal as JSON Lines that a stranger can verify with SHA-256 alone.

    The terminal's key seals it and the ledger's receipts are in it, for those who check signatures too. The lines hold
    whole card numbers: keep them as you keep the journal.
    """
    if as_json and output is None:
        raise click.UsageError("The export is JSON Lines itself; add --output FILE to have a summary with --json.")
    key = _key(place)
    with opened_journal(place) as journal:
        if output is None:
            journal.export(sys.stdout.buffer, key)
            return Code.FINE
        with _private(output) as out:
            written = journal.export(out, key)
    answer({"file": str(output), "records": written}, f"{counted(written, 'record')} in {output}.", as_json=as_json)
    return Code.FINE


def _key(place: Place) -> "Ed25519PrivateKey | None":
    """The terminal's; without it the export is not sealed."""
    from offline_queue.terminal_key import KeyUnusable, load_or_create_key

    path = place.state / "terminal.key"
    try:
        if path.exists():
            return load_or_create_key(path)
    except (KeyUnusable, OSError) as error:
        remark(f"The export is not sealed: {error}")
        return None
    remark(f"The export is not sealed: there is no {path}.")
    return None


@contextmanager
def _private(path: Path) -> Iterator[Any]:
    """A file for its owner alone. Raises Failed."""
    from offline_queue.private_file import written_privately

    try:
        with written_privately(path) as out:
            yield out
    except OSError as error:
        raise Failed(f"cannot write {path}: {error.strerror}. The journal is untouched.", Code.ATTENTION) from None
