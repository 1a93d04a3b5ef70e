"""`tilld status` for people: one line of verdict, then one for each part; colours only where a terminal shows them."""

from collections.abc import Mapping
from typing import Any, Final

import click

from offline_queue.counted import counted
from offline_queue.legible import legible
from terminal.attention import attention
from terminal.commands.console import age
from terminal.commands.watch import reader_line, sync_line

Told = Mapping[str, Any]
LABEL: Final = 10


def status_text(told: Told) -> str:
    """Whatever is well takes one line."""
    lines = [*_till(told), *_queue(told), *_disk(told.get("disk")), *_mirror(told.get("mirror")), *_readers(told)]
    shown = [
        click.style(label.ljust(LABEL), bold=True) + _coloured(legible(text), colour) for label, text, colour in lines
    ]
    return "\n".join([verdict_line(told), *shown])


def verdict_line(told: Told) -> str:
    """`all is well`, or what somebody should look at."""
    if not told["running"]:
        return click.style("the till is not running", fg="red", bold=True)
    wrong = attention(told)
    if not wrong:
        return click.style("all is well", fg="green", bold=True)
    return click.style(legible(f"attention: {'; '.join(wrong)}"), fg="yellow", bold=True)


Line = tuple[str, str, str | None]


def _coloured(text: str, colour: str | None) -> str:
    return click.style(text, fg=colour) if colour else text


def _till(told: Told) -> list[Line]:
    if not told["running"]:
        return []
    ledger = told["ledger"]
    reach = "reachable" if ledger["reachable"] else "not reached"
    last = ledger["last_success"]
    heard = f"{reach}; {f'last heard {last}' if last else 'not heard since the till was started'}"
    return [
        ("till", f"{told['terminal']}, tilld {told['version']}", None),
        ("ledger", heard, "green" if ledger["reachable"] else "yellow"),
        *([] if ledger["reachable"] else [("", str(ledger["detail"]), None)]),
        *(("attention", f"{order['code']}: {order['detail']}", "red") for order in ledger.get("orders", ())),
    ]


def _queue(told: Told) -> list[Line]:
    queue, sync = told["queue"], told.get("sync") or {}
    oldest = f", the oldest {age(queue['oldest_age_s'])}" if queue["queued"] else ""
    conflicts = queue["conflicts"]
    return [
        ("queue", f"{queue['queued']} waiting{oldest}", None),
        *([("sync", sync_line(sync["progress"]), "cyan")] if sync.get("progress") else []),
        (
            "conflicts",
            f"{conflicts}{' - see `tilld conflicts list`' if conflicts else ''}",
            "red" if conflicts else None,
        ),
    ]


def _mirror(mirror: dict[str, Any] | None) -> list[Line]:
    """Nothing where there is none, or it has everything and nothing else."""
    if mirror is None or (mirror["reachable"] and not mirror["behind"] and not mirror["strays"]):
        return []
    return [("mirror", f"{counted(mirror['behind'], 'record')} without a second copy; {mirror['detail']}", "yellow")]


def _disk(disk: dict[str, Any] | None) -> list[Line]:
    """Nothing while there is room."""
    if disk is None or disk["room"] == "fine":
        return []
    left = f"{disk['free_bytes'] // 2**20} MiB left for the journal"
    return [("disk", f"{left}; make room: df -h, journalctl --vacuum-size=100M", "red")]


def _readers(told: Told) -> list[Line]:
    return [("reader", reader_line(one), None if one["status"] == "ready" else "yellow") for one in told["readers"]]
