"""The config that is written is the config that was meant, whatever was answered."""

import tomllib
from datetime import UTC
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal import config
from terminal.cards.number_formats import NumberFormat
from terminal.config import DEFAULT_READERS, SECTIONS, Api, Config, Programme, ReaderConfig, Terminal, parse
from terminal.config_cards import Cards, Links
from terminal.setup.commented import ASKED, HEADER, commented
from terminal.setup.draft import document_of, plain_text
from terminal.setup.toml_values import toml_key, toml_table, toml_value

REFERENCE = Path(config.__file__).with_name("default.toml").read_text()
HOSTILE = st.text(min_size=1, max_size=20) | st.sampled_from(
    [
        '"',
        "\\",
        '"""',
        "'''",
        "\n[api]\nlisten = 1",
        "\x1b[2J",
        "\u202e",
        "\x00",
        "\x7f",
        "#",
        "\\u0041",
        "é",
        "😀",
        "= =",
    ]
)
SHORT = HOSTILE.filter(lambda text: len(text) <= 64)
FACTORS = st.integers(1, 1_000_000)
FORMATS = st.builds(NumberFormat, length=st.integers(1, 64), prefix=SHORT, check=st.sampled_from(["none", "ean"]))
CONFIGS = st.builds(
    Config,
    terminal=st.builds(
        Terminal,
        id=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
        store=SHORT,
        state=HOSTILE,
        language=st.sampled_from(["en", "fr"]),
    ),
    api=st.builds(Api, hosts=st.lists(SHORT, max_size=2).map(tuple)),
    programme=st.builds(Programme, points=FACTORS, per=FACTORS, worth=FACTORS),
    cards=st.builds(
        Cards,
        shortest=st.integers(1, 4),
        prefixes=st.lists(SHORT, max_size=2).map(tuple),
        formats=st.lists(FORMATS, max_size=2).map(tuple),
        bare_uid=st.booleans(),
    ),
    links=st.builds(Links, beginnings=st.lists(HOSTILE.map("https://example.com/{}".format), max_size=2).map(tuple)),
    readers=st.just(DEFAULT_READERS)
    | SHORT.map(lambda match: (ReaderConfig("a", "pcsc", {"match": match}), ReaderConfig("b", "simulated"))),
)
VALUES = st.recursive(
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | HOSTILE
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=120)
@given(VALUES, HOSTILE)
def test_every_value_is_read_as_it_was_written(value: object, key: str) -> None:
    """In one line, under any key, with nothing that a terminal would obey."""
    line = f"{toml_key(key)} = {toml_value(value)}"
    assert tomllib.loads(line) == {key: value}
    assert line.isprintable()


@settings(max_examples=60)
@given(CONFIGS)
def test_the_written_config_loads_with_exactly_these_values(wanted: Config) -> None:
    """All of them, the defaults and the hostile ones, and no other."""
    assert parse(commented(wanted, REFERENCE), "f") == wanted


@settings(max_examples=30)
@given(CONFIGS)
def test_a_plain_document_says_the_same(wanted: Config) -> None:
    """That is how answers are laid over what was there."""
    assert parse(plain_text(document_of(wanted)), "f") == wanted


def test_the_reasons_stay_beside_the_keys() -> None:
    """Every key of every section is there, every comment too; only what was asked or changed is set."""
    text = commented(msgspec.structs.replace(Config(), api=Api(hosts=("till:1",))), REFERENCE)
    for line in REFERENCE.partition("\n\n")[2].splitlines():
        assert line in text or f"#{line}" in text or line in {"hosts = []", *_reader_comments()}
    lines = set(text.splitlines())
    assert text.startswith(HEADER)
    assert {'hosts = ["till:1"]', '#listen = "127.0.0.1:8780"', 'id = "S001-T01"', "#keep_days = 30"} <= lines
    assert all(name in SECTIONS for name in ASKED)


def _reader_comments() -> set[str]:
    return {line for line in REFERENCE.partition("\n[[reader]]")[2].splitlines() if line.startswith("#")}


def test_a_value_over_several_lines_is_replaced_whole() -> None:
    """A reference that is edited for its looks keeps working."""
    reference = REFERENCE.replace("hosts = []", "hosts = [\n]", 1)
    assert "#hosts = [\n#]" in commented(Config(), reference)
    wanted = msgspec.structs.replace(Config(), api=Api(hosts=("a:1",)))
    assert parse(commented(wanted, reference), "f") == wanted


def test_tables_with_a_heading() -> None:
    """One, and one of many."""
    assert toml_table("a", {"b c": 1}) == '[a]\n"b c" = 1'
    assert toml_table("a", {}, one_of_many=True) == "[[a]]"
