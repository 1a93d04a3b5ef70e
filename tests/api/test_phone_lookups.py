"""POST /v1/phone-lookups, over a real connection."""

from collections.abc import Callable
from pathlib import Path

from terminal.cards.phone_lookup import PhoneCards
from terminal.pos import CardView, Refusal
from tests.api.conftest import Api, serving
from tests.api.fake_till import FakeTill

FOUND = PhoneCards([CardView("•••• 0017", "2990000000017")])


def asked(till: FakeTill, folder: Path, find: Callable[[str], PhoneCards], phone: object) -> tuple[int, object]:
    with serving(till, folder, find_by_phone=find) as api:
        reply = api.ask("POST", "/v1/phone-lookups", {"phone": phone})
    return reply.status, reply.json


def test_cards_are_told_to_the_pos(till: FakeTill, tmp_path: Path) -> None:
    """Whole, for it needs the number for the sale."""
    status, told = asked(till, tmp_path, lambda _: FOUND, "06 12 34 56 78")
    assert (status, told) == (200, {"cards": [{"masked": "•••• 0017", "number": "2990000000017"}]})


def test_ledger_that_keeps_silent_is_said(till: FakeTill, tmp_path: Path) -> None:
    """With the code that a POS goes by."""

    def silent(_: str) -> PhoneCards:
        raise Refusal("ledger_unreachable", "The ledger did not answer.")

    status, told = asked(till, tmp_path, silent, "06 12 34 56 78")
    assert isinstance(told, dict)
    assert (status, told["code"]) == (503, "ledger_unreachable")


def test_more_than_a_number_is_not_looked_up(till: FakeTill, tmp_path: Path) -> None:
    """Nothing is searched for a text that no phone number has the length of."""
    assert asked(till, tmp_path, lambda _: FOUND, "0" * 33)[0] == 422


def test_shop_without_lookup_says_what_switches_it_on(api: Api) -> None:
    """It is off until somebody has decided for it."""
    reply = api.ask("POST", "/v1/phone-lookups", {"phone": "06 12 34 56 78"})
    assert (reply.status, reply.json["code"]) == (404, "not_found")
    assert "phone_region" in reply.json["detail"]


def test_page_may_not_look_people_up(api: Api) -> None:
    """A phone number's cards are for an authorised POS."""
    assert api.ask("POST", "/v1/phone-lookups", {"phone": "06 12 34 56 78"}, token=None).status == 401
