"""`tilld ledger`: the server, and its config."""

import gc
import logging
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from ledger.commands.command_line import (
    CONFIG,
    DATABASE_HELP,
    FINE,
    USAGE,
    Unusable,
    books,
    configured,
    given_before,
    opened,
    say,
    sqlite_file,
)

if TYPE_CHECKING:
    from ledger.books.receipts import Signer
    from ledger.config import Config, Ledger

COLLECT_AFTER: Final = 50_000
IN_THE_CLEAR: Final = (
    "%s is open to other machines and speaks plain HTTP: whoever is on the way can read card numbers. Put a proxy with"
    " TLS before it and listen on 127.0.0.1 behind that; tills ask other machines by https:// alone."
)


SERVE_EXAMPLES: Final = """
\b
Examples:
  tilld ledger                                        serve the books in the state folder
  tilld ledger --unknown-cards register --enrolment open    try things out on one machine
  tilld ledger enroll S001-T01 <public key>           let a till in
  tilld ledger register 2990000000017 --points 100    a new card, with a welcome gift
  tilld ledger account 2990000000017                  every point of a card explained
  tilld ledger --database postgresql://tilld@db/tilld --listen 0.0.0.0:8790    one of several front ends
  tilld ledger --config ledger.toml check-config      tell every mistake of a config at once
  tilld ledger expire                                 write off what expired long ago
  tilld ledger verify                                 compute all sums and chains again
"""


@click.group(invoke_without_command=True, epilog=SERVE_EXAMPLES)
@click.option("--listen", metavar="HOST:PORT", help="Port 0: a free one. [default: 127.0.0.1:8790]")
@click.option("--database", metavar="URL", help=DATABASE_HELP)
@CONFIG
@click.option(
    "--unknown-cards",
    type=click.Choice(["park", "register"]),
    help="Points on a card never seen: keep them until it is registered, or open an account at once. [default: park]",
)
@click.option(
    "--enrolment",
    type=click.Choice(["open", "closed"]),
    help="open: a till is let in at its first contact. For trials on one machine only. [default: closed]",
)
@click.option("--key", metavar="FILE", help="Signs receipts of custody. [default: ledger.key beside SQLite books]")
@click.pass_context
def ledger(context: click.Context, /, *, config: Path | None, **flags: str | None) -> int:
    """Run the reference ledger, or look into its books.

    Without a command it serves the tills until SIGTERM or Ctrl-C. The commands work on the books themselves, so the
    server may be up or down. What is given here goes before the config.
    """
    if context.invoked_subcommand is not None:
        return FINE
    found = configured(config)
    given = {name: value for name, value in flags.items() if value is not None}
    return _serve(msgspec.structs.replace(found, ledger=_together(found.ledger, given)))


def _together(told: "Ledger", given: dict[str, str]) -> "Ledger":
    """The section of the config with what the command line says instead. Raises click.UsageError."""
    from ledger.config import disagreements
    from offline_queue.config_file import Problem, values

    wrong: list[Problem] = []
    told = msgspec.structs.replace(told, **values(given, type(told), "ledger", wrong))
    wrong += [Problem(where, what) for where, what in disagreements(told)]
    for problem in wrong:
        raise click.UsageError(f"--{problem.where.removeprefix('ledger.').replace('_', '-')}: {problem.what}")
    return told


def _serve(config: "Config") -> int:
    from ledger.http.app import create_app
    from ledger.http.server import CannotListen, LedgerServer, address, bound, is_loopback

    _log_to_stderr()
    told = config.ledger
    host, port = address(told.listen)
    warn_in_the_clear(told.listen)
    opener = books(told.database, must_exist=False)
    try:
        listener = bound(host, port)
    except CannotListen as error:
        raise Unusable(str(error)) from error
    options = {"policy": config.policy(), "signer": _signer(told.key, told.database)}
    with listener, closing(opened(opener, **options)) as book:
        app = create_app(book, enrolment=told.enrolment, loopback=is_loopback(host), room=config.admission)
        server = LedgerServer(app, listener, lambda url: click.echo(f"ledger listening on {url}"))
        # uvicorn drains on these and then raises them again for whoever waits: we do, and end with exit code 0. Before
        # it has begun nobody but this handler hears them.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: server.stop())
        collect_seldom()
        server.serve_until_stopped()
    return FINE


def warn_in_the_clear(listen: str) -> None:
    """Where other machines can reach it."""
    from ledger.http.server import address, is_loopback

    if not is_loopback(address(listen)[0]):
        logging.getLogger("tilld.ledger").warning(IN_THE_CLEAR, listen)


def collect_seldom() -> None:
    """A batch makes thousands of values that end with it and refer to nothing in a circle: looking for circles after
    every 700 of them takes a tenth of the time that goes into a batch."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def _signer(key: str, database: str) -> "Signer | None":
    """Who signs receipts; nobody for PostgreSQL books whose front ends were given no key. Raises Unusable."""
    from ledger.books.receipts import Signer
    from offline_queue.terminal_key import KeyUnusable

    file = sqlite_file(database)
    if not key and file is None:
        logging.getLogger("tilld.ledger").warning("no --key FILE: tills get no receipts of custody")
        return None
    path = Path(key).expanduser() if key or file is None else file.with_name("ledger.key")
    try:
        return Signer.kept_in(path)
    except (KeyUnusable, OSError) as error:
        raise Unusable(str(error)) from error


def _log_to_stderr() -> None:
    at = "%H:%M:%S" if sys.stderr.isatty() else "%Y-%m-%dT%H:%M:%S%z"
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt=at)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


@ledger.command("check-config", epilog="Example:  tilld ledger check-config --config /etc/tilld/ledger.toml")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")
@click.pass_context
def check_config(context: click.Context, *, config: Path | None, as_json: bool) -> int:
    """Tell every mistake of the ledger's config at once."""
    from ledger.commands import show
    from ledger.config import check, find

    file = find(config or given_before(context, "config"))
    problems = check(file)
    told = {
        "file": str(file) if file else None,
        "ok": not problems,
        "problems": [{"where": problem.where, "what": problem.what} for problem in problems],
    }
    say(told, show.config, as_json=as_json)
    return USAGE if problems else FINE
