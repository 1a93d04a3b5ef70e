"""What the commands on the books share: how they find and open them, how they answer and how they end."""

import functools
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import msgspec

from offline_queue.legible import legible_json

if TYPE_CHECKING:
    from ledger.config import Config
    from ledger.port.book import Book

T = TypeVar("T")


FINE: Final = 0


ATTENTION: Final = 1


USAGE: Final = 2


DATABASE_HELP: Final = (
    "The books: sqlite:///FILE or postgresql://USER@HOST/DATABASE [default: ledger.db in the state folder]."
)


CONFIG_HELP: Final = "What may be set (ledger/default.toml shows all) [default: /etc/tilld/ledger.toml if it is there]."


CONFIG: Final = click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help=CONFIG_HELP)


class Unusable(click.ClickException):
    """Ends a command with exit code 2: what is wrong and what to do."""

    exit_code = 2


Opener = Callable[..., "Book"]
"""Opens books; takes `policy`. Raises BooksUnusable."""


def books(database: str | None, *, must_exist: bool) -> Opener:
    """What opens the books that a URL names; nothing is touched yet. Raises Unusable, click.UsageError."""
    url = database or f"sqlite:///{_state_folder() / 'ledger.db'}"
    if url.startswith(("postgresql://", "postgres://")):
        from ledger.postgres.book import PostgresBook

        return functools.partial(PostgresBook, url, make=not must_exist)
    path = sqlite_file(url)
    if path is None:
        raise click.UsageError(
            f"{url!r} names no books; give a file like sqlite:///ledger.db (or sqlite:////var/lib/…),"
            " or a database like postgresql://user@host/database"
        )
    from ledger.sqlite.book import SqliteBook

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
            from ledger.port.refusals import NotRecorded, Refused

            if context.invoked_subcommand is not None:
                return FINE
            found = configured(config or given_before(context, "config"))
            named = database or given_before(context, "database") or found.ledger.database
            with closing(opened(books(named, must_exist=must_exist), policy=found.policy())) as book:
                try:
                    return command(book, **options)
                except Refused as error:
                    raise Unusable(str(error)) from error
                except NotRecorded as error:
                    raise Unusable(f"{error}. Mend that, then give the command again: it counts once.") from error

        return run

    return wrap


def given_before(context: click.Context, option: str) -> Any:
    """An option as it was given to `tilld ledger` or a group in it, in front of the command."""
    above = context.parent
    return (above.params.get(option) or given_before(above, option)) if above else None


def configured(path: Path | None) -> "Config":
    """The config that holds. Raises Unusable with every mistake."""
    from ledger.config import find, load
    from offline_queue.config_file import ConfigUnusable

    try:
        return load(find(path))
    except ConfigUnusable as unusable:
        again = f"tilld ledger check-config --config {find(path)}"
        raise Unusable(f"{unusable}\n`{again}` tells the same.") from None


def opened(opener: Opener, **options: Any) -> "Book":
    from ledger.port.refusals import BooksUnusable

    try:
        return opener(**options)
    except BooksUnusable as error:
        raise Unusable(str(error)) from error


def say(value: object, show: Callable[[Any], None], *, as_json: bool) -> None:
    """One JSON document, or what people like to read."""
    if as_json:
        click.echo(legible_json(msgspec.json.encode(value).decode()))
    else:
        show(value)
