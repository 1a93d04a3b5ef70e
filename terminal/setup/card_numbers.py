"""What one card number tells of all the numbers of its programme. Pure."""

from typing import Final

from terminal.cards.check_digits import SYSTEMS, System
from terminal.cards.identification import CardFormat, Identified, identify_number
from terminal.cards.number_formats import NumberFormat

LIKELY: Final[tuple[System, ...]] = ("ean", "luhn", "mod97-10", "mod11-10", "mod11-2", "mod37-36", "mod37-2")
"""The commoner one first, where a number fits several by chance."""
PREFIX: Final = 3
"""Characters taken for the programme's own beginning; GS1 gives 20 to 29 to shops."""
SYSTEM_WORDS: Final[dict[System, str]] = {
    "none": "no check digit that this till knows",
    "ean": "the check digit of EAN",
    "luhn": "the check digit of Luhn",
}


def form_of(sample: str) -> NumberFormat:
    """A guess to be confirmed by a person: one number in ten fits a check digit by chance."""
    check: System = next((system for system in LIKELY if SYSTEMS[system](sample)), "none")
    return NumberFormat(len(sample), sample[:PREFIX] if len(sample) > PREFIX else "", check)


def in_words(form: NumberFormat) -> str:
    """English, for the technician."""
    check = SYSTEM_WORDS.get(form.check, f"the check characters of ISO/IEC 7064 {form.check}")
    beginning = f"beginning {form.prefix}" if form.prefix else "any beginning"
    return f"{form.length} characters, {beginning}, {check}"


def refusal(sample: str, card_format: CardFormat) -> str | None:
    """Why the till would not take this number, None when it does; no digit of it is repeated."""
    verdict = identify_number(sample, card_format)
    return None if isinstance(verdict, Identified) else verdict.detail.en
