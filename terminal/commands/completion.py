"""What the shell offers after Tab: names and ids that the running till knows. Silent where none runs.

Card numbers are not offered: they would stand whole in the terminal's history.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from terminal.commands.client import NotRunning, ask
from terminal.commands.console import state_folder

PATIENCE_S: Final = 1.0
"""Nobody waits longer for a Tab."""
MOST: Final = 50

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def readers(driver: str | None = None) -> Completer:
    """Names of readers, of one driver or of all, with their state."""

    def offered(told: Any) -> Iterator[CompletionItem]:
        for one in told["readers"]:
            if driver in (None, one["driver"]):
                yield CompletionItem(one["name"], help=f"{one['driver']}, {one['status']}")

    return _completer("/v1/status", offered)


def transactions() -> Completer:
    """Ids of transactions, with what they are."""
    return _completer(f"/v1/queue?limit={MOST}", _entries)


def conflicts() -> Completer:
    """Ids of transactions that wait for a decision."""
    return _completer(f"/v1/conflicts?limit={MOST}", _entries)


def _entries(told: Any) -> Iterator[CompletionItem]:
    for one in told["entries"]:
        card = (one.get("card") or {}).get("masked", "no card")
        yield CompletionItem(one["id"], help=f"{one['kind']} {one['points']}, {card}")


def _completer(target: str, offered: Callable[[Any], Iterator[CompletionItem]]) -> Completer:
    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            reply = ask(_state(context) / "tilld.sock", "GET", target, time_s=PATIENCE_S)
        except NotRunning:
            return []
        found = offered(reply.body) if reply.status == 200 else ()
        return [one for one in found if one.value.startswith(incomplete)]

    return complete


def _state(context: click.Context) -> Path:
    """As the command itself would find it, by what stands in the line so far."""
    return state_folder(context.params.get("state"), context.params.get("config"))
