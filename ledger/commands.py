"""`tilld ledger`: the server, and the office's commands on the books, with the server up or down."""

import functools
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import msgspec

from offline_queue.entry import masked

if TYPE_CHECKING:
    from ledger.config import Config
    from ledger.port import Book
    from ledger.receipts import Signer

T = TypeVar("T")

FINE: Final = 0
ATTENTION: Final = 1
COLLECT_AFTER: Final = 50_000
USAGE: Final = 2

DATABASE_HELP: Final = (
    "The books: sqlite:///FILE or postgresql://USER@HOST/DATABASE [default: ledger.db in the state folder]."
)
CONFIG_HELP: Final = "What may be set (ledger/default.toml shows all) [default: /etc/tilld/ledger.toml if it is there]."
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


CONFIG: Final = click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help=CONFIG_HELP)


CONFLICTS_EXAMPLES: Final = """
\b
Examples:
  tilld ledger conflicts
  tilld ledger conflicts show ID
  tilld ledger conflicts resolve ID --honour --author Anne --reason "two receipts, both right"
  tilld ledger conflicts resolve ID --refuse --author Anne --reason "rung up twice"
"""


class Unusable(click.ClickException):
    """Ends a command with exit code 2: what is wrong and what to do."""

    exit_code = 2


Opener = Callable[..., "Book"]
"""Opens books; takes `policy`. Raises BooksUnusable."""


def books(database: str | None, *, must_exist: bool) -> Opener:
    """What opens the books that a URL names; nothing is touched yet. Raises Unusable, click.UsageError."""
    url = database or f"sqlite:///{_state_folder() / 'ledger.db'}"
    if url.startswith(("postgresql://", "postgres://")):
        from ledger.postgres_book import PostgresBook

        return functools.partial(PostgresBook, url, make=not must_exist)
    path = sqlite_file(url)
    if path is None:
        raise click.UsageError(
            f"{url!r} names no books; give a file like sqlite:///ledger.db (or sqlite:////var/lib/…),"
            " or a database like postgresql://user@host/database"
        )
    from ledger.sqlite_book import SqliteBook

    if must_exist and not path.exists():
        raise Unusable(f"there are no books at {path}. `tilld ledger` makes them; --database names others.")
    return functools.partial(SqliteBook, path)


def sqlite_file(database: str | None) -> Path | None:
    """The file that a URL names, None where it names none; without a URL ledger.db in the state folder."""
    if not database:
        return _state_folder() / "ledger.db"
    named = database.removeprefix("sqlite:///")
    return Path(named).expanduser() if named and named != database else None


def _state_folder() -> Path:
    named = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(named) if named else Path.home() / ".local" / "state" / "tilld"


def on_books(*, must_exist: bool = True) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Gives a command `--database`, `--config` and `--json`, opens the books and hands them on.

    Click errors for what fails.
    """

    def wrap(command: Callable[..., int]) -> Callable[..., int]:
        @click.option("--database", metavar="URL", help=DATABASE_HELP)
        @CONFIG
        @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")
        @functools.wraps(command)
        @click.pass_context
        def run(context: click.Context, /, *, database: str | None, config: Path | None, **options: Any) -> int:
            from ledger.port import NotRecorded, Refused

            if context.invoked_subcommand is not None:
                return FINE
            found = configured(config or _before(context, "config"))
            named = database or _before(context, "database") or found.ledger.database
            with closing(_opened(books(named, must_exist=must_exist), policy=found.policy())) as book:
                try:
                    return command(book, **options)
                except (Refused, NotRecorded) as error:
                    raise Unusable(str(error)) from error

        return run

    return wrap


def _before(context: click.Context, option: str) -> Any:
    """An option as it was given to `tilld ledger` or a group in it, in front of the command."""
    above = context.parent
    return (above.params.get(option) or _before(above, option)) if above else None


def configured(path: Path | None) -> "Config":
    """The config that holds. Raises Unusable with every mistake."""
    from ledger.config import find, load
    from offline_queue.config_file import ConfigUnusable

    try:
        return load(find(path))
    except ConfigUnusable as unusable:
        raise Unusable(f"{unusable}\n`tilld ledger check-config` tells the same.") from None


def _opened(opener: Opener, **options: Any) -> "Book":
    from ledger.port import BooksUnusable

    try:
        return opener(**options)
    except BooksUnusable as error:
        raise Unusable(str(error)) from error


def say(value: object, show: Callable[[Any], None], *, as_json: bool) -> None:
    """One JSON document, or what people like to read."""
    if as_json:
        click.echo(msgspec.json.encode(value).decode())
    else:
        show(value)


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
    from ledger.config import disagreements

    found = configured(config)
    given = {name: value for name, value in flags.items() if value is not None}
    told = msgspec.convert({**msgspec.structs.asdict(found.ledger), **given}, type(found.ledger))
    for where, what in disagreements(told):
        raise click.UsageError(f"{where.removeprefix('ledger.')}: {what}")
    return _serve(msgspec.structs.replace(found, ledger=told))


def _serve(config: "Config") -> int:
    from ledger.app import create_app
    from ledger.server import CannotListen, LedgerServer, address, bound, is_loopback

    _log_to_stderr()
    told = config.ledger
    host, port = address(told.listen)
    opener = books(told.database, must_exist=False)
    try:
        listener = bound(host, port)
    except CannotListen as error:
        raise Unusable(str(error)) from error
    options = {"policy": config.policy(), "signer": _signer(told.key, told.database)}
    with listener, closing(_opened(opener, **options)) as book:
        app = create_app(book, enrolment=told.enrolment, loopback=is_loopback(host), room=config.admission)
        # uvicorn drains on these and then raises them again for whoever waits: we do, and end with exit code 0.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: None)
        _collect_seldom()
        LedgerServer(app, listener, lambda url: click.echo(f"ledger listening on {url}")).serve_until_stopped()
    return FINE


def _collect_seldom() -> None:
    """A batch makes thousands of values that end with it and refer to nothing in a circle: looking for circles after
    every 700 of them takes a tenth of the time that goes into a batch."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def _signer(key: str, database: str) -> "Signer | None":
    """Who signs receipts; nobody for PostgreSQL books whose front ends were given no key. Raises Unusable."""
    from ledger.receipts import Signer
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
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


@ledger.command(epilog="Example:  tilld ledger register 2990000000017 --points 100")
@click.argument("number")
@click.option("--points", type=click.IntRange(1), help="Opening points, given once per card however often you ask.")
@on_books(must_exist=False)
def register(book: "Book", number: str, points: int | None, *, as_json: bool) -> int:
    """Open an account for a card; what waited for it is credited."""
    from ledger import show

    done = book.register(number, points or 0)
    say(done, show.registration, as_json=as_json)
    return ATTENTION if done.code == "key_mismatch" else FINE


ACCOUNT_EXAMPLES: Final = """
\b
Examples:
  tilld ledger account 2990000000017 --json | jq .points
  tilld ledger account 2990000000017 --explain    to read to a customer: how the points came about
"""


@ledger.command(epilog=ACCOUNT_EXAMPLES)
@click.argument("number")
@click.option("--explain", is_flag=True, help="Every entry with its sum, its rule, its lots and who corrected it.")
@on_books()
def account(book: "Book", number: str, *, explain: bool, as_json: bool) -> int:
    """Tell a card's points: its lots and every entry behind them.

    With --explain it ends with 1 when entries, lots and balance differ. Give the --config of the server: the sums
    follow from its rules.
    """
    from ledger import show, show_explanation

    if explain and (explanation := book.explanation(number)) is not None:
        say(explanation, show_explanation.explanation, as_json=as_json)
        return FINE if explanation.adds_up else ATTENTION
    statement = book.statement(number)
    if statement is not None:
        say(statement, show.statement, as_json=as_json)
        return FINE
    if as_json:
        click.echo(msgspec.json.encode({"number": number, "known": False}).decode())
    click.echo(f"No account for {masked(number)}. Open one: tilld ledger register NUMBER", err=True)
    return ATTENTION


@ledger.command(epilog="Example:  tilld ledger expire --json | jq .points")
@on_books()
def expire(book: "Book", *, as_json: bool) -> int:
    """Write off points that expired long ago; the server does it by itself once a day.

    What may be used follows from the dates alone: this only keeps what the programme owes true. How long ago is
    `write_off_after_days` in the config.
    """
    from ledger import show

    done = book.expire()
    while done.following is not None:
        done = done.plus(book.expire(done.following))
    say(done, show.cleared, as_json=as_json)
    return FINE


@ledger.group(invoke_without_command=True, epilog="Example:  tilld ledger terminals")
@on_books()
def terminals(book: "Book", *, as_json: bool) -> int:
    """List the enrolled tills, what they have delivered and what was found against them."""
    from ledger import show

    say(book.terminals(), show.terminals, as_json=as_json)
    return FINE


@terminals.command(epilog="Example:  tilld ledger terminals acknowledge S001-T01")
@click.argument("name")
@on_books()
def acknowledge(book: "Book", name: str, *, as_json: bool) -> int:
    """Say that somebody has looked at what was found against a till: it is told no more, and may redeem again."""
    count = book.acknowledge(name)
    if count is None:
        raise Unusable(f"no till {name} is enrolled here: tilld ledger terminals lists them")
    say({"terminal": name, "findings": count}, lambda _: click.echo(f"{name}: {count} looked at."), as_json=as_json)
    return FINE


BACKUP_EXAMPLES: Final = """
\b
Examples:
  tilld ledger backup /mnt/backup/ledger.db    SQLite books, with the server up or down
  tilld ledger backup --begin                  PostgreSQL books: before pg_basebackup ...
  tilld ledger backup --declare                ... and when it is complete and kept
"""


@ledger.command(epilog=BACKUP_EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--begin", is_flag=True, help="Note what is held now: a backup with PostgreSQL's own tools follows.")
@click.option("--declare", is_flag=True, help="That backup is complete and kept.")
@on_books()
def backup(book: "Book", file: Path | None, *, begin: bool, declare: bool, as_json: bool) -> int:
    """Copy the books, and let tills give up what the copy holds.

    Restore the newest backup only: tills have no copy any more of what an older one lacks. Keep ledger.key with it.
    """
    if (file is not None) + begin + declare != 1:
        raise click.UsageError("give one of FILE, --begin and --declare")
    if begin:
        book.begin_backup()
        say({"begun": True}, lambda _: click.echo("Noted. Make the backup, then --declare it."), as_json=as_json)
        return FINE
    streams = book.backup(file) if file is not None else book.declare_backup()
    told = {"file": str(file) if file else None, "streams": streams}
    say(told, lambda _: click.echo(f"Backed up; {streams} streams are covered further than before."), as_json=as_json)
    return FINE


@ledger.command(epilog="Example:  tilld ledger verify  (exit code 1 when anything does not add up)")
@on_books()
def verify(book: "Book", *, as_json: bool) -> int:
    """Compute every chain, sum, date, index and promise again from the records.

    Not computed again are the decisions themselves: what was known when they were made is not kept.
    """
    from ledger import show

    verification = book.verify()
    say(verification, show.verification, as_json=as_json)
    return FINE if verification.ok else ATTENTION


@ledger.group(invoke_without_command=True, epilog=CONFLICTS_EXAMPLES)
@on_books()
def conflicts(book: "Book", *, as_json: bool) -> int:
    """List the records that wait for something or need a person's look; show one, settle one."""
    return _listed(book, as_json=as_json)


@conflicts.command("list", epilog="Example:  tilld ledger conflicts list --json | jq '.[].name'")
@on_books()
def list_conflicts(book: "Book", *, as_json: bool) -> int:
    """The same list."""
    return _listed(book, as_json=as_json)


def _listed(book: "Book", *, as_json: bool) -> int:
    from ledger import show

    say(book.flagged(), show.flagged, as_json=as_json)
    return FINE


@conflicts.command("show", epilog="Example:  tilld ledger conflicts show 0197a0c2-0c00-7000-8000-000000000001")
@click.argument("name", metavar="ID")
@on_books()
def show_conflict(book: "Book", name: str, *, as_json: bool) -> int:
    """All that one needs to decide: the record, what it collides with, the account, what each decision would do.

    ID is that of the entry, or STREAM:SEQ as the list tells it.
    """
    from ledger import show

    found = book.conflict(name)
    if found is None:
        raise Unusable(f"no entry {name!r} is in these books. `tilld ledger conflicts` lists those in dispute.")
    say(found, show.conflict, as_json=as_json)
    return FINE


@conflicts.command("resolve", epilog=CONFLICTS_EXAMPLES)
@click.argument("name", metavar="ID")
@click.option("--honour", "decision", flag_value="honour", help="It counts as it was asked for.")
@click.option("--refuse", "decision", flag_value="refuse", help="It does not count.")
@click.option("--points", type=int, metavar="N", help="What it shall have had in all: 40, or -40 for a redemption.")
@click.option("--author", required=True, metavar="NAME", help="Who decides.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; the shop reads it.")
@on_books()
def resolve_conflict(
    book: "Book", name: str, decision: str | None, points: int | None, author: str, reason: str, *, as_json: bool
) -> int:
    """Settle an entry by a correction of the office's own; the latest word counts, nothing is edited.

    Ends with 1 where there is no account that it could be posted on.
    """
    from ledger import show
    from ledger.port import Refused
    from offline_queue.entry import Resolution

    if decision is None:
        raise click.UsageError("Say --honour or --refuse.")
    try:
        done = book.resolve(name, Resolution(decision), points, author, reason)
    except Refused as error:
        if error.problem.code != "no_account":
            raise
        click.echo(f"Nothing was changed: {error}. Register the card first: tilld ledger register NUMBER", err=True)
        return ATTENTION
    say(done, show.settled, as_json=as_json)
    return FINE


@ledger.command(epilog='Example:  tilld ledger revoke S001-T01 --reason "stolen on 3 May"')
@click.argument("terminal")
@click.option("--reason", required=True, help="Why; it is shown with the till.")
@on_books()
def revoke(book: "Book", terminal: str, reason: str, *, as_json: bool) -> int:
    """End a till's key: what it signs from now on is kept, and has no effect.

    What it had delivered before stays. `tilld ledger enroll TERMINAL PUBLIC_KEY --replace` lets it in again, under a
    new key or the same.
    """
    if not book.revoke(terminal, reason[:300]):
        raise Unusable(f"no till {terminal} is enrolled here; tilld ledger terminals lists them.")
    told = f"The key of {terminal} is revoked. Let it in again: tilld ledger enroll {terminal} PUBLIC_KEY --replace"
    say({"terminal": terminal, "revoked": True}, lambda _: click.echo(told), as_json=as_json)
    return FINE


@ledger.command("check-config", epilog="Example:  tilld ledger check-config --config /etc/tilld/ledger.toml")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")
@click.pass_context
def check_config(context: click.Context, *, config: Path | None, as_json: bool) -> int:
    """Tell every mistake of the ledger's config at once."""
    from ledger import show
    from ledger.config import check, find

    file = find(config or _before(context, "config"))
    problems = check(file)
    told = {
        "file": str(file) if file else None,
        "ok": not problems,
        "problems": [{"where": problem.where, "what": problem.what} for problem in problems],
    }
    say(told, show.config, as_json=as_json)
    return USAGE if problems else FINE


@ledger.command(epilog="Example:  tilld ledger enroll S001-T01 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
@click.argument("terminal")
@click.argument("public_key")
@click.option("--replace", is_flag=True, help="Accept this key in place of the enrolled one (a new disk or machine).")
@on_books(must_exist=False)
def enroll(book: "Book", terminal: str, public_key: str, *, replace: bool, as_json: bool) -> int:
    """Let a till in: its name and its Ed25519 public key in base64."""
    from ledger import gate
    from offline_queue.wire import authorization, parse_authorization

    if parse_authorization(authorization(terminal, "A" * 86 + "==")) is None:
        raise click.UsageError("a terminal's name is 1 to 64 of A-Z a-z 0-9 . _ -")
    if not book.enrol(terminal, gate.public_key(public_key), replace=replace):
        raise Unusable(f"{terminal} is enrolled with another key. If its disk or machine is new, add --replace.")
    say({"terminal": terminal, "enrolled": True}, lambda _: click.echo(f"{terminal} is enrolled."), as_json=as_json)
    return FINE


@ledger.group()
def claim() -> None:
    """Codes on receipts that prove a sale."""


@claim.command("verify", epilog="Example:  tilld ledger claim verify < typed-lines.txt")
@click.argument("code", required=False)
@on_books()
def verify_claim(book: "Book", code: str | None, *, as_json: bool) -> int:
    """Tell what CODE says, whether an enrolled till signed it, and who has its points."""
    from ledger import show
    from ledger.claims import told
    from offline_queue.claim_codes import MAX_CHARACTERS, Unreadable, read

    try:
        found = read(code if code is not None else sys.stdin.read(MAX_CHARACTERS + 1))
    except Unreadable as error:
        raise Unusable(f"this is no claim code: {error}") from error
    claimed = told(found, book.terminal_keys(found.sale.terminal), book.credited(found.sale.id))
    say(claimed, show.claim, as_json=as_json)
    return FINE if claimed.proven else ATTENTION
