"""`tilld sync`: a pass to the ledger now, and how it goes."""

import sys
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import click

from offline_queue.legible import legible
from terminal.commands.client import Happening, NotRunning, watching
from terminal.commands.console import Code, Failed, Place, answer, answering, placed
from terminal.commands.watch import sync_line
from terminal.sync_progress import Phase

EXAMPLES: Final = """
\b
Examples:
  tilld sync                starts a pass and returns
  tilld sync --wait         shows how far it is, ends with it
  tilld sync --wait && echo sent
"""
OVER: Final = frozenset({Phase.ENDED, Phase.FAILED})


@click.command(epilog=EXAMPLES)
@click.option("--wait", is_flag=True, help="Stay until the pass has ended, and show how it goes; 1 when it fails.")
@answering
@placed
def sync(place: Place, *, wait: bool, as_json: bool) -> Code:
    """Start a pass to the ledger now, whatever the pause."""
    if wait:
        return _to_the_end(place, as_json=as_json)
    told = place.need("POST", "/v1/sync")
    answer(told, f"Started; {told['due']} to send. `tilld watch` shows how it goes.", as_json=as_json)
    return Code.FINE


def _to_the_end(place: Place, *, as_json: bool) -> Code:
    try:
        with watching(place.socket) as events:
            due = place.ask("POST", "/v1/sync")["due"]
            last = _shown(_passes(events), due)
    except NotRunning as why:
        raise Failed(place.not_running(why), Code.NOT_RUNNING) from None
    if last is None:
        raise Failed("the till has stopped; what was not sent is in its journal.", Code.NOT_RUNNING)
    failed, sent, left = last["phase"] == Phase.FAILED, last["accepted"], last["queue"]["queued"]
    told = {"due": due, "phase": last["phase"], "sent": sent, "queued": left, "detail": last["detail"]}
    answer(
        told,
        legible(f"{'Failed' if failed else 'Done'}: {sent} sent, {left} waiting. {last['detail']}"),
        as_json=as_json,
    )
    return Code.ATTENTION if failed else Code.FINE


def _passes(events: Iterator[Happening]) -> Iterator[dict[str, Any]]:
    """What is said of the pass, up to its end."""
    for event in events:
        if event.kind == "sync":
            yield event.data
            if event.data["phase"] in OVER:
                return


def _shown(words: Iterator[dict[str, Any]], due: int) -> dict[str, Any] | None:
    """The last word that ends a pass, None when the till went before; on a terminal with a bar meanwhile."""
    if sys.stderr.isatty():
        words = _with_bar(words, due)
    last = deque(words, maxlen=1)
    return last[0] if last and last[0]["phase"] in OVER else None


def _with_bar(words: Iterator[dict[str, Any]], due: int) -> Iterator[dict[str, Any]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("sync"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{due} to send", total=due or None)
        for word in words:
            progress = word["progress"]
            if progress is not None:
                total = progress["sent"] + progress["left"]
                bar.update(task, completed=progress["sent"], total=total, description=sync_line(progress))
            yield word
