"""What Prometheus reads: well-formed, documented, and what alerts and dashboard rely on."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.base import ReaderState
from terminal.api.metric_families import FAMILIES
from terminal.api.metrics import exposition
from terminal.history.waiting import Latencies, Taken
from terminal.inbox import ReaderStatus
from tests.api.conftest import Api
from tests.api.exposition import SUFFIXES, named, parse
from tests.api.fake_till import NOW, FakeTill

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "packaging" / "monitoring"
STATUS: dict[str, Any] = {
    "terminal": "S001-T01",
    "version": "0.1.0",
    "ledger": {
        "reachable": True,
        "last_success": NOW,
        "next_attempt": None,
        "orders": [{"code": "fork", "detail": "x"}, {"code": "fork", "detail": "y"}],
    },
    "queue": {"queued": 3, "oldest_age_s": 12.3456, "conflicts": 1},
    "readers": [ReaderStatus("counter", "pcsc", ReaderState.READY, NOW, "waits")],
    "clock": {"wall": NOW},
    "disk": {"room": "low", "journal_bytes": 4096, "free_bytes": 10},
    "mirror": {"reachable": False, "behind": 2, "detail": "away", "strays": 0},
    "sync": {"phase": "running", "progress": {"sent": 1, "left": 2, "per_s": 1.0, "remaining_s": 2.5}},
}


def test_a_till_with_everything_tells_all_that_is_documented() -> None:
    """Each family once, with its kind, its meaning and just its labels."""
    read = parse(exposition(STATUS, Latencies().plus([Taken(900, 2), Taken(10**9, 1)])))
    assert list(read) == [family.name for family in FAMILIES]
    for family in FAMILIES:
        found = read[family.name]
        assert (found.kind, found.meaning) == (family.kind, family.meaning)
        assert {tuple(key for key, _ in labels if key != "le") for _, labels in found.samples} == {family.labels}


def test_the_numbers_are_the_statuss() -> None:
    """Seconds, bytes and counts; a histogram that adds up."""
    read = parse(exposition(STATUS, Latencies().plus([Taken(900, 2), Taken(10**9, 1)])))
    assert read["tilld_queue_oldest_age_seconds"].samples["tilld_queue_oldest_age_seconds", ()] == 12.346
    assert read["tilld_disk_room"].samples["tilld_disk_room", (("room", "low"),)] == 1
    assert read["tilld_clock_timestamp_seconds"].samples["tilld_clock_timestamp_seconds", ()] == 1772359200
    latency = read["tilld_sync_latency_seconds"].samples
    assert latency["tilld_sync_latency_seconds_bucket", (("le", "1"),)] == 2
    assert latency["tilld_sync_latency_seconds_bucket", (("le", "+Inf"),)] == 3
    assert latency["tilld_sync_latency_seconds_count", ()] == 3
    assert latency["tilld_sync_latency_seconds_sum", ()] == 1_000_001.8


@given(st.text(max_size=30), st.text(max_size=30), st.integers(0, 10**12), st.floats(0, 10**9))
@settings(max_examples=60)
def test_no_name_breaks_the_format(reader: str, driver: str, queued: int, age_s: float) -> None:
    """A reader may be called whatever a config allows, and more."""
    readers = [ReaderStatus(reader, driver, ReaderState.ABSENT, NOW, "")]
    queue = {"queued": queued, "oldest_age_s": age_s, "conflicts": 0}
    parse(exposition({**STATUS, "readers": readers, "queue": queue}, Latencies()))


def test_what_is_not_there_is_absent(api: Api, till: FakeTill) -> None:
    """A till without mirror and readers, over the wire: not 0, but nothing; no token is asked for."""
    till.readers = []
    reply = api.ask("GET", "/metrics", token=None)
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    read = parse(reply.body.decode())
    assert not read.keys() & {"tilld_mirror_reachable", "tilld_reader_ready", "tilld_sync_remaining_seconds"}
    assert read["tilld_attention"].samples["tilld_attention", ()] == 0


def test_the_page_lists_every_metric() -> None:
    """docs/metrics.md says what the code says, line for line."""
    page = (ROOT / "docs" / "metrics.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", page, re.MULTILINE)
    told = [(name, kind, meaning, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels, meaning in rows]
    assert told == [tuple(family) for family in FAMILIES]


def alerts() -> list[tuple[str, str]]:
    rules = yaml.safe_load((MONITORING / "tilld-alerts.yml").read_text())["groups"][0]["rules"]
    assert all({"summary", "action"} <= rule["annotations"].keys() and rule["labels"]["severity"] for rule in rules)
    return [(rule["alert"], rule["expr"]) for rule in rules]


def panels() -> list[tuple[str, str]]:
    board = json.loads((MONITORING / "tilld-dashboard.json").read_text())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    return [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel["targets"]]


@pytest.mark.parametrize(("title", "expression"), [*alerts(), *panels()], ids=lambda text: text[:30])
def test_an_expression_names_only_what_exists(title: str, expression: str) -> None:
    """A metric or a label that nobody gives would make an alert that never comes."""
    known = {family.name + suffix: family for family in FAMILIES for suffix in SUFFIXES.get(family.kind, ("",))}
    metrics, labels = named(expression)
    assert metrics
    assert metrics <= known.keys() | {"up"}
    given = {label for metric in metrics - {"up"} for label in known[metric].labels}
    assert labels <= given | {"instance", "job", "le"}


def test_the_reader_of_expressions_sees_what_it_must() -> None:
    """It would find a typing error: in a metric, in a label, in brackets."""
    assert named('sum by (instance, reder) (rate(tilld_x{event=~"a|b"}[5m])) / tilld_y > bool 3') == (
        {"tilld_x", "tilld_y"},
        {"instance", "reder", "event"},
    )
    with pytest.raises(AssertionError):
        named("rate(tilld_x[5m)")
