"""What the taps of a trial say of the reader and of the card, in plain words. Pure: rules in, remarks out."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from terminal.cards.wear import SOON
from terminal.trial.remark_words import CARD_HEADLINES, CARD_OF_REASON, HEADLINES, WORDS
from terminal.trial.taps import Serial, Tap, TapResult

SLOW_MS: Final = 1000
"""A customer who waits longer lifts the card: our own judgement (docs/decisions/0031)."""

About = Literal["reader", "card"]


class Remark(msgspec.Struct, frozen=True):
    """`code` is stable. `fails`: with it the reader does not pass. `advice` is what to do now, empty for nothing."""

    about: About
    code: str
    fails: bool
    say: str
    advice: str


class Judgement(msgspec.Struct, frozen=True):
    """`passed`: the reader has read every tap that was wanted, in time, without breaking down.

    `card_usable`: whether every tap was a card of the programme; None where no tap said anything of it.
    """

    passed: bool
    card_usable: bool | None
    headline: str
    card_headline: str
    remarks: tuple[Remark, ...]


@dataclass(frozen=True)
class Evidence:
    """All that a trial has seen: `wanted` taps, `restarts` of the reader's process meanwhile.

    `trouble` says why the reader is not ready at the end and what mends it, empty when it is.
    """

    wanted: int
    taps: tuple[Tap, ...]
    restarts: int = 0
    trouble: str = ""


def judge(evidence: Evidence) -> Judgement:
    """The whole verdict. Never passes a reader that has not read every wanted tap."""
    remarks = (*_of_the_reader(evidence), *_of_the_card(evidence.taps))
    passed = not any(remark.fails for remark in remarks)
    answered = [tap for tap in evidence.taps if tap.answered]
    usable = all(tap.result is TapResult.IDENTIFIED for tap in answered) if answered else None
    return Judgement(passed, usable, HEADLINES[passed], CARD_HEADLINES[usable], remarks)


def _of_the_reader(evidence: Evidence) -> Iterator[Remark]:
    taps, good = evidence.taps, sum(tap.answered for tap in evidence.taps)
    counted = {"good": good, "taps": len(taps), "wanted": evidence.wanted, "restarts": evidence.restarts}
    if evidence.trouble:
        yield _found("reader", "not_ready", fails=True, trouble=evidence.trouble)
    if evidence.restarts:
        yield _found("reader", "broke_down", fails=True, **counted)
    if not taps:
        yield _found("reader", "no_taps", fails=True)
        return
    if good == 0:
        yield _found("reader", "reads_nothing", fails=True, **counted, why=_causes(taps))
    elif good < len(taps):
        yield _found("reader", "intermittent", fails=True, **counted, why=_causes(taps))
    if len(taps) < evidence.wanted:
        yield _found("reader", "incomplete", fails=True, **counted)
    elif good == len(taps):
        yield _found("reader", "reads_all", fails=False, **counted)
    yield from _speed(taps)


def _speed(taps: Sequence[Tap]) -> Iterator[Remark]:
    times = [tap.took_ms for tap in taps if tap.took_ms is not None]
    if times and _middle(times) > SLOW_MS:
        yield _found("reader", "slow", fails=True, ms=_middle(times), limit=SLOW_MS)


def _middle(figures: Sequence[int]) -> int:
    """The median, the lower one of two."""
    return sorted(figures)[(len(figures) - 1) // 2]


def _causes(taps: Sequence[Tap]) -> str:
    """The reasons of what could not be read, the most frequent first, each with the driver's words."""
    bad = Counter((tap.reason, tap.detail) for tap in taps if not tap.answered)
    return " ".join(f"{count} x {reason}: {detail}" for (reason, detail), count in bad.most_common())


def _of_the_card(taps: Sequence[Tap]) -> Iterator[Remark]:
    """Each remark once, in the order in which the taps gave rise to it."""
    if len(cards := {tap.label for tap in taps if tap.label}) > 1:
        yield _found("card", "several_cards", fails=False, cards=len(cards))
    codes = dict.fromkeys(_card_code(tap) for tap in taps if tap.answered)
    for code in codes:
        yield _found("card", code, fails=False, why=_detail(taps, code))
    wears = [tap.wear for tap in taps if tap.wear is not None]
    if wears and _middle(wears) >= SOON:
        yield _found("card", "worn", fails=False, wear=_middle(wears))


def _card_code(tap: Tap) -> str:
    """What one tap that was read says of the card."""
    if tap.result is TapResult.IDENTIFIED:
        return "usable"
    if tap.reason in {"no_number", "random_uid", "phone"}:
        if tap.technology == "phone" or tap.reason == "phone":
            return "phone_without_pass"
        if tap.serial is Serial.RANDOM:
            return "random_number"
        return "bare_serial" if tap.serial is Serial.FIXED else "no_number"
    return CARD_OF_REASON.get(tap.reason, "refused")


def _detail(taps: Sequence[Tap], code: str) -> str:
    return next(tap.detail for tap in taps if tap.answered and _card_code(tap) == code)


def _found(about: About, code: str, *, fails: bool, **told: object) -> Remark:
    say, advice = WORDS[code]
    return Remark(about, code, fails, say.format(**told), advice.format(**told))
