"""Bar codes: what is certain, at any angle, and EAN-13 by likelihood."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.decoding import bars, ean_model, ean_strip, ean_trellis, engines, ladder, profile
from drivers.decoding.certainty import certain, check_digit_holds
from drivers.decoding.ean_model import BLURS
from drivers.decoding.symbol import EVERYTHING, Sighting, Symbology, Wanted
from tests.virtual import worn


def with_check(digits: str) -> str:
    return digits + str(-sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10)


def sighting(
    text: str, *, height: float = 40, top: float = 10, kind: Symbology = Symbology.EAN13, **more: object
) -> Sighting:
    quad = ((10.0, top), (110.0, top), (110.0, top + height), (10.0, top + height))
    said = {"raw": b"", "valid": True, "engine": "zxing", **more}
    return Sighting(kind, text, quad=quad, **said)  # type: ignore[arg-type]


@given(st.text("0123456789", min_size=12, max_size=12), st.sampled_from(BLURS), st.floats(0, 0.08))
@settings(max_examples=30)
def test_every_code_is_its_own_likeliest(digits: str, blur: ean_model.Blur, noise: float) -> None:
    """Through any blur of the model and some noise the code that was printed fits best."""
    code = with_check(digits)
    clean = ean_model.predicted(code, blur)
    rng = np.random.default_rng(int(digits) % 2**32)
    samples = (clean + rng.normal(0, noise * ean_model.usual(blur)[1], clean.shape)).astype(np.float32)
    found = ean_trellis.best(samples, blur)
    assert found.digits == code
    assert found.gap > 0


def test_the_runner_up_is_the_next_code_and_not_the_same_one() -> None:
    """The gap to the second is what exchanging the code in the samples costs."""
    blur = BLURS[1]
    first, second = with_check("978034546095"), with_check("978034546095"[:11] + "6")
    halfway = (ean_model.predicted(first, blur) + ean_model.predicted(second, blur)) / 2
    assert ean_trellis.best(halfway, blur).gap == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("one", "others", "believed"),
    [
        (sighting("4006381333931"), [], True),
        (sighting("4006381333932"), [], False),
        (sighting("4006381333931", height=12), [sighting("4006381333948", height=30)], False),
        (sighting("4006381333931"), [sighting("4006381333948", height=3, valid=False)], False),
        (
            sighting("4006381333931"),
            [sighting("4006381333948", height=3, valid=False), sighting("4006381333931", engine="zbar")],
            True,
        ),
        (
            sighting("4006381333931", engine="soft"),
            [sighting("4006381333948"), sighting("4006381333931", height=3)],
            True,
        ),
        (sighting("4006381333931", engine="soft"), [sighting("4006381333948", height=3)], False),
        (sighting("4006381333931", height=30), [sighting("4006381333948", height=12)], False),
        (
            sighting("4006381333931", height=30),
            [sighting("4006381333948", height=12), sighting("4006381333931", engine="zbar")],
            False,
        ),
        (sighting("4006381333931", height=12), [sighting("4006381333948", height=40, top=50)], False),
        (sighting("4006381333931", height=12), [sighting("4006381333948", height=40, top=90)], True),
        (sighting("4006381333931", height=6), [], False),
        (sighting("4006381333931", height=8), [], True),
        (sighting("4006381333931", engine="zbar", lines=39), [], False),
        (sighting("4006381333931", engine="zbar", lines=40), [], True),
        (sighting("0049040000014", height=20, short_form=True), [], False),
        (sighting("AB1", kind=Symbology.CODE128), [], False),
        (sighting("AB12", kind=Symbology.CODE128), [], True),
        (sighting("1234567", kind=Symbology.ITF), [], False),
        (sighting("CODE39", kind=Symbology.CODE39, height=2), [], False),
        (sighting("CLUB-77", kind=Symbology.PDF417, spare=0.0), [], False),
        (sighting("CLUB-77", kind=Symbology.PDF417, spare=0.3), [], True),
        (sighting("CLUB-77", kind=Symbology.QR, spare=0.0), [], True),
        (sighting("蹬靼翌QR", kind=Symbology.QR, engine="zbar"), [], False),
        (sighting("CLUB-77", kind=Symbology.QR, engine="zbar"), [], True),
        (sighting("CODE39", kind=Symbology.CODE39, engine="zbar"), [sighting("CODE39", kind=Symbology.CODE39)], True),
    ],
)  # fmt: skip
def test_only_the_certain_is_believed(one: Sighting, others: list[Sighting], *, believed: bool) -> None:
    """Check digits, agreeing lines and the conflict rule, symbology by symbology."""
    assert certain(one, [one, *others], EVERYTHING) is believed


def test_a_soft_read_seconds_what_an_engine_has_read_and_nothing_else() -> None:
    """Where an engine was not believed, the likeliest code of the same bars decides."""
    card = worn.worn("ean13", 2, 1)
    [strip, *_] = bars.strips(card.picture)
    reads = ean_strip.likely(profile.bands(profile.straightened(strip.picture)))
    seconded = ean_strip.seconded(reads, {"4006381333931", card.text})
    assert seconded is not None
    assert seconded.digits == card.text
    assert ean_strip.seconded(reads, {"4006381333931"}) is None
    assert ean_strip.seconded([], {card.text}) is None


def test_what_is_not_wanted_is_not_told() -> None:
    """A shop that prints QR codes is not bothered with the bar code on a bottle."""
    picture = worn.worn("ean13", 0, 1).picture
    assert ladder.read(picture)
    assert ladder.read(picture, Wanted(frozenset({Symbology.QR}))) == ()


@pytest.mark.parametrize("text", ["4006381333931", "96385074"])
def test_check_digits_of_gs1(text: str) -> None:
    """The examples of the GS1 General Specifications hold, and no single digit may change."""
    assert check_digit_holds(text)
    assert not check_digit_holds(text[:-1] + str((int(text[-1]) + 1) % 10))
    assert not check_digit_holds("²" + text[1:])


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("01234565", "0012345000065"),
        ("05096893", "0050968000093"),
        ("04963406", "0049000006346"),
        ("123456789012", "0123456789012"),
    ],
)
def test_upc_is_told_as_the_ean_that_it_abbreviates(short: str, long: str) -> None:
    """One article has one number, however it is printed."""
    assert engines.digits13(short) == long
