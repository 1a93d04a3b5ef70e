"""For which cards rights are held: those seen here lately, active, and with points that nobody has reserved."""

from offline_queue.journal import AHEAD, Allowance, AllowanceState
from offline_queue.wire_accounts import Balance
from terminal.promises.allotments import Budget
from terminal.promises.holdings import REMEMBERED, Holdings
from terminal.promises.rights import Right, Rights

NOW = "2026-03-01T10:00:00.000Z"


class Counter:
    """Holdings whose wishes are granted at once; `asked` and `given_back` are what became of them."""

    def __init__(self, budget: Budget) -> None:
        self.now_ms = 0
        self.rights = Rights()
        self.asked: list[tuple[str, int]] = []
        self.given_back: list[str] = []
        self.holdings = Holdings(self.rights, budget, self._ask, self._release, lambda: self.now_ms)

    def see(self, number: str) -> None:
        self.now_ms += 1000
        self.holdings.seen(number)

    def hear(self, number: str, points: int = 500, reserved: int = 0, status: str = "active") -> None:
        self.holdings.heard(Balance(number, points, reserved, NOW, status=status))

    def hold(self, card: str, points: int = 100, *, ahead: bool = True) -> Right:
        wanted = Allowance(f"of {card}", AHEAD, card, points, "t/1", AllowanceState.GRANTED, NOW)
        return self.rights.add(wanted, granted=True, ahead=ahead)

    def _ask(self, card: str, points: int) -> None:
        self.asked.append((card, points))
        name = f"right-{len(self.asked)}"
        wanted = Allowance(name, AHEAD, card, points, "t/1", AllowanceState.GRANTED, NOW)
        self.rights.add(wanted, granted=True, ahead=True).seen_ms = self.now_ms

    def _release(self, right: Right) -> None:
        self.given_back.append(right.allowance.card)
        del self.rights.by_id[right.allowance.id]


def test_points_that_are_reserved_elsewhere_are_not_asked_for() -> None:
    """What another till was promised is not this one's to promise."""
    till = Counter(Budget(per_card=100, total=200, cards=2))
    till.see("a")
    till.hear("a", points=70, reserved=40)
    assert till.asked == [("a", 30)]


def test_a_card_that_is_not_active_gets_no_right() -> None:
    """A blocked card may have points, which are not to be had."""
    till = Counter(Budget(per_card=100, total=200, cards=2))
    till.see("a")
    till.hear("a", status="blocked")
    assert till.asked == []


def test_a_card_seen_again_keeps_its_right() -> None:
    """It is the other one, here before it, that makes room."""
    till = Counter(Budget(per_card=100, total=200, cards=2))
    for number in ("a", "b"):
        till.see(number)
        till.hear(number)
    till.see("a")
    till.see("c")
    till.hear("c")
    assert till.given_back == ["b"]


def test_the_card_not_seen_for_longest_is_forgotten() -> None:
    """A thousand are remembered; one that came back in between counts from then."""
    till = Counter(Budget(per_card=1, total=REMEMBERED, cards=REMEMBERED))
    till.see("often")
    till.see("once")
    for number in range(REMEMBERED - 2):
        till.see(str(number))
    till.see("often")
    till.see("one more")
    for number in ("once", "0", "often", "one more"):
        till.hear(number)
    assert [card for card, _ in till.asked] == ["0", "often", "one more"]


def test_the_right_of_a_sale_takes_no_room() -> None:
    """The budget is for what is held ahead of need; what a sale has asked for is its own."""
    till = Counter(Budget(per_card=100, total=100, cards=1))
    till.hold("b", ahead=False)
    till.see("a")
    till.hear("a")
    assert till.asked == [("a", 100)]


def test_neither_a_right_in_use_nor_one_in_doubt_makes_room() -> None:
    """One is being spent; the other, of an earlier start, may be a copy's until the ledger has spoken."""
    for change in ({"wanted_by": "k-1"}, {"granted": False}, {"valid": False}):
        till = Counter(Budget(per_card=100, total=100, cards=1))
        held = till.hold("b")
        for name, value in change.items():
            setattr(held, name, value)
        till.see("a")
        till.hear("a")
        assert (till.asked, till.given_back) == ([], []), change


def test_the_ledger_s_word_on_several_rights_counts_for_each() -> None:
    """A right that is gone or in use says nothing of the others; what holds is used, what does not goes back."""
    till = Counter(Budget(per_card=100, total=400, cards=4))
    used, good, void = till.hold("used"), till.hold("good"), till.hold("void")
    used.wanted_by = "k-1"
    for right in (used, good, void):
        right.valid = False
    till.holdings.confirmed({"of nobody": True, "of used": True, "of good": True, "of void": False})
    assert (used.valid, good.valid, till.given_back) == (False, True, ["void"])
