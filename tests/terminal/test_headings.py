"""What the cashier's screen is headed with when a card brought no customer."""

import pytest

from drivers.base import CardUnreadable
from offline_queue.words import Words
from terminal.counter.failure_words import told
from terminal.counter.headings import heading
from terminal.counter.refusals import WORDS

NOT_READ = Words("The card could not be read", "La carte n'a pas pu être lue")


@pytest.mark.parametrize("reason", sorted(WORDS))
def test_a_card_that_is_refused_was_read(reason: str) -> None:
    """So the screen says what it is, in few words that are not the sentence below them."""
    said, detail = heading(reason), WORDS[reason][0]
    assert said != NOT_READ
    for language in ("en", "fr"):
        assert len(said.said(language)) <= 40
        assert not detail.said(language).startswith(said.said(language))


def test_a_payment_card_and_a_blocked_card_are_called_so() -> None:
    """The two that come most often, and of which the customer asks why."""
    assert heading("payment_card") == Words("Payment card", "Carte de paiement")
    assert heading("card_blocked") == Words("Blocked card", "Carte bloquée")


@pytest.mark.parametrize("reason", ["card_gone", "mute", "damaged", "not_read", "a_later_drivers_reason"])
def test_a_card_that_failed_was_not_read(reason: str) -> None:
    """Also for a reason that only a later driver knows."""
    assert heading(reason) == NOT_READ


@pytest.mark.parametrize(("reason", "what"), [("half_scan", "code"), ("no_code", "code"), ("phone_locked", "phone")])
def test_a_code_and_a_phone_are_no_cards(reason: str, what: str) -> None:
    """Nobody looks for a card where a code was scanned or a phone was held."""
    assert what in heading(reason).en
    assert told(CardUnreadable(reason, "")).en


@pytest.mark.parametrize("reason", ["unreadable", "code_unreadable", "mute", "phone_locked", "no_pass"])
def test_what_was_wrong_is_no_echo_of_the_heading(reason: str) -> None:
    """The line below it says more, in either language."""
    below = told(CardUnreadable(reason, ""))
    assert "be read" not in below.en
    assert "n'a pas pu" not in below.fr
