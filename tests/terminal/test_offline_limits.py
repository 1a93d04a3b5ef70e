"""When a redemption may be promised, and what the cashier hears when not."""

import msgspec
import pytest

from offline_queue.wire_accounts import AllowanceAnswer, Balance
from offline_queue.words import Language
from terminal.promises.offline_limits import refusal

NUMBER = "2990000000017"
BALANCE = Balance(NUMBER, points=120, reserved=100, as_of="2026-03-01T10:00:00Z")


def answer(*, granted: bool, code: str | None = None, balance: Balance | None = None) -> AllowanceAnswer:
    return AllowanceAnswer("r", "a", granted, code, balance)


def test_silence_is_no_promise() -> None:
    """Offline nothing is redeemed, and the words say that nothing has moved."""
    why = refusal(NUMBER, 50, None)
    assert why.code == "offline_limit"
    assert "Aucun point" in why.detail.fr
    assert "le client paie" in why.detail.fr


def test_silence_tells_what_is_promised_already() -> None:
    """A right held ahead of need is smaller than what the customer wants: so much could be redeemed."""
    assert "Redeem at most 30 points" in refusal(NUMBER, 50, None, held=30).detail.en


def test_recovering_books_tell_that_the_points_are_safe() -> None:
    """And when redeeming comes back."""
    why = refusal(NUMBER, 50, answer(granted=False, code="recovering"))
    assert (why.code, why.reason) == ("offline_limit", "recovering")
    assert "sécurité" in why.detail.fr


def test_too_few_points_name_those_that_are_free() -> None:
    """Reserved points belong to another redemption: 120 less 100 leaves 20."""
    why = refusal(NUMBER, 50, answer(granted=False, code="insufficient_points", balance=BALANCE))
    assert why.code == "insufficient_points"
    assert "has 20 points free; the sale asks for 50 points" in why.detail.en
    assert "Redeem at most 20 points" in why.detail.en
    last = answer(granted=False, code="insufficient_points", balance=msgspec.structs.replace(BALANCE, points=101))
    assert "Redeem at most 1 point." in refusal(NUMBER, 50, last).detail.en


@pytest.mark.parametrize(("reserved", "held", "most"), [(120, 50, 50), (100, 50, 50), (60, 50, 60)])
def test_what_this_till_holds_of_the_card_is_the_customer_s_too(reserved: int, held: int, most: int) -> None:
    """The ledger counts it as reserved; the cashier hears the most that one redemption may be of."""
    balance = msgspec.structs.replace(BALANCE, reserved=reserved)
    why = refusal(NUMBER, 110, answer(granted=False, code="insufficient_points", balance=balance), held)
    assert (why.code, f"Redeem at most {most} points" in why.detail.en) == ("insufficient_points", True)
    untold = refusal(NUMBER, 110, answer(granted=False, code="insufficient_points"), held)
    assert "Redeem at most 50 points" in untold.detail.en


@pytest.mark.parametrize("points", [100, 0, -30])
@pytest.mark.parametrize(("language", "pays"), [("en", "let the customer pay"), ("fr", "le client paie")])
def test_where_no_point_is_free_the_customer_pays(points: int, language: Language, pays: str) -> None:
    """All are reserved, or the account is overdrawn: there is no smaller redemption to try."""
    owing = Balance(NUMBER, points, reserved=100, as_of=BALANCE.as_of)
    why = refusal(NUMBER, 50, answer(granted=False, code="insufficient_points", balance=owing))
    assert why.code == "insufficient_points"
    assert pays in why.detail.said(language).lower()
    assert "-" not in why.detail.said(language)


def test_a_word_this_version_does_not_know_is_passed_on() -> None:
    """A technician can look it up; where the ledger gives none, that is said."""
    assert "(out_of_season)" in refusal(NUMBER, 50, answer(granted=False, code="out_of_season")).detail.en
    assert "(no reason given)" in refusal(NUMBER, 50, answer(granted=False)).detail.en


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("insufficient_points", "insufficient_points"),
        ("card_unknown", "card_refused"),
        ("card_blocked_known", "card_refused"),
        ("recovering", "offline_limit"),
        (None, "offline_limit"),
    ],
)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_no_has_words_without_the_card_s_number(code: str | None, expected: str, language: Language) -> None:
    """A code that this version does not know is passed on in words."""
    why = refusal(NUMBER, 50, answer(granted=False, code=code))
    assert why.code == expected
    assert NUMBER not in why.detail.said(language)
    assert "{" not in why.detail.said(language)
