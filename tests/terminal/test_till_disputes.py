"""The till's inbox of disputes: what it lists, what may be decided, and that a decision is recorded once."""

from concurrent.futures import Future

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.conflicts import ConflictKind
from offline_queue.entry import Card, Correction, Entry, Kind, Receipt, Resolution, State, decode
from offline_queue.journal import Found
from offline_queue.wire import Marks
from offline_queue.wire_feeds import Verdict
from terminal.disputes.disputes import SAID, dispute, name_of, resolutions, same_word
from terminal.disputes.shapes import Dispute, ResolutionAnswer, ResolutionRequest
from terminal.inbox import Answered, ResolutionAsked, Settled
from terminal.pos import CardView, Refusal
from terminal.wording import kept, read
from tests.offline_queue.sales import sale
from tests.terminal.rig import Shop, TillRig

HONOUR = ResolutionRequest(Resolution.HONOUR, "both receipts are right", "Anne")
REFUSE = ResolutionRequest(Resolution.REFUSE, "rung up twice", "Anne")


@pytest.fixture
def till(shop: Shop) -> TillRig:
    return shop.start()


def say(till: TillRig, entry_id: str, state: State, code: str, detail: str | None = None) -> None:
    """The ledger's word on an entry, durable before the till hears it."""
    found = till.journal.find_id(entry_id)
    assert found is not None
    verdict = Verdict(till.journal.cursor() + 1, found.stream, found.seq, found.seq, state, code, detail)
    till.store.mark({found.stream: Marks(found.seq, 0)}, "g")
    till.store.settle([verdict], verdict.n, "g")
    till.send(Settled([verdict], [], verdict.n))


def decide(till: TillRig, entry_id: str, request: ResolutionRequest, key: str | None = None) -> "Answered | Refusal":
    reply: Future[Answered] = Future()
    till.send(ResolutionAsked(entry_id, request, key, reply))
    heard = till.heard(reply)
    assert isinstance(heard, Answered | Refusal)
    return heard


def decided(till: TillRig, entry_id: str, request: ResolutionRequest, key: str | None = None) -> Entry:
    """The correction that a decision has made."""
    heard = decide(till, entry_id, request, key)
    assert isinstance(heard, Answered), heard
    correction = till.journal.find_id(read(heard.body, ResolutionAnswer).id)
    assert correction is not None
    return correction.entry


def inbox(till: TillRig) -> list[Dispute]:
    found = till.question("conflicts")
    assert isinstance(found, list), found
    return found


class TestInbox:
    def test_only_what_needs_a_person_is_listed(self, till: TillRig) -> None:
        """What waits for its card, and what is posted, is nobody's to decide."""
        first, waits, disputed = (till.sell(key).id for key in ("a", "b", "c"))
        say(till, first, State.POSTED, "posted")
        say(till, waits, State.PARKED, "card_unknown")
        say(till, disputed, State.PARKED, "receipt_duplicate", "as entry x")
        (told,) = inbox(till)
        assert (told.id, told.code, told.detail, told.state) == (
            disputed,
            "receipt_duplicate",
            "as entry x",
            State.PARKED,
        )
        assert told.sentence.en.startswith("This receipt earned points before")
        assert told.resolutions == [Resolution.HONOUR, Resolution.REFUSE]
        assert told.age_s == 0
        assert till.question("status")["queue"]["conflicts"] == 1

    def test_it_is_paged(self, till: TillRig) -> None:
        """Each once, the oldest first."""
        sold = [till.sell(f"s{n}").id for n in range(5)]
        for one in sold:
            say(till, one, State.CONFLICT, "limit_breach")
        first = till.question("conflicts", '{"limit": 2}')
        rest = till.question("conflicts", f'{{"limit": 10, "after": "{first[-1].id}"}}')
        assert [one.id for one in [*first, *rest]] == sold
        for wrong in ('{"after": "x"}', '{"limit": "many"}', "[]"):
            assert till.question("conflicts", wrong).code == "invalid"

    def test_watchers_hear_of_it_and_of_its_end(self, till: TillRig) -> None:
        """Once when it appears and once when it is resolved, in words."""
        sold = till.sell("a").id
        say(till, sold, State.CONFLICT, "overdrawn")
        say(till, sold, State.RESOLVED, "overdrawn", "by Anne: seen")
        assert [(told["id"], told["state"], told["detail"]) for told in till.told("conflict")] == [
            (sold, "conflict", None),
            (sold, "resolved", "by Anne: seen"),
        ]
        asked, settled = (told["sentence"] for told in till.told("conflict"))
        assert "decided" in settled != asked
        assert inbox(till) == []
        assert till.question("status")["queue"]["conflicts"] == 0
        assert till.question("conflict", sold).state is State.RESOLVED
        assert till.question("conflict", sold).sentence.en == settled

    def test_one_that_was_never_in_dispute(self, till: TillRig) -> None:
        """There is nothing to show of it."""
        assert till.question("conflict", "unknown").code == "not_found"
        assert till.question("conflict", till.sell("a").id).code == "not_in_dispute"


class TestDecision:
    def test_it_is_a_correction_of_its_own(self, till: TillRig) -> None:
        """Durable before the answer; the conflict stays until the ledger has agreed, and shows what is on its way."""
        sold = till.sell("a").id
        say(till, sold, State.CONFLICT, "overdrawn")
        entry = decided(till, sold, msgspec.structs.replace(HONOUR, points=-3))
        assert entry.kind is Kind.CORRECTION
        assert entry.correction is not None
        assert msgspec.structs.astuple(entry.correction) == ("Anne", HONOUR.reason, sold, Resolution.HONOUR, -3)
        (told,) = inbox(till)
        assert told.resolution is not None
        assert (told.resolution.id, told.resolution.state, told.resolution.points) == (entry.id, State.QUEUED, -3)
        assert till.sync.nudges == 2

    def test_the_same_again_hears_the_first_answer(self, till: TillRig) -> None:
        """Also from somebody else, and after a restart; another decision is another word."""
        sold = till.sell("a").id
        say(till, sold, State.CONFLICT, "overdrawn")
        first = decide(till, sold, HONOUR)
        again = decide(till, sold, msgspec.structs.replace(HONOUR, author="Bob"))
        assert isinstance(first, Answered)
        assert isinstance(again, Answered)
        assert (first.replayed, again.replayed, again.body) == (False, True, first.body)
        assert decided(till, sold, REFUSE).id != decided(till, sold, HONOUR).id

    def test_a_change_of_mind_is_the_latest_word(self, shop: Shop, till: TillRig) -> None:
        """Honour, refuse, honour: three corrections, the last one stands, whatever start of the till wrote them."""
        sold = till.sell("a").id
        say(till, sold, State.CONFLICT, "overdrawn")
        made = [decided(till, sold, HONOUR).id]
        till = shop.restart()
        made += [decided(till, sold, request).id for request in (REFUSE, HONOUR)]
        assert len(set(made)) == 3
        (told,) = inbox(till)
        assert told.resolution is not None
        assert (told.resolution.id, told.resolution.decision) == (made[-1], Resolution.HONOUR)

    def test_a_key_of_the_pos_is_kept_to(self, till: TillRig) -> None:
        """Under one key there is one decision."""
        sold = till.sell("a").id
        say(till, sold, State.CONFLICT, "overdrawn")
        first, again = decided(till, sold, HONOUR, "mine"), decided(till, sold, HONOUR, "mine")
        assert first.id == again.id
        other = decide(till, sold, REFUSE, "mine")
        assert isinstance(other, Refusal)
        assert other.code == "idempotency_key_reused"
        assert decided(till, sold, HONOUR, "another").id != first.id

    @pytest.mark.parametrize(
        ("state", "code", "request_", "refused"),
        [
            (State.POSTED, "posted", HONOUR, "not_in_dispute"),
            (State.RESOLVED, "overdrawn", HONOUR, "not_in_dispute"),
            (State.PARKED, "card_unknown", HONOUR, "not_here"),
            (State.PARKED, "card_unknown", msgspec.structs.replace(REFUSE, points=4), "not_here"),
            (State.CONFLICT, "resolution_refused", REFUSE, "not_here"),
        ],
    )
    def test_what_cannot_be_decided_here(
        self, till: TillRig, state: State, code: str, request_: ResolutionRequest, refused: str
    ) -> None:
        """Nothing is recorded, and who can decide is said."""
        sold = till.sell("a").id
        say(till, sold, state, code)
        heard = decide(till, sold, request_)
        assert isinstance(heard, Refusal)
        assert heard.code == refused
        assert till.store.reader().totals().queued == 0
        assert ("settled this already" in heard.detail.en) == (state is State.RESOLVED)

    def test_an_entry_of_nobody_is_not_found(self, till: TillRig) -> None:
        """The id was mistyped, or is another till's."""
        heard = decide(till, "unknown", HONOUR)
        assert isinstance(heard, Refusal)
        assert heard.code == "not_found"

    @pytest.mark.parametrize(
        ("request_", "key"),
        [
            (msgspec.structs.replace(HONOUR, author="An\u202ene"), None),
            (msgspec.structs.replace(HONOUR, reason="both\x1b[2J right"), None),
            (HONOUR, "k" * 65),
            (HONOUR, "clé"),
        ],
    )
    def test_what_cannot_be_read_is_not_recorded(
        self, till: TillRig, request_: ResolutionRequest, key: str | None
    ) -> None:
        """A hidden character could make a name or a reason look like another one."""
        sold = till.sell("a").id
        say(till, sold, State.CONFLICT, "overdrawn")
        heard = decide(till, sold, request_, key)
        assert isinstance(heard, Refusal)
        assert heard.code == "invalid"
        assert till.store.reader().totals().queued == 0

    def test_a_sale_that_waits_for_its_card_may_be_refused(self, till: TillRig) -> None:
        """Although it would settle by itself."""
        sold = till.sell("a").id
        say(till, sold, State.PARKED, "card_unknown")
        assert decided(till, sold, REFUSE).kind is Kind.CORRECTION

    def test_a_full_disk_refuses_the_decision(self, till: TillRig, monkeypatch: pytest.MonkeyPatch) -> None:
        """No yes to a person before the commit."""
        sold = till.sell("a").id
        say(till, sold, State.CONFLICT, "overdrawn")
        till.store.close()
        heard = decide(till, sold, HONOUR)
        assert isinstance(heard, Refusal)
        assert heard.code == "not_recorded"


OURS = Card("2990000000017")


def found(kind: Kind, card: Card | None, state: State, code: str) -> Found:
    entry = msgspec.structs.replace(sale(), kind=kind, card=card)
    verdict = Verdict(1, "uid", 7, 7, state, code)
    return Found(entry, b"", "uid", 7, state, verdict, b"", b"")


@given(
    kind=st.sampled_from(Kind),
    card=st.sampled_from([None, Card("2990000000017")]),
    state=st.sampled_from(State),
    code=st.one_of(st.sampled_from(ConflictKind), st.text(max_size=12)),
    now=st.integers(0, 2**52),
)
def test_whatever_the_ledger_says_is_shown(kind: Kind, card: Card | None, state: State, code: str, now: int) -> None:
    """Never an error and never a card's number; nothing can be decided but what is open."""
    one = found(kind, card, state, code)
    told = dispute(one, None, now)
    assert told.sentence
    assert "2990000000017" not in kept(told).decode()
    assert told.age_s >= 0
    if state not in (State.CONFLICT, State.PARKED):
        assert resolutions(one) == []
    if Resolution.HONOUR in told.resolutions:
        assert Resolution.REFUSE in told.resolutions


BOTH = [Resolution.HONOUR, Resolution.REFUSE]


@pytest.mark.parametrize(
    ("kind", "card", "state", "code", "can"),
    [
        *(
            (kind, None, State.CONFLICT, "overdrawn", [Resolution.REFUSE])
            for kind in (Kind.EARN, Kind.REDEEM, Kind.CLAIM)
        ),
        *((kind, OURS, State.CONFLICT, "overdrawn", BOTH) for kind in (Kind.EARN, Kind.REDEEM, Kind.CLAIM)),
        (Kind.REVERSE, None, State.CONFLICT, "overdrawn", BOTH),
        (Kind.CORRECTION, None, State.PARKED, "x", BOTH),
        (Kind.EARN, OURS, State.PARKED, "card_unknown", [Resolution.REFUSE]),
        (Kind.CORRECTION, None, State.CONFLICT, "resolution_refused", []),
        (Kind.EARN, OURS, State.POSTED, "posted", []),
    ],
)
def test_what_can_be_decided_here(
    kind: Kind, card: Card | None, state: State, code: str, can: list[Resolution]
) -> None:
    """Points that nobody would get cannot be honoured; what was refused as a decision is head office's."""
    assert resolutions(found(kind, card, state, code)) == can


def test_a_dispute_tells_all_that_is_known() -> None:
    """To the second by the till's clock, which may be behind; what an entry does not have is not told."""
    one = found(Kind.EARN, OURS, State.CONFLICT, "overdrawn")
    entry = msgspec.structs.replace(one.entry, receipt=Receipt("R-7"), occurred_at="2026-03-01T10:00:00.000Z")
    assert one.verdict is not None
    verdict = msgspec.structs.replace(one.verdict, detail="40 short", points=-3)
    one = msgspec.structs.replace(one, entry=entry, verdict=verdict)
    told = dispute(one, None, 1_772_359_200_000 + 1500)
    assert (told.card, told.receipt, told.detail, told.effect) == (CardView("•••• 0017"), "R-7", "40 short", -3)
    assert (told.id, told.points, told.age_s, told.code, told.resolution) == (
        entry.id,
        entry.points,
        1.5,
        "overdrawn",
        None,
    )
    assert dispute(one, None, 0).age_s == 0
    bare = msgspec.structs.replace(one, entry=msgspec.structs.replace(entry, card=None, receipt=None), verdict=None)
    told = dispute(bare, None, 0)
    assert (told.card, told.receipt, told.detail, told.effect, told.code) == (None, None, None, None, "")


@given(
    st.sampled_from(Resolution),
    st.sampled_from(Resolution),
    st.integers(-2, 2) | st.none(),
    st.integers(-2, 2) | st.none(),
)
def test_a_decision_is_the_same_word_by_what_it_decides(
    one: Resolution, other: Resolution, points: int | None, others: int | None
) -> None:
    """Whoever says it and for whatever reason; an entry that is no decision is no word."""
    word = found(Kind.CORRECTION, None, State.QUEUED, "")
    assert not same_word(word, HONOUR)
    said = Correction("Bob", "other words", "e-1", one, points)
    word = msgspec.structs.replace(word, entry=msgspec.structs.replace(word.entry, correction=said))
    asked = ResolutionRequest(other, HONOUR.reason, HONOUR.author, others)
    assert same_word(word, asked) == ((one, points) == (other, others))


def test_what_the_ledger_does_not_believe_goes_by_its_place() -> None:
    """An id that the ledger could not read, or not believe, is no name to it."""
    assert name_of(found(Kind.EARN, None, State.PARKED, "undecodable")) == "uid:7"
    assert name_of(found(Kind.EARN, None, State.CONFLICT, "signature_bad")) == "uid:7"
    named = found(Kind.EARN, None, State.PARKED, "key_mismatch")
    assert name_of(named) == named.entry.id


def test_every_word_is_in_both_languages() -> None:
    """No cashier is left with another's."""
    assert all(said.fr != said.en for said in SAID.values())


def test_the_record_on_the_wire_is_what_was_decided(till: TillRig) -> None:
    """The bytes that the ledger gets name the entry, the decision and who took it."""
    sold = till.sell("a").id
    say(till, sold, State.CONFLICT, "overdrawn")
    entry = decided(till, sold, REFUSE)
    at = till.journal.find_id(entry.id)
    assert at is not None
    (record,) = till.journal.records(at.stream, at.seq, 1, 10_000)
    assert decode(record) == entry
