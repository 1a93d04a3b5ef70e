"""The cards that a batch touches: their listings, the chains of their successors, and what tills are to be told."""

from collections.abc import Callable, Sequence

import msgspec

from ledger.facts.cards import UNNUMBERED, CardFacts, CardStatus, Listing
from ledger.rules.cards import account_of, chain
from ledger.rules.records import plausible
from ledger.sheet.source import Known, Source
from offline_queue.wire_feeds import CardChange

UNHEARD = Listing()


class Deck:
    """Belongs to one sheet."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._listings = Known[str, Listing](lambda numbers: source.cards(numbers)())
        self._held: set[str] = set()
        self._facts: dict[str, CardFacts] = {}
        self.news: list[CardChange] = []
        """What tills are to be told of cards, in the order in which it happened."""

    @property
    def changed(self) -> dict[str, Listing]:
        return self._listings.changed

    def expect(self, numbers: Sequence[str]) -> None:
        """Asks for cards and for all that stand for them; those that a batch could find changed by others are held."""
        self.ask(numbers)()

    def ask(self, numbers: Sequence[str]) -> Callable[[], None]:
        """The same; call what this returns before anything else is held, and before any card is looked at."""
        new = self._listings.missing(numbers)
        asked = self._source.cards(new) if new else None

        def expected() -> None:
            if asked:
                self._listings.learn(new, asked())
            self._hold_open(list(dict.fromkeys(numbers)))

        return expected

    def _hold_open(self, numbers: Sequence[str]) -> None:
        while numbers := [number for number in numbers if _may_change(self.find(number))]:
            open_ = [number for number in numbers if plausible(number)]
            if open_:
                self._listings.learn(open_, self._source.expect(open_))
            named = (self.find(number).successor for number in numbers)
            numbers = self._listings.missing(number for number in named if number)
            self._listings.warm(numbers)

    def hold(self, numbers: Sequence[str]) -> None:
        """What is about to happen to these cards happens to them as they are now, to the ends of their chains.

        The last of a chain is held too, though it is active: or two events could lead two chains into each other.
        """
        while numbers := [one for one in dict.fromkeys(numbers) if plausible(one) and one not in self._held]:
            self._listings.learn(numbers, self._source.expect(numbers))
            self._held |= set(numbers)
            numbers = [successor for number in numbers if (successor := self.find(number).successor)]

    def find(self, number: str) -> Listing:
        return self._listings.get(number) or UNHEARD

    def final(self, number: str) -> str:
        return chain(number, self.find)[-1]

    def account(self, number: str) -> int | None:
        own = self.find(number).account
        return own if own is not None else account_of(number, self.find)

    def facts(self, number: str) -> CardFacts:
        found = self._facts.get(number)
        if found is None:
            final = self.final(number)
            stands = self.find(final)
            blocked = stands.told if stands.marked is CardStatus.BLOCKED else None
            found = self._facts[number] = CardFacts(final, self.find(number).status, blocked)
        return found

    def put(self, number: str, listing: Listing) -> None:
        """Tills are told where they have to act otherwise from now on, or were told otherwise before."""
        before = self.find(number)
        otherwise = (before.status, before.successor) != (listing.status, listing.successor)
        if otherwise and (listing.marked is not None or before.told is not None):
            self.news.append(CardChange(number, listing.status.value, listing.successor))
            listing = msgspec.structs.replace(listing, told=UNNUMBERED)
        self._listings.put(number, listing)
        self._facts.clear()

    def rehome(self, giver: int, taker: int) -> None:
        """The cards of an account that was emptied into another go with its points.

        In the books they have gone already (Source.move_account): those that are not held are not written here, for
        something else may be happening to them.
        """
        for number in list(self._listings.asked()):
            if (listing := self.find(number)).account == giver:
                moved = msgspec.structs.replace(listing, account=taker)
                if number in self.changed:
                    self._listings.put(number, moved)
                self._listings.learn([number], {number: moved})

    def open(self, number: str, account: int) -> None:
        self.put(number, msgspec.structs.replace(self.find(number), account=account))


def _may_change(listing: Listing) -> bool:
    """A card without an account may be given one; one that is marked may be unmarked, and has a successor."""
    return listing.account is None or listing.marked is not None
