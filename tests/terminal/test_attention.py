"""The verdict of a glance."""

from typing import Any

import click
import pytest

from offline_queue.room import MIB
from terminal.attention import attention
from terminal.commands.status_text import status_text, verdict_line

WELL: dict[str, Any] = {
    "running": True,
    "terminal": "S001-T01",
    "version": "0.1.0",
    "ledger": {"reachable": True, "last_success": "2026-03-01T10:00:00Z", "detail": "", "orders": []},
    "queue": {"queued": 0, "oldest_age_s": None, "conflicts": 0},
    "readers": [{"name": "counter", "driver": "pcsc", "status": "ready", "detail": "waits for cards"}],
    "disk": {"room": "fine", "free_bytes": 2**30},
    "mirror": {"reachable": True, "behind": 0, "detail": "", "strays": 0},
}


def test_all_is_well_in_the_first_line() -> None:
    """One glance is enough."""
    assert attention(WELL) == []
    assert click.unstyle(status_text(WELL)).splitlines()[0] == "all is well"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"ledger": {"reachable": False, "last_success": None, "detail": "No answer.", "orders": []}},
            "nothing reaches the ledger; no entries wait here",
        ),
        (
            {"ledger": {**WELL["ledger"], "orders": [{"code": "fork", "detail": "x"}]}},
            "the ledger has found something about this till: fork",
        ),
        ({"queue": {**WELL["queue"], "conflicts": 2}}, "2 in conflict: a person has to decide"),
        ({"disk": {"room": "low", "free_bytes": 50 * MIB}}, "the disk is getting full"),
        (
            {"disk": {"room": "scarce", "free_bytes": 9 * MIB}},
            "the disk is nearly full: points are earned but not redeemed",
        ),
        (
            {"disk": {"room": "scarce", "free_bytes": 5}},
            "the disk is full: no points are redeemed, and sales are refused now or soon",
        ),
        ({"mirror": {"reachable": True, "behind": 3, "detail": ".", "strays": 0}}, "the mirror lacks 3 records"),
        (
            {"mirror": {"reachable": True, "behind": 0, "detail": ".", "strays": 1}},
            "the mirror has records that the journal lacks: bring them with `tilld mirror deliver`",
        ),
        (
            {"mirror": {"reachable": False, "behind": 1, "detail": ".", "strays": 0}},
            "the mirror is out of reach and lacks 1 record",
        ),
        ({"readers": [{**WELL["readers"][0], "status": "absent", "remedy": "plug it in"}]}, "reader counter is absent"),
    ],
)
def test_what_is_wrong_is_named_first(change: dict[str, Any], said: str) -> None:
    """Each trouble alone; the lines below tell more of it."""
    assert attention(WELL | change) == [said]
    assert click.unstyle(verdict_line(WELL | change)) == f"attention: {said}"


def test_a_till_without_disk_and_mirror_facts_is_judged_by_the_rest() -> None:
    """Not every till has a mirror."""
    assert attention({**WELL, "disk": None, "mirror": None}) == []
    assert click.unstyle(verdict_line({**WELL, "running": False})) == "the till is not running"


def test_a_running_pass_is_shown() -> None:
    """With its rate and the time left."""
    progress = {"sent": 1200, "left": 8800, "per_s": 400.0, "remaining_s": 22.0}
    text = click.unstyle(status_text({**WELL, "sync": {"phase": "running", "progress": progress}}))
    assert "sync      1200 sent, 8800 to go, 400 a second, about 22 s left" in text
