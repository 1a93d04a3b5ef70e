"""Every metric of the till: name, kind, labels and meaning. A test holds docs/metrics.md to this list."""

from typing import Final, NamedTuple

GAUGE, COUNTER, HISTOGRAM = "gauge", "counter", "histogram"


class Family(NamedTuple):
    """As in the Prometheus text format: `# HELP`, `# TYPE`, and the names of its labels."""

    name: str
    kind: str
    meaning: str
    labels: tuple[str, ...] = ()


READER: Final = ("reader", "driver")

FAMILIES: Final = (
    Family("tilld_info", GAUGE, "Always 1: version and name of this till.", ("version", "terminal")),
    Family("tilld_attention", GAUGE, "Things that somebody should look at; 0 when all is well."),
    Family("tilld_clock_timestamp_seconds", GAUGE, "The till's wall clock, in seconds since 1970."),
    Family("tilld_ledger_reachable", GAUGE, "1 while the last word from the ledger was an answer."),
    Family(
        "tilld_ledger_last_success_timestamp_seconds", GAUGE, "When the ledger was last heard, by the till's clock."
    ),
    Family("tilld_ledger_finding", GAUGE, "1 for each finding about this till that stands.", ("code",)),
    Family("tilld_queue_entries", GAUGE, "Entries that the ledger has not taken yet."),
    Family("tilld_queue_oldest_age_seconds", GAUGE, "Age of the oldest of them, 0 when there is none."),
    Family("tilld_conflicts", GAUGE, "Entries whose conflict nobody has resolved."),
    Family("tilld_sync_running", GAUGE, "1 while a pass has entries on their way."),
    Family("tilld_sync_remaining_seconds", GAUGE, "How long that pass will take; absent where nobody can tell."),
    Family("tilld_sync_latency_seconds", HISTOGRAM, "From the sale until the ledger has it, since the till's start."),
    Family("tilld_disk_free_bytes", GAUGE, "What the journal may still take of its disk."),
    Family("tilld_disk_room", GAUGE, "1 for what the disk is now: fine, low or scarce.", ("room",)),
    Family("tilld_journal_bytes", GAUGE, "What the journal takes of it."),
    Family("tilld_mirror_reachable", GAUGE, "1 while second copies find their way."),
    Family("tilld_mirror_behind_records", GAUGE, "Records that are on this till's disk alone."),
    Family("tilld_reader_ready", GAUGE, "1 while the reader can read a card.", READER),
    Family("tilld_reader_state", GAUGE, "1 for what the reader is now.", (*READER, "state")),
    Family(
        "tilld_reader_events_total", COUNTER, "What the reader has done in its life at this till.", (*READER, "event")
    ),
    Family(
        "tilld_reader_ready_hours_total", COUNTER, "How long the reader was ready, in its life at this till.", READER
    ),
)
