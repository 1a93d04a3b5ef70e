"""Check digits: published numbers, the slips that each system catches, and where two digits may be exchanged."""

from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from terminal.cards.check_digits import ALPHANUMERIC, MOST_PAIRS, SYSTEMS, System, transposed

RIGHT: list[tuple[System, str]] = [
    ("ean", "4006381333931"),
    ("ean", "96385074"),
    ("ean", "036000291452"),
    ("ean", "411369833821910265"),
    ("luhn", "79927398713"),
    ("mod11-2", "07940"),
    ("mod11-2", "079X"),
    ("mod37-2", "G123489654321Y"),
    ("mod97-10", "79444"),
    ("mod97-10", "9999123456789012141490"),
    ("mod11-10", "07945"),
    ("mod11-10", "002006673085"),
    ("mod37-36", "A12425GABC1234002M"),
]


@pytest.mark.parametrize(("system", "number"), RIGHT)
def test_published_numbers_are_right(system: System, number: str) -> None:
    """EAN and UPC of the GS1 specifications, a GSRN, Luhn's example, ISO/IEC 7064's and the GRid's."""
    assert SYSTEMS[system](number)


@pytest.mark.parametrize(("system", "number"), RIGHT)
def test_one_wrong_digit_is_always_caught(system: System, number: str) -> None:
    """Every system catches every single slip, wherever it is."""
    alphabet = ALPHANUMERIC if system.startswith("mod37") else "0123456789"
    for at, old in enumerate(number):
        for new in alphabet:
            if new != old:
                assert not SYSTEMS[system](number[:at] + new + number[at + 1 :])


@given(st.text("0123456789", min_size=4, max_size=18), st.sampled_from(["mod11-2", "mod97-10", "mod37-2"]))
def test_the_pure_systems_catch_every_exchange_of_neighbours(body: str, system: System) -> None:
    """Which EAN and Luhn do not: there 1 and 6, or 0 and 9, may be exchanged unseen."""
    number = next((n for n in with_checks(body, system) if SYSTEMS[system](n)), None)
    assume(number is not None)
    assert number is not None
    for at in range(len(number) - 1):
        exchanged = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
        assert exchanged == number or not SYSTEMS[system](exchanged)


def with_checks(body: str, system: System) -> list[str]:
    if system == "mod97-10":
        return [f"{body}{check:02}" for check in range(100)]
    return [body + check for check in ALPHANUMERIC + "*"]


@pytest.mark.parametrize(
    ("system", "alphabet", "sign", "checks"),
    [
        ("mod11-2", "0123456789", "X", 1),
        ("mod37-2", ALPHANUMERIC, "*", 1),
        ("mod97-10", "0123456789", "", 2),
        ("mod11-10", "0123456789", "", 1),
        ("mod37-36", ALPHANUMERIC, "", 1),
    ],
)
def test_the_sign_above_the_alphabet_is_a_check_character_alone(
    system: System, alphabet: str, sign: str, checks: int
) -> None:
    """Each body has one right ending of its own; with the sign within the body no ending is right."""
    endings = ["".join(ending) for ending in product(alphabet + sign, repeat=checks)]
    for body in ("7", "07", "794"):
        assert len([ending for ending in endings if SYSTEMS[system](body + ending)]) == 1
    if sign:
        assert not any(SYSTEMS[system](f"{front}{sign}{end}") for front in ["", *alphabet] for end in alphabet + sign)


@pytest.mark.parametrize("system", ["mod11-2", "mod37-2", "mod97-10", "mod11-10", "mod37-36"])
def test_a_check_character_alone_is_no_number(system: System) -> None:
    """There is nothing that it would check."""
    length = 2 if system == "mod97-10" else 1
    endings = ["".join(ending) for ending in product("0123456789", repeat=length)]
    assert not any(SYSTEMS[system](ending) for ending in ["", *endings])


@given(st.integers(0, 11))
def test_the_exchanged_pair_is_pointed_at(at: int) -> None:
    """By its place, counted from 1; never more places than would help."""
    right = "4006381333931"
    wrong = right[:at] + right[at + 1] + right[at] + right[at + 2 :]
    if not SYSTEMS["ean"](wrong):
        places = transposed(wrong, "ean")
        assert not places or at + 1 in places
        assert len(places) <= MOST_PAIRS


@given(st.text(max_size=30), st.sampled_from(sorted(SYSTEMS)))
def test_any_text_is_right_or_not(text: str, system: System) -> None:
    """Letters, signs and digits of other scripts are no digits."""
    if not text.isascii() and system != "none":
        assert not SYSTEMS[system](text)
    assert isinstance(SYSTEMS[system](text), bool)
    transposed(text, system)
