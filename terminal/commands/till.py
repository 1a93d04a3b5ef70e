"""Commands that run the till or talk to the one that runs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from drivers.base import Technology
from offline_queue.entry import masked
from offline_queue.legible import legible
from terminal.attention import attention
from terminal.commands import completion
from terminal.commands.client import NotRunning
from terminal.commands.console import Code, Failed, Place, answer, answering, columns, placed, remark
from terminal.commands.status_text import status_text

TAP_EXAMPLES: Final = """
\b
Examples:
  tilld tap 2990000000017
  tilld tap 2990000000017 --technology ntag
  tilld tap --fault crash
"""
TECHNOLOGIES: Final = click.Choice([technology.value for technology in Technology])
TECHNOLOGY_HELP: Final = "What carries it: ntag, desfire, iso7816, phone, magstripe, ean ..."
FAULT_HELP: Final = "What goes wrong: unreadable, crash, hang, absent, held, forbidden, failing, flood."


@click.command(epilog="Example:  tilld run --config /etc/tilld/tilld.toml --state /var/lib/tilld")
@placed
def run(place: Place) -> Code:
    """Run the till in the foreground until SIGTERM or Ctrl-C.

    SIGUSR1 makes it read its config again; one with mistakes is told, and the till goes on with the earlier one.
    """
    from offline_queue.config_file import ConfigUnusable
    from terminal.config import find, load

    file = find(place.config)
    try:
        config = load(file)
    except ConfigUnusable as unusable:
        again = f"tilld check-config --config {file}"
        raise Failed(f"{unusable}\nNothing was started. `{again}` tells the same.", Code.USAGE) from None
    from terminal.daemon import AGAIN
    from terminal.daemon import run as run_daemon
    from terminal.ending import heeding_signals

    with heeding_signals() as told:
        while (code := run_daemon(config, place.state, file, told.stop)) == AGAIN:
            told.anew()
            file = find(place.config)
            try:
                config = load(file)
            except ConfigUnusable as unusable:
                remark(f"{unusable}\nThe till goes on with the config that it had.")
    return Code(code)


@click.command("check-config", epilog="Example:  tilld check-config --config ./tilld.toml")
@answering
@placed
def check_config(place: Place, *, as_json: bool) -> Code:
    """Tell every mistake of the config at once."""
    from terminal.config import check, find, load

    file = find(place.config)
    problems = check(file)
    risks = [] if problems else load(file).risks()
    told = {
        "file": str(file) if file else None,
        "ok": not problems,
        "problems": [{"where": p.where, "what": p.what} for p in problems],
        "risks": risks,
    }
    fine = "\n".join([f"{file or 'No config file: the built-in defaults'}: no mistakes.", *risks])
    answer(told, "\n".join(map(str, problems)) or fine, as_json=as_json)
    return Code.USAGE if problems else Code.FINE


@click.command(epilog="Example:  tilld status --json | jq .queue.queued")
@answering
@placed
def status(place: Place, *, as_json: bool) -> Code:
    """The till at a glance: ledger, queue, readers.

    It ends with 1 where its first line says that something needs attention: a ledger out of reach, a conflict, a reader
    that is not ready. With the till down it tells what the journal holds, and ends with 3.
    """
    try:
        told = {"running": True, **place.ask("GET", "/v1/status")}
    except NotRunning as why:
        told = _status_from_journal(place, why)
    answer(told, status_text(told), as_json=as_json)
    if not told["running"]:
        return Code.NOT_RUNNING
    return Code.ATTENTION if attention(told) else Code.FINE


def _status_from_journal(place: Place, why: NotRunning) -> dict[str, Any]:
    from terminal.commands.journal import opened_journal

    if not place.journal.exists():
        raise Failed(place.not_running(why), Code.NOT_RUNNING)
    remark(f"{place.not_running(why)}\nWhat follows is from the journal, read-only.")
    with opened_journal(place) as journal:
        totals = journal.totals()
    return {
        "running": False,
        "ledger": {"reachable": False, "last_success": None, "next_attempt": None},
        "queue": {
            "queued": totals.queued,
            "oldest_age_s": _age_s(totals.oldest_unaccepted_at),
            "conflicts": totals.conflicts,
        },
        "readers": [],
    }


def _age_s(since: str | None) -> float | None:
    return None if since is None else max(0.0, (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds())


@click.command(epilog="Example:  tilld readers --json | jq -r '.readers[] | select(.status != \"ready\").remedy'")
@answering
@placed
def readers(place: Place, *, as_json: bool) -> Code:
    """Every reader, its state, and what mends it."""
    told = place.need("GET", "/v1/status")["readers"]
    heading = ("NAME", "DRIVER", "STATE", "SINCE", "READ", "FAILED", "UNREADABLE", "WHAT NOW")
    rows = [
        (
            reader["name"],
            reader["driver"],
            reader["status"],
            reader["since"],
            str(reader["counters"]["good"]),
            str(reader["counters"]["failed"]),
            str(reader["counters"]["unreadable"]),
            reader["detail"] if reader["status"] == "ready" else reader.get("remedy") or reader["detail"],
        )
        for reader in told
    ]
    answer({"readers": told}, columns([heading, *rows]), as_json=as_json)
    return Code.FINE


@click.command(epilog=TAP_EXAMPLES)
@click.argument("card", required=False)
@click.option("--reader", metavar="NAME", shell_complete=completion.readers("simulated"),
              help="Which simulated reader [default: the only one].")  # fmt: skip
@click.option("--technology", type=TECHNOLOGIES, metavar="NAME", default="qr", show_default=True, help=TECHNOLOGY_HELP)
@click.option("--uid", metavar="HEX", help="The card's serial number.")
@click.option("--fault", metavar="NAME", help=FAULT_HELP)
@answering
@placed
def tap(
    place: Place,
    card: str | None,
    reader: str | None,
    technology: str,
    uid: str | None,
    fault: str | None,
    *,
    as_json: bool,
) -> Code:
    """Present CARD to a simulated reader."""
    from drivers.simulated import Fault, NotTapped, Tap
    from drivers.simulated import tap as present

    if not (card or uid or fault):
        raise click.UsageError("Name a CARD, a --uid or a --fault.")
    if fault and fault not in set(Fault):
        raise click.BadParameter(f"{fault!r} is none of {', '.join(Fault)}.", param_hint="--fault")
    socket = _simulated_socket(place.state, reader)
    try:
        present(socket, Tap(card, Technology(technology), Fault(fault) if fault else None, uid))
    except NotTapped as why:
        place.need("GET", "/v1/status")
        raise Failed(f"{why}", Code.ATTENTION) from None
    shown = legible(masked(card) if card else uid or fault or "")
    told = {"ok": True, "reader": socket.stem, "card": shown, "technology": technology, "fault": fault}
    what = shown if card or uid else f"the fault {shown}"
    text = f"{socket.stem} was given {what}; `tilld watch` shows what the till makes of it."
    answer(told, text, as_json=as_json)
    return Code.FINE


def _simulated_socket(state: Path, reader: str | None) -> Path:
    folder = state / "readers"
    if reader is not None:
        if Path(reader).name != reader:
            raise click.BadParameter(f"{reader!r} is no reader's name.", param_hint="--reader")
        return folder / f"{reader}.sock"
    found = sorted(folder.glob("*.sock"))
    if len(found) > 1:
        names = ", ".join(path.stem for path in found)
        raise click.UsageError(f"There are several simulated readers; choose one with --reader: {names}.")
    return found[0] if found else folder / "simulated.sock"
