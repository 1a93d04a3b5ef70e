"""What the till knows of the time: its own clock may jump, the ledger's word is counted on."""

from terminal.sales.stamps import Stamps
from tests.terminal.rig import HandTimepiece

NOON = "2026-03-01T12:00:00.000Z"
NOON_MS = 1_772_366_400_000


class Jumping(HandTimepiece):
    """Its wall clock can be set, the time since boot goes on."""

    set_ms = 0

    def unix_ms(self) -> int:
        return super().unix_ms() + self.set_ms


def test_the_ledger_s_time_is_counted_on_whatever_the_wall_clock_says() -> None:
    """Before it was heard our own clock has to do."""
    timepiece = Jumping()
    stamps = Stamps("S001-T01", timepiece)
    assert stamps.ledger_ms() == timepiece.unix_ms()
    stamps.heard(NOON)
    timepiece.set_ms = 10**9
    timepiece.now_ms += 1500
    assert stamps.ledger_ms() == NOON_MS + 1500


def test_what_is_no_time_is_passed_over() -> None:
    """The last good word stands, in each stamp too."""
    timepiece = Jumping()
    stamps = Stamps("S001-T01", timepiece)
    stamps.heard("soon")
    assert (stamps.ledger_time, stamps.ledger_ms()) == (None, timepiece.unix_ms())
    stamps.heard(NOON)
    stamps.heard("later")
    assert stamps.stamp().clock.ledger_time == NOON
    assert stamps.ledger_ms() == NOON_MS


def test_every_stamp_is_new() -> None:
    """Of two that are made in the same millisecond, too; each tells what the till knew of changes then."""
    known = 3
    stamps = Stamps("S001-T01", Jumping(), hotlist=lambda: known)
    first = stamps.stamp()
    known = 4
    second = stamps.stamp()
    assert first.id != second.id != stamps.id()
    assert (first.hotlist, second.hotlist) == (3, 4)
    assert first.occurred_at == second.occurred_at == stamps.now()
