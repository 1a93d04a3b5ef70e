"""Claim codes that customers bring back: read, proven as far as this till can, recorded once."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future

from msgspec.structs import asdict, replace

from offline_queue.claim_codes import KEY_PREFIX, Code, Unreadable, read
from offline_queue.counted import in_points
from offline_queue.entry import Card, Claim, Entry, Kind, masked
from offline_queue.store import JournalReader
from offline_queue.words import Words
from terminal.claims.shapes import ClaimAnswer, ClaimView, Proof
from terminal.claims.words import words
from terminal.inbox import Answered, ClaimAsked
from terminal.pos import CardNumber, CardView, Refusal, TransactionAnswer
from terminal.sales.recording import Recording
from terminal.sales.replies import answer, refusing
from terminal.sales.stamps import Stamps


class Claims:
    """Used by the till's thread alone.

    `keys` tells the public keys of a terminal that this till holds, `card` identifies the card of a request, and `kin`
    tells the other numbers of a card that was replaced or merged.
    """

    def __init__(
        self,
        keys: Callable[[str], Sequence[bytes]],
        card: Callable[[CardNumber], Card],
        kin: Callable[[str], Iterable[str]],
        journal: JournalReader,
        recording: Recording,
        stamps: Stamps,
    ) -> None:
        self._keys = keys
        self._card = card
        self._kin = kin
        self._journal = journal
        self._recording = recording
        self._stamps = stamps

    def view(self, text: str) -> ClaimView:
        """Raises Refusal."""
        code = self._read(text)
        sale, proof, has = code.sale, self._proof(code), self._credited(code)
        undone = proof is not Proof.UNPROVEN and self._is_undone(code)
        of = words("reversed") if undone else words("claimed", card=masked(has)) if has else self._of(proof, code)
        return ClaimView(
            code=code.text,
            terminal=sale.terminal,
            id=sale.id,
            idempotency_key=sale.key,
            points=sale.points,
            occurred_at=sale.occurred_at,
            receipt=sale.receipt,
            store=sale.store,
            on_card=sale.card is not None,
            proof=proof,
            claimed=CardView(masked(has)) if has else None,
            detail=of,
        )

    def asked(self, event: ClaimAsked) -> None:
        """The same code for the same card hears the first answer again. `event.reply` is answered once."""
        with refusing(event.reply):
            self._redeem(self._read(event.code), self._card(event.card), event.reply)

    def found(self, code: Code, card: Card, reply: "Future[Answered]") -> None:
        """A code that the card itself carries; `reply` is answered once, as that of a request."""
        with refusing(reply):
            self._redeem(code, card, reply)

    def _redeem(self, code: Code, card: Card, reply: "Future[Answered]") -> None:
        key = f"{KEY_PREFIX}{code.sale.key}"
        digest = hashlib.sha256(code.raw + card.number.encode()).digest()[:16]
        if self._recording.join(key, digest, reply) or self._known(code, key, digest, reply):
            return
        proof = self._proof(code)
        if proof is Proof.UNPROVEN:
            raise Refusal("claim_unproven", self._of("unproven", code), "signature")
        if code.sale.card is not None and not self._on(code, card.number):
            raise Refusal("claim_unproven", self._of("other_card", code), "other_card")
        if self._is_undone(code):
            raise Refusal("claimed", words("reversed"), "reversed")
        flight = self._recording.take_off(key, digest, reply)
        self._recording.commit(
            flight, self._entry(code, key, card), shaped=lambda said: self._answer(said, code, proof)
        )

    def _on(self, code: Code, number: str) -> bool:
        """Whether the sale was made with this card, or with one that it stands for by now."""
        return code.sale.on(number) or any(map(code.sale.on, self._kin(number)))

    def _read(self, text: str) -> Code:
        try:
            return read(text)
        except Unreadable as why:
            raise Refusal("claim_unreadable", words(why.fault, line=why.line), why.fault) from None

    def _known(self, code: Code, key: str, digest: bytes, reply: "Future[Answered]") -> bool:
        """True when this till has answered the same before. Raises Refusal where another card has the points."""
        found = self._journal.find_key(key)
        if found is not None and found.digest == digest:
            answer(reply, Answered(found.reply, replayed=True))
            return True
        if (has := self._credited(code)) is not None:
            raise Refusal("claimed", words("claimed", card=masked(has)))
        return False

    def _credited(self, code: Code) -> str | None:
        """The card that has the points, as far as this till knows: by the sale itself, or by an earlier claim."""
        keys = (code.sale.key, f"{KEY_PREFIX}{code.sale.key}")
        entries = (found.entry for found in map(self._journal.find_key, keys) if found)
        kinds = {Kind.EARN, Kind.CLAIM}
        return next((entry.card.number for entry in entries if entry.card and entry.kind in kinds), None)

    def _is_undone(self, code: Code) -> bool:
        """Whether all points of the sale were taken back at this till."""
        return 0 < code.sale.points <= self._journal.reversed_points(code.sale.id)

    def _proof(self, code: Code) -> Proof:
        keys = self._keys(code.sale.terminal)
        if not keys:
            return Proof.UNKNOWN_TILL
        return Proof.PROVEN if code.proven(keys) else Proof.UNPROVEN

    def _entry(self, code: Code, key: str, card: Card) -> Entry:
        entry = self._stamps.stamp().entry(Kind.CLAIM, key)
        claim = Claim(code.sale.terminal, code.sale.id, code.text)
        return replace(entry, points=code.sale.points, card=card, claim=claim)

    def _answer(self, said: TransactionAnswer, code: Code, proof: Proof) -> ClaimAnswer:
        told = {name: value for name, value in asdict(said).items() if name in ClaimAnswer.__struct_fields__}
        card = said.card.masked if said.card else ""
        what = "redeemed" if proof is Proof.PROVEN else proof
        return ClaimAnswer(**told, sale=code.sale.id, proof=proof, detail=self._of(what, code, card=card))

    def _of(self, what: str, code: Code, **more: object) -> Words:
        sale = code.sale
        left = max(0, sale.points - self._journal.reversed_points(sale.id))
        return words(what, points=in_points(left), terminal=sale.terminal, **more)
