"""The till's state as Prometheus reads it (text exposition format 0.0.4): counts, no cards."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from terminal.api.shapes import Status

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def exposition(answer: object) -> str:
    """`answer` is the till's status, as a value or as plain data."""
    status = msgspec.convert(msgspec.to_builtins(answer), Status)
    return "".join(f"{line}\n" for line in [*_till(status), *_readers(status)])


def _till(status: Status) -> Iterator[str]:
    yield from _gauge("tilld_info", "Version and name of this till.")
    yield f"tilld_info{_labels(version=status.version, terminal=status.terminal)} 1"
    yield from _gauge("tilld_ledger_reachable", "1 while the last word from the ledger was an answer.")
    yield f"tilld_ledger_reachable {int(status.ledger.reachable)}"
    yield from _gauge("tilld_queue_entries", "Entries that the ledger has not taken yet.")
    yield f"tilld_queue_entries {status.queue.queued}"
    yield from _gauge("tilld_queue_oldest_age_seconds", "Age of the oldest of them, 0 when there is none.")
    yield f"tilld_queue_oldest_age_seconds {status.queue.oldest_age_s or 0:g}"
    yield from _gauge("tilld_conflicts", "Entries whose conflict nobody has resolved.")
    yield f"tilld_conflicts {status.queue.conflicts}"
    if status.disk is not None:
        yield from _gauge("tilld_disk_free_bytes", "What the journal may still take of its disk.")
        yield f"tilld_disk_free_bytes {status.disk.free_bytes}"
        yield from _gauge("tilld_journal_bytes", "What the journal takes of it.")
        yield f"tilld_journal_bytes {status.disk.journal_bytes}"
    if status.mirror is not None:
        yield from _gauge("tilld_mirror_reachable", "1 while second copies find their way.")
        yield f"tilld_mirror_reachable {int(status.mirror.reachable)}"
        yield from _gauge("tilld_mirror_behind_records", "Records that are on this till's disk alone.")
        yield f"tilld_mirror_behind_records {status.mirror.behind}"


def _readers(status: Status) -> Iterator[str]:
    yield from _gauge("tilld_reader_ready", "1 while the reader can read a card.")
    for reader in status.readers:
        labels = _labels(reader=reader.name, driver=reader.driver)
        yield f"tilld_reader_ready{labels} {int(reader.status == 'ready')}"
    yield "# HELP tilld_reader_events_total What the reader has done in its life at this till."
    yield "# TYPE tilld_reader_events_total counter"
    for reader in status.readers:
        counters: dict[str, Any] = msgspec.to_builtins(reader.counters)
        del counters["hours"]
        for event, count in counters.items():
            labels = _labels(reader=reader.name, driver=reader.driver, event=event)
            yield f"tilld_reader_events_total{labels} {count}"
    yield "# HELP tilld_reader_ready_hours_total How long the reader was ready, in its life at this till."
    yield "# TYPE tilld_reader_ready_hours_total counter"
    for reader in status.readers:
        labels = _labels(reader=reader.name, driver=reader.driver)
        yield f"tilld_reader_ready_hours_total{labels} {reader.counters.hours:.3f}"


def _gauge(name: str, meaning: str) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
