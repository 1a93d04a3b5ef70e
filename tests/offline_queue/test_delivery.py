"""Copies on their way to the ledger by another till's hand; the whole journey is in tests/acceptance/test_mirror.py."""

from contextlib import closing
from pathlib import Path

from offline_queue.delivery import Delivery
from offline_queue.ledger_client import HttpLedger
from offline_queue.mirror_copy import FolderKeeper
from tests.offline_queue.copies import KEY, STREAM, TERMINAL, copied, records
from tests.offline_queue.journals import TIMEPIECE


def test_a_ledger_that_is_away_leaves_every_copy(tmp_path: Path) -> None:
    """And it is told how many records wait in them, not how many the first copy has."""
    keeper, raw = FolderKeeper(tmp_path), records(5)
    first = copied(raw[:2])
    keeper.keep(first)
    keeper.keep(copied(raw[2:], 3, bytes.fromhex(first.head)))
    with closing(HttpLedger("http://127.0.0.1:1", "S001-T02", KEY)) as ledger:
        done = Delivery(keeper, ledger, TIMEPIECE).bring(TERMINAL, STREAM)
    assert (done.kept, done.accepted) == (5, 0)
    assert "no connection" in (done.trouble or "")
    assert keeper.held(TERMINAL) == {STREAM: 5}
