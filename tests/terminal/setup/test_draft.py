"""What answers come to: laid over what was there, checked as a config is, other numbers under another rule."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.config_file import ConfigUnusable
from terminal.cards.identification import CardFormat
from terminal.cards.number_formats import NumberFormat, fits
from terminal.config import Config, Programme, ReaderConfig, RuleName
from terminal.setup.card_numbers import form_of, in_words, refusal
from terminal.setup.draft import Draft, next_rule, overlaid, with_programme

DRAFT = Draft(Config(), boot=False)


def test_answers_are_laid_over_what_was_there() -> None:
    """Key by key; readers as a whole; what is left out stays."""
    was = overlaid(DRAFT, '[terminal]\nstore = "S7"\n[[reader]]\nname = "a"\ndriver = "simulated"', "f")
    answers = '[terminal]\nid = "T9"\nlanguage = "fr"\n[setup]\nboot = true\nsample = "2990000000019"'
    draft = overlaid(was, answers, "f")
    assert (draft.config.terminal.id, draft.config.terminal.store) == ("T9", "S7")
    assert draft.config.readers == (ReaderConfig("a", "simulated"),)
    assert (draft.boot, draft.sample) == (True, "2990000000019")


@pytest.mark.parametrize(
    "answers",
    [
        "[terminl]\nid = 1",
        "[terminal]\nid = 1",
        "terminal = 1",
        "[setup]\nbot = true",
        "setup = 3",
        "[",
        "a = " + "9" * 5000,
    ],
)
def test_answers_with_mistakes_are_told_with_their_file(answers: str) -> None:
    """As mistakes of a config are."""
    with pytest.raises(ConfigUnusable) as unusable:
        overlaid(DRAFT, answers, "shop.toml")
    assert all(problem.where.startswith("shop.toml") for problem in unusable.value.problems)


def test_other_numbers_are_another_rule() -> None:
    """So that the ledger knows who computed what; the same numbers stay under the same name."""
    assert overlaid(DRAFT, "[programme]\npoints = 2", "f").config.programme.rule == "base@2"
    assert overlaid(DRAFT, '[programme]\npoints = 2\nrule = "x@7"', "f").config.programme.rule == "x@7"
    assert overlaid(DRAFT, "[programme]\npoints = 1", "f").config.programme.rule == "base@1"
    again = with_programme(Config(), Programme(), points=3, per=100)
    assert with_programme(again, again.programme, points=3).programme.rule == "base@2"


@given(st.from_regex(r"[A-Za-z0-9._-]{1,48}@[A-Za-z0-9._-]{1,15}", fullmatch=True))
def test_the_next_rule_is_a_rule_and_another_one(rule: str) -> None:
    """Whatever a shop calls its versions."""
    assert msgspec.convert(next_rule(rule), RuleName)
    assert next_rule(rule) != rule


def test_the_form_is_learned_from_one_number() -> None:
    """Its length, beginning and check digit; in words that a shopkeeper can confirm."""
    form = form_of("2990000000019")
    assert form == NumberFormat(13, "299", "ean")
    assert in_words(form) == "13 characters, beginning 299, the check digit of EAN"
    assert in_words(form_of("AB-1")) == "4 characters, beginning AB-, no check digit that this till knows"
    assert "mod97-10" in in_words(NumberFormat(4, "", "mod97-10"))


@given(st.from_regex(r"[0-9A-Za-z-]{1,64}", fullmatch=True))
def test_a_number_has_the_form_that_was_learned_from_it(number: str) -> None:
    """Always: or the shop's own card would be refused."""
    assert fits(number, [form_of(number)])


def test_a_number_is_judged_as_the_till_judges_it() -> None:
    """In words, and without a digit of it."""
    taken = CardFormat(formats=(form_of("2990000000019"),))
    assert refusal("2990000000019", taken) is None
    assert refusal("2990000000026", taken) is None
    for wrong in ("2990000000018", "4111111111111111", "12"):
        why = refusal(wrong, taken)
        assert why
        assert wrong not in why
