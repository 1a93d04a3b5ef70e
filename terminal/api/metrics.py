"""The till's state as Prometheus reads it (text exposition format 0.0.4): counts, no cards."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate
from typing import Final

import msgspec

from terminal.api.metric_families import FAMILIES
from terminal.api.shapes import Status
from terminal.attention import attention
from terminal.history.waiting import BOUNDS_S, Latencies

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[str, str, float]
"""Family, what follows its name (a suffix and labels), value."""


def exposition(answer: object, latencies: Latencies) -> str:
    """`answer` is the till's status, as a value or as plain data. Families that have no sample now are left out."""
    plain = msgspec.to_builtins(answer)
    status = msgspec.convert(plain, Status)
    found: defaultdict[str, list[str]] = defaultdict(list)
    samples = (*_till(status, attention(plain)), *_way(status), *_latency(latencies), *_room(status), *_readers(status))
    for family, rest, value in samples:
        found[family].append(f"{family}{rest} {_number(value)}\n")
    return "".join(
        f"# HELP {family.name} {family.meaning}\n# TYPE {family.name} {family.kind}\n{''.join(found[family.name])}"
        for family in FAMILIES
        if family.name in found
    )


def _till(status: Status, wrong: list[str]) -> Iterator[Sample]:
    yield "tilld_info", _labels(version=status.version, terminal=status.terminal), 1
    yield "tilld_attention", "", len(wrong)
    yield "tilld_clock_timestamp_seconds", "", _seconds(status.clock["wall"])
    yield "tilld_ledger_reachable", "", status.ledger.reachable
    if status.ledger.last_success is not None:
        yield "tilld_ledger_last_success_timestamp_seconds", "", _seconds(status.ledger.last_success)
    for code in dict.fromkeys(order.code for order in status.ledger.orders):
        yield "tilld_ledger_finding", _labels(code=code), 1


def _way(status: Status) -> Iterator[Sample]:
    """What is on its way to the ledger."""
    yield "tilld_queue_entries", "", status.queue.queued
    yield "tilld_queue_oldest_age_seconds", "", status.queue.oldest_age_s or 0
    yield "tilld_conflicts", "", status.queue.conflicts
    progress = status.sync.progress if status.sync else None
    yield "tilld_sync_running", "", progress is not None
    if progress is not None and progress.remaining_s is not None:
        yield "tilld_sync_remaining_seconds", "", progress.remaining_s


def _latency(latencies: Latencies) -> Iterator[Sample]:
    name, below = "tilld_sync_latency_seconds", list(accumulate(latencies.counts))
    for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), below, strict=True):
        yield name, f"_bucket{_labels(le=bound)}", count
    yield name, "_sum", latencies.sum_ms / 1000
    yield name, "_count", below[-1]


def _room(status: Status) -> Iterator[Sample]:
    if status.disk is not None:
        yield "tilld_disk_free_bytes", "", status.disk.free_bytes
        yield "tilld_disk_room", _labels(room=status.disk.room), 1
        yield "tilld_journal_bytes", "", status.disk.journal_bytes
    if status.mirror is not None:
        yield "tilld_mirror_reachable", "", status.mirror.reachable
        yield "tilld_mirror_behind_records", "", status.mirror.behind


def _readers(status: Status) -> Iterator[Sample]:
    for reader in status.readers:
        named = {"reader": reader.name, "driver": reader.driver}
        yield "tilld_reader_ready", _labels(**named), reader.status == "ready"
        yield "tilld_reader_state", _labels(**named, state=reader.status), 1
        counted = msgspec.to_builtins(reader.counters)
        yield "tilld_reader_ready_hours_total", _labels(**named), counted.pop("hours")
        for event, count in counted.items():
            yield "tilld_reader_events_total", _labels(**named, event=event), count


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 3))


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
