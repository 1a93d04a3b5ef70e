"""Commands about second copies, and about who this till is to others."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from offline_queue.counted import counted
from terminal.commands.console import Code, Failed, Place, answer, answering, columns, placed

if TYPE_CHECKING:
    from terminal.config import Config

WHERE: Final = click.argument(
    "folder", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="[FOLDER]"
)


@click.command(epilog="Example:  tilld enroll --json | jq -r .public_key")
@answering
@placed
def enroll(place: Place, *, as_json: bool) -> Code:
    """Show this till's name and public key, as the ledger and peers must know them.

    The key is made when it is not there yet; its secret half never leaves the state folder.
    """
    from offline_queue.terminal_key import KeyUnusable, load_or_create_key, public_key
    from terminal.state_folder import StateUnusable, prepare

    name = loaded(place).terminal.id
    try:
        prepare(place.state)
        key = public_key(load_or_create_key(place.state / "terminal.key"))
    except (KeyUnusable, StateUnusable, OSError) as error:
        raise Failed(str(error), Code.ATTENTION) from None
    told = {"terminal": name, "public_key": key}
    answer(told, f"{name} {key}\nAt the ledger:  tilld ledger enroll {name} {key}", as_json=as_json)
    return Code.FINE


@click.group(epilog="They work with the till up or down. docs/configuration.md tells how copies are kept.")
def mirror() -> None:
    """Look at second copies, and bring them to the ledger for a till that cannot."""


@mirror.command("list", epilog="Example:  tilld mirror list /mnt/office/tilld")
@WHERE
@answering
@placed
def list_copies(place: Place, folder: Path | None, *, as_json: bool) -> Code:
    """What is kept in FOLDER, or here for peers: whose, how much, since when."""
    from offline_queue.mirror_copy import FolderKeeper, MirrorUnreachable

    keeper = FolderKeeper(folder or place.state / "mirror")
    try:
        rows = [
            (terminal, stream, str(sum(len(copy.records) for copy in keeper.copies(terminal, stream))), _time(at))
            for terminal, stream, at in keeper.streams()
        ]
    except MirrorUnreachable as error:
        raise Failed(f"the copies cannot be read: {error}", Code.ATTENTION) from None
    told = [{"terminal": row[0], "stream": row[1], "records": int(row[2]), "kept_at": row[3]} for row in rows]
    heading = ("TERMINAL", "STREAM", "RECORDS", "KEPT AT")
    answer(told, columns([heading, *rows]) if rows else "No copies.", as_json=as_json)
    return Code.FINE


def _time(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


@mirror.command(epilog="Example:  tilld mirror deliver /mnt/office/tilld --config /etc/tilld/tilld.toml")
@WHERE
@answering
@placed
def deliver(place: Place, folder: Path | None, *, as_json: bool) -> Code:
    """Bring the copies in FOLDER, or those kept here for peers, to the ledger.

    For a till that is broken or burnt. The copies are proven by their till's own seal, and count once even if that till
    comes back. This till must be enrolled. Ends with 1 when something could not be brought.
    """
    from offline_queue.delivery import Delivery
    from offline_queue.ledger_client import HttpLedger, UnsafeLedgerUrl
    from offline_queue.mirror_copy import FolderKeeper, MirrorUnreachable
    from offline_queue.terminal_key import KeyUnusable, load_or_create_key
    from offline_queue.timepiece import SystemTimepiece

    config = loaded(place)
    if not (place.state / "terminal.key").exists():
        raise Failed(
            f"there is no key of a till in {place.state}, so the ledger would believe nothing. The copies stay.\n"
            "Name the state folder of an enrolled till with --state DIR, or enrol this one: tilld enroll",
            Code.USAGE,
        )
    keeper, at = FolderKeeper(folder or place.state / "mirror"), config.ledger
    try:
        key = load_or_create_key(place.state / "terminal.key")
        ledger = HttpLedger(at.url, config.terminal.id, key, allow_plain_http=at.plain_http, ca_file=at.ca_file or None)
        with closing(ledger):
            delivery = Delivery(keeper, ledger, SystemTimepiece(), at.public_key or _heard_key(place))
            done = [delivery.bring(terminal, stream) for terminal, stream, _ in keeper.streams()]
    except (KeyUnusable, MirrorUnreachable, UnsafeLedgerUrl, OSError) as error:
        raise Failed(f"nothing more was brought: {error}. The copies stay where they are.", Code.ATTENTION) from None
    lines = [
        f"{one.terminal} {one.stream}: the ledger has {one.accepted} of {counted(one.kept, 'record')}"
        + (f"; the copies stay: {one.trouble}" if one.trouble else "")
        for one in done
    ]
    answer([msgspec.to_builtins(one) for one in done], "\n".join(lines) or "No copies.", as_json=as_json)
    return Code.ATTENTION if any(one.trouble or one.accepted < one.kept for one in done) else Code.FINE


def _heard_key(place: Place) -> str | None:
    """The ledger's key as this till has heard it; None where it has no journal yet."""
    from offline_queue.journal import JournalUnusable
    from offline_queue.journal_marks import LEDGER_KEY
    from offline_queue.journal_reader import JournalReader

    try:
        with closing(JournalReader.open(place.state / "journal.db")) as journal:
            return journal.recall(LEDGER_KEY)
    except JournalUnusable:
        return None


def loaded(place: Place) -> "Config":
    """The till's config. Raises Failed for one with mistakes."""
    from offline_queue.config_file import ConfigUnusable
    from terminal.config import load

    try:
        return load(place.config_file)
    except ConfigUnusable as unusable:
        raise Failed(str(unusable), Code.USAGE) from None
