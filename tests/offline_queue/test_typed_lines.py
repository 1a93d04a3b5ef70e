"""What a person types: understood in any dress, and a slip is pinned to its line."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.typed_lines import ALPHABET, LINE, CutShort, Mistyped, decode, encode

DATA = bytes(range(100, 180))
LINES = encode(DATA)
"""Six full lines and one of eight characters."""


def symbols(line: str) -> str:
    return line.partition(". ")[2].replace(" ", "")


@given(st.binary(min_size=1, max_size=200))
def test_whatever_is_written_can_be_typed(data: bytes) -> None:
    """With the lines' numbers, without them, and all in one."""
    lines = encode(data)
    assert decode("\n".join(lines)) == decode(" ".join(lines)) == data
    assert decode("\n".join(map(symbols, lines))) == decode("".join(map(symbols, lines))) == data


def test_it_looks_as_it_is_told() -> None:
    """Numbered lines, groups of five, a check."""
    assert re.fullmatch(r"1\. (\w{5} ){4}\w", LINES[0])
    assert len(LINES) == 7
    assert {len(symbols(line)) for line in LINES[:-1]} == {LINE + 1}


@pytest.mark.parametrize(
    "dress",
    [
        str.lower,
        lambda text: text.replace(" ", "-").replace(".-", ". "),
        lambda text: text.replace("0", "o").replace("1", "l").replace("l.", "1."),
        lambda text: text.replace("1", "I").replace("I.", "1.").replace("0", "O"),
        lambda text: text.replace(". ", ") "),
        lambda text: text.replace("\n", " / "),
        lambda text: "\r\n".join(["", *text.split("\n"), "  "]),
    ],
)
def test_it_is_understood_in_any_dress(dress: "object") -> None:
    """Small letters, hyphens, O for 0, I and L for 1, other marks between lines."""
    assert decode(dress("\n".join(LINES))) == DATA  # type: ignore[operator]


@given(st.integers(0, 6), st.integers(0, LINE), st.integers(1, 31))
def test_a_wrong_character_is_found_in_its_line(line: int, place: int, by: int) -> None:
    """Every single one, the check itself included."""
    text = symbols(LINES[line])
    place = min(place, len(text) - 1)
    wrong = ALPHABET[(ALPHABET.index(text[place]) + by) % 32]
    with pytest.raises(Mistyped) as slip:
        decode("\n".join([*LINES[:line], text[:place] + wrong + text[place + 1 :], *LINES[line + 1 :]]))
    assert slip.value.line == line + 1


@given(st.integers(0, 6), st.integers(0, LINE - 1))
def test_exchanged_neighbours_are_found_in_their_line(line: int, place: int) -> None:
    """The commonest slip after a wrong key."""
    text = symbols(LINES[line])
    place = min(place, len(text) - 2)
    if text[place] == text[place + 1]:
        return
    wrong = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    with pytest.raises(Mistyped) as slip:
        decode("\n".join([*LINES[:line], wrong, *LINES[line + 1 :]]))
    assert slip.value.line == line + 1


def test_lines_that_end_within_a_byte_are_cut_short() -> None:
    """All of them fit; whoever typed them stopped too soon."""
    with pytest.raises(CutShort, match="line 3 is not the last") as slip:
        decode("\n".join(LINES[:3]))
    assert slip.value.line == 3


@pytest.mark.parametrize(("first", "second"), [(0, 1), (2, 5)])
def test_exchanged_lines_are_found(first: int, second: int) -> None:
    """A line fits only where it belongs."""
    texts = [symbols(line) for line in LINES]
    texts[first], texts[second] = texts[second], texts[first]
    with pytest.raises(Mistyped) as slip:
        decode("\n".join(texts))
    assert slip.value.line == first + 1


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: [lines[0][:-3], *lines[1:]], 1),
        (lambda lines: [*lines[:3], lines[3] + "A", *lines[4:]], 4),
        (lambda lines: [*lines[:1], lines[1][:-1] + "U", *lines[2:]], 2),
        (lambda lines: [*lines[:5], lines[6]], 6),
        (lambda _: ["", " \n"], 0),
        (lambda _: ["0"], 1),
    ],
)
def test_other_slips_name_the_line_too(change: "object", line: int) -> None:
    """Too short, too long, a letter of no code, a missing line, nothing."""
    with pytest.raises(Mistyped) as slip:
        decode("\n".join(change(LINES)))  # type: ignore[operator]
    assert slip.value.line == line


@given(st.text(max_size=200) | st.text(ALPHABET + " .\n1", max_size=200))
def test_no_text_can_break_it(text: str) -> None:
    """Bytes or Mistyped, nothing else."""
    try:
        data = decode(text)
    except Mistyped:
        return
    assert decode("\n".join(encode(data))) == data


def test_a_missing_line_and_a_guess_seldom_pass() -> None:
    """Random lines fit their check about once in 32: the signature decides in the end."""
    chance = random.Random(1)
    fitting = 0
    for _ in range(2000):
        try:
            decode("".join(chance.choices(ALPHABET, k=17)))
            fitting += 1
        except Mistyped:
            continue
    assert fitting < 200
