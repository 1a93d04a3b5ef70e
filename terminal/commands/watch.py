"""`tilld watch`: what happens, in a line each."""

import json
from typing import Any

import click

from offline_queue.counted import in_points
from offline_queue.legible import legible, legible_json
from terminal.commands.client import NotRunning, watch
from terminal.commands.console import Code, Failed, Place, age, placed
from terminal.notices import without_numbers


@click.command("watch", epilog="Example:  tilld watch --json | jq .data")
@click.option("--after", metavar="ID", help="Go on after this event id.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="End after N events.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: id, event, data.")
@placed
def watch_events(place: Place, after: str | None, count: int | None, *, as_json: bool) -> Code:
    """Show what happens, as it happens, until Ctrl-C. Card numbers are masked."""
    try:
        for number, event in enumerate(watch(place.socket, after), 1):
            data = without_numbers(event.data)
            line = legible_json(json.dumps({"id": event.id, "event": event.kind, "data": data}, ensure_ascii=False))
            click.echo(line if as_json else f"{event.kind:16}{legible(event_text(event.kind, data))}")
            if number == count:
                return Code.FINE
    except NotRunning as why:
        raise Failed(place.not_running(why), Code.NOT_RUNNING) from None
    raise Failed("the till has stopped; `tilld watch` again once it runs.", Code.NOT_RUNNING)


def event_text(kind: str, data: dict[str, Any]) -> str:
    """One event in a line for people."""
    card = (data.get("card") or {}).get("masked", "no card")
    balance = data.get("balance")
    points = f", {in_points(balance['points']).en}" if balance else ""
    match kind:
        case "card_read":
            return f"{card} by {data['technology']} at {data['reader']}{points}"
        case "card_unreadable":
            step = f" -> {data['next'][0]}" if data.get("next") else ""
            return f"{data['reader']}: {data['reason']} - {data['detail']}{step}"
        case "card_note":
            return f"{data['reader']}: note {data['what']}{note_text(data)}"
        case "trial":
            return f"{data['reader']}: test {data['state']}, {data['taps']} of {data['wanted']} taps"
        case "reader_status":
            return reader_line(data)
        case "transaction":
            moved = f"{data['effect']:+d}" if data["effect"] else data["points"]
            return f"{data['kind']} {moved} on {card}: {data['state']}{points}  ({data['id']})"
        case "sync":
            return sync_text(data)
        case "balance":
            return f"{card}{points}"
        case _:
            return json.dumps(data, ensure_ascii=False)


def sync_text(data: dict[str, Any]) -> str:
    """How the ledger stands; while a pass runs, how it goes."""
    if data.get("progress"):
        return f"{data['phase']}: {sync_line(data['progress'])}"
    reach = "ledger reachable" if data["reachable"] else "ledger out of reach"
    return f"{reach}, {data['queue']['queued']} waiting - {data['detail']}"


def sync_line(progress: dict[str, Any]) -> str:
    """`1200 sent, 8800 to go, 400 a second, about 22 s left`, as far as it is known."""
    parts = [f"{progress['sent']} sent, {progress['left']} to go"]
    if progress["per_s"] is not None:
        parts.append(f"{progress['per_s']:.0f} a second")
    if progress["remaining_s"] is not None:
        parts.append(f"about {age(progress['remaining_s'])} left")
    return ", ".join(parts)


def note_text(data: dict[str, Any]) -> str:
    """What the card carried, or why it carries nothing."""
    return f" - {data['detail']}" if "detail" in data else ""


def reader_line(reader: dict[str, Any]) -> str:
    remedy = f" -> {reader['remedy']}" if reader.get("remedy") and reader["status"] != "ready" else ""
    return f"{reader['name']} ({reader['driver']}): {reader['status']}, {reader['detail']}{remedy}"
