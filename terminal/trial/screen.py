"""A trial on a person's terminal, as it goes."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

from offline_queue.counted import counted
from offline_queue.legible import legible
from terminal.trial.sheet_text import progress, tap_line, tap_lines
from terminal.trial.talk import TrialView

NEWEST: Final = 12


@contextmanager
def screen(*, quiet: bool) -> Iterator[Callable[[TrialView], None]]:
    """What shows a trial: a table that grows on a terminal, a line for each tap elsewhere, nothing when `quiet`."""
    shown: Callable[[TrialView], None] = _Lines()
    if quiet:
        yield lambda _: None
    elif sys.stdout.isatty():
        from rich.live import Live
        from rich.text import Text

        with Live(auto_refresh=False) as live:
            yield lambda trial: live.update(Text(_table(trial)), refresh=True)
    else:
        yield shown


class _Lines:
    """One line for each tap, when it comes."""

    def __init__(self) -> None:
        self._asked = False
        self._shown = 0

    def __call__(self, trial: TrialView) -> None:
        if not self._asked:
            click.echo(f"Present a card to {legible(trial.reader)}: {counted(trial.wanted, 'tap')}.")
            self._asked = True
        for tap in trial.taps[self._shown :]:
            click.echo(legible(tap_line(tap)))
        self._shown = len(trial.taps)


def _table(trial: TrialView) -> str:
    """The newest taps: a table that is higher than the terminal would hide them."""
    ask = "" if trial.judgement else f"Present the card to {trial.reader}; lift it, and again."
    heading, *taps = tap_lines(trial.taps)
    return "\n".join(map(legible, [heading, *taps[-NEWEST:], "", progress(trial), ask]))
