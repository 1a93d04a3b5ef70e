"""Events of cards over the API: who may say what, and how it is answered."""

import pytest

from tests.api.conftest import TOKENS, Api

CARD = "2990000000017"


@pytest.mark.parametrize("happening", ["activate", "block"])
def test_the_pos_says_what_has_happened(api: Api, happening: str) -> None:
    """201 once it is durable; a body is not needed."""
    said = api.ask("POST", f"/v1/cards/{CARD}/{happening}")
    assert said.status == 201
    assert (said.json["kind"], said.json["happening"], said.json["state"]) == ("card_event", happening, "queued")
    assert CARD not in said.body.decode()


def test_a_replacement_names_its_successor(api: Api) -> None:
    """Masked in the answer; without one the request does not fit."""
    said = api.ask("POST", f"/v1/cards/{CARD}/replace", {"successor": "2990000000024", "reason": "lost"})
    assert (said.status, said.json["successor"]["masked"]) == (201, "•••• 0024")
    assert api.ask("POST", f"/v1/cards/{CARD}/replace", {}).json["code"] == "invalid"


def test_only_a_technician_unblocks(api: Api) -> None:
    """It lifts a protection of the customer's."""
    refused = api.ask("POST", f"/v1/cards/{CARD}/unblock")
    assert refused.status == 401
    assert "technician.token" in refused.json["detail"]
    assert api.ask("POST", f"/v1/cards/{CARD}/unblock", token=TOKENS.technician).status == 201


def test_nobody_merges_at_a_till(api: Api) -> None:
    """There is no such address."""
    assert api.ask("POST", f"/v1/cards/{CARD}/merge", token=TOKENS.technician).status == 404


def test_a_card_is_fetched_anew(api: Api) -> None:
    """With what it is and whether the ledger has answered."""
    fetched = api.ask("POST", f"/v1/cards/{CARD}/resync")
    assert (fetched.status, fetched.json["status"], fetched.json["reached"]) == (200, "active", True)


@pytest.mark.parametrize("happening", ["activate", "block", "replace", "resync"])
def test_nothing_happens_without_a_token(api: Api, happening: str) -> None:
    """Not even by the page's cookie."""
    assert api.ask("POST", f"/v1/cards/{CARD}/{happening}", token=None).status == 401


def test_endless_numbers_and_keys_are_refused(api: Api) -> None:
    """Before the till hears of them."""
    assert api.ask("POST", f"/v1/cards/{'1' * 1000}/block").json["code"] == "invalid"
    headers = {"Idempotency-Key": "k" * 65}
    assert api.ask("POST", f"/v1/cards/{CARD}/block", **headers).json["code"] == "invalid"
