"""Who is let in, whose turn is next, and when the others may come again."""

from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.http.admission import (
    FAIR_TURN,
    LONGEST_S,
    PATIENCE_S,
    PROMISED,
    ROOM_FOR,
    Admission,
    Rank,
    Room,
    Ticket,
    TurnedAway,
    promised,
    retry_after_s,
)

chances = st.floats(0, 1, exclude_max=True)
ranks = st.sampled_from(Rank)
SMALL = Room(at_once=2, waiting=8, share=100)


def let_in(admission: Admission, rank: Rank = Rank.BULK, terminal: str = "t", now_s: float = 0.0) -> Ticket:
    found = admission.arrive(terminal, rank, now_s, 0.5)
    assert isinstance(found, Ticket)
    return found


def full(room: Room = SMALL) -> tuple[Admission, list[Ticket]]:
    """Every place is taken, by customers."""
    admission = Admission(room)
    return admission, [let_in(admission, Rank.CUSTOMER) for _ in range(room.at_once + room.waiting)]


@given(
    steps=st.lists(st.tuples(ranks, st.integers(0, 5), st.booleans()), max_size=120),
    room=st.builds(Room, st.integers(1, 4), st.integers(0, 10), st.integers(1, 4)),
)
@settings(max_examples=150)
def test_never_more_than_there_is_room_for(steps: list[tuple[Rank, int, bool]], room: Room) -> None:
    """Whoever comes and goes in whatever order: at work, waiting and each terminal's share stay within bounds."""
    admission, inside, now_s = Admission(room), list[Ticket](), 0.0
    for rank, number, goes in steps:
        now_s += 0.01
        if goes and inside:
            admission.leave(inside.pop(number % len(inside)), now_s)
        else:
            found = admission.arrive(f"t{number}", rank, now_s, 0.5)
            inside += [found] if isinstance(found, Ticket) else []
        at_work = [ticket for ticket in inside if ticket.at_work]
        assert admission.at_work == len(at_work) <= room.at_once
        assert admission.waiting == len(inside) - len(at_work) <= room.waiting
        assert len(at_work) == room.at_once or not admission.waiting, "nobody waits beside an idle clerk"
        names = [ticket.terminal for ticket in inside]
        assert all(names.count(name) <= room.share for name in names)
    for ticket in inside:
        admission.leave(ticket, now_s)
    assert (admission.at_work, admission.waiting) == (0, 0)


def test_the_first_one_too_many_is_turned_away_and_room_comes_back() -> None:
    """At once, with a time; and once somebody has left the next is let in."""
    admission, inside = full()
    assert isinstance(admission.arrive("t", Rank.CUSTOMER, 0.0, 0.5), TurnedAway)
    assert admission.leave(inside[0], 1.0) is inside[2]
    assert isinstance(admission.arrive("t", Rank.CUSTOMER, 0.0, 0.5), Ticket)


def test_a_customer_goes_before_a_hello_and_a_hello_before_a_batch() -> None:
    """In whatever order they came."""
    admission = Admission(Room(at_once=1, waiting=8))
    working = let_in(admission, terminal="0")
    waiting = [let_in(admission, rank, str(rank), float(rank)) for rank in (Rank.BULK, Rank.HELLO, Rank.CUSTOMER)]
    order = []
    for _ in waiting:
        following = admission.leave(working, 5.0)
        assert following
        order.append(following.rank)
        working = following
    assert order == [Rank.CUSTOMER, Rank.HELLO, Rank.BULK]


def test_batches_do_not_starve_behind_customers() -> None:
    """However many customers keep coming, who has waited longest has every fourth turn."""
    admission = Admission(SMALL)
    working = [let_in(admission) for _ in range(SMALL.at_once)]
    batch = let_in(admission, Rank.BULK, now_s=1.0)
    turns = 0
    while not batch.at_work:
        let_in(admission, Rank.CUSTOMER, now_s=2.0)
        following = admission.leave(working.pop(0), 3.0)
        assert following
        working.append(following)
        turns += 1
    assert turns <= FAIR_TURN


def test_batches_leave_places_to_those_that_go_before_them() -> None:
    """When batches have all they may, a hello and a customer are still let in."""
    admission = Admission(SMALL)
    for _ in range(SMALL.at_once + int(SMALL.waiting * ROOM_FOR[Rank.BULK])):
        let_in(admission)
    assert isinstance(admission.arrive("t", Rank.BULK, 0.0, 0.5), TurnedAway)
    assert not let_in(admission, Rank.HELLO).at_work
    assert not let_in(admission, Rank.CUSTOMER).at_work


def test_one_terminal_takes_no_more_than_its_share() -> None:
    """A till that has gone wild is told to wait, and its neighbours notice nothing."""
    admission = Admission(Room(at_once=8, waiting=8, share=2))
    inside = [let_in(admission, terminal="wild") for _ in range(2)]
    assert admission.arrive("wild", Rank.CUSTOMER, 0.0, 0.5) == TurnedAway(1)
    assert let_in(admission, terminal="tame").at_work
    admission.leave(inside[0], 1.0)
    assert let_in(admission, terminal="wild").at_work


def test_nobody_is_kept_waiting_longer_than_a_till_listens() -> None:
    """When requests take seconds, fewer may wait: those at the end would be answered to nobody."""
    admission, now_s = Admission(Room(at_once=1, waiting=100, share=1000)), 0.0
    for _ in range(200):
        ticket = let_in(admission, now_s=now_s)
        now_s += 2.0
        admission.leave(ticket, now_s)
    let_in(admission, Rank.CUSTOMER, now_s=now_s)
    places = 0
    while isinstance(admission.arrive("t", Rank.CUSTOMER, now_s, 0.5), Ticket):
        places += 1
    assert places <= PATIENCE_S / 2.0 + 1


@given(count=st.integers(1, 3000), chance=chances)
@settings(max_examples=40)
def test_who_is_turned_away_comes_back_as_fast_as_there_is_room(count: int, chance: float) -> None:
    """The last of many is told a time near that in which all before are served; nobody longer than five minutes."""
    admission, _ = full()
    told = [admission.arrive("t", Rank.HELLO, 0.0, chance) for _ in range(count)]
    waits = [answer.retry_after_s for answer in told if isinstance(answer, TurnedAway)]
    assert len(waits) == count == admission.turned_away
    assert waits == sorted(waits)
    needed = min(count / (admission.rate * PROMISED), LONGEST_S)
    assert 1 <= waits[-1] <= max(1, ceil(needed))
    assert waits[-1] >= int(needed / 2)


@given(until=st.floats(-1e6, 1e6), rate=st.floats(0.01, 1e5), chance=chances)
def test_an_appointment_is_never_in_the_past_nor_beyond_five_minutes(until: float, rate: float, chance: float) -> None:
    """However little the ledger serves, and however much it has promised before."""
    after = promised(until, 0.0, rate)
    assert 0 < after <= LONGEST_S
    assert 1 <= retry_after_s(after, 0.0, chance) <= LONGEST_S


@given(chance=chances)
def test_a_full_book_of_appointments_still_keeps_tills_apart(chance: float) -> None:
    """Beyond what can be promised the waits are spread over the second half of the five minutes."""
    assert LONGEST_S / 2 <= retry_after_s(LONGEST_S, 0.0, chance) <= LONGEST_S


def test_what_is_served_is_measured_while_few_come() -> None:
    """A quiet hour must not make the ledger believe that it is slow."""
    admission, now_s = Admission(Room(at_once=4)), 0.0
    for _ in range(300):
        ticket = let_in(admission, now_s=now_s)
        admission.leave(ticket, now_s + 0.01)
        now_s += 60.0
    assert 350 < admission.rate < 450
