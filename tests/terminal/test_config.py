"""A shop's config: read whole, all mistakes told at once, and the reference file true to the code."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.config_file import ConfigUnusable
from terminal import config
from terminal.cards.recognition import recognition_of
from terminal.config import Config, check, find, load, parse
from terminal.config_problems import driver_names, driver_options

REFERENCE = Path(config.__file__).with_name("default.toml")


def problems(text: str) -> dict[str, str]:
    """Where each mistake stands, and its words."""
    try:
        parse(text, "f")
    except ConfigUnusable as unusable:
        return {problem.where: problem.what for problem in unusable.problems}
    return {}


def test_the_reference_file_is_the_built_in_default() -> None:
    """Whoever reads default.toml reads what the till does without a file."""
    assert load(REFERENCE) == load(None) == Config()


def test_the_reference_file_shows_every_key() -> None:
    """A key that is not written there is a key that nobody finds."""
    text = REFERENCE.read_text()
    for name, section in config.SECTIONS.items():
        assert f"[{name}]" in text
        written = text.partition(f"[{name}]")[2].partition("\n[")[0]
        for field in msgspec.structs.fields(section):
            assert f"\n{field.name} = " in written, f"{name}.{field.name}"


def test_all_mistakes_are_told_at_once() -> None:
    """One run of check-config is enough to mend a file."""
    found = problems(
        """
        [terminl]
        [terminal]
        id = 3
        stor = "x"
        [api]
        listen = "0.0.0.0:80"
        [nexo]
        listen = "till:8443"
        [ledger]
        url = "http://user:secret@ledger"
        [cards]
        shortest = 0
        [programme]
        per = "a"
        """
    )
    assert found.keys() == {
        "f:terminl",
        "f:terminal.id",
        "f:terminal.stor",
        "f:api.listen",
        "f:nexo.listen",
        "f:ledger.url",
        "f:cards.shortest",
        "f:programme.per",
    }
    assert "'terminal'" in found["f:terminl"]
    assert "'store'" in found["f:terminal.stor"]


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ('[terminal]\nid = "a b"', "f:terminal.id", "must be 1 to 64 letters, digits"),
        ('[programme]\ncurrency = "euro"', "f:programme.currency", "like 'EUR'; it is 'euro'"),
        ('[mirror]\npeers = ["S001-T02"]', "f:mirror.peers", "`tilld enroll`"),
        (
            '[[reader]]\nname = "gun"\ndriver = "serial_line"\nport = "ttyACM0"',
            "f:reader[1].port",
            "path from the root",
        ),
        ('[terminal]\nlanguage = "de"', "f:terminal.language", "must be one of en, fr; it is 'de'"),
        ('[offline]\nredeem = "yes"', "f:offline.redeem", "must be one of earn_only, allowances, floor; it is 'yes'"),
        ("[cards]\nformats = 3", "f:cards.formats", "must be a list; it is 3"),
        ("[mirror]\nplain_http = 1", "f:mirror.plain_http", "must be true or false; it is 1"),
        ("[cards]\nshortest = 0", "f:cards.shortest", "must be a whole number >= 1; it is 0"),
    ],
)
def test_a_form_is_told_in_words(text: str, where: str, words: str) -> None:
    """A technician reads no regular expressions, no names of a library's types, and what may be chosen."""
    what = problems(text)[where]
    assert words in what
    assert "regex" not in what
    assert "`str`" not in what


def test_a_password_in_an_address_is_not_repeated() -> None:
    """Not even in the words that refuse it."""
    for url in ("http://user:secret@ledger", "ftp://user:secret@ledger"):
        found = problems(f'[ledger]\nurl = "{url}"')
        assert "secret" not in found["f:ledger.url"]


@pytest.mark.parametrize(
    ("ledger", "fine"),
    [
        ('url = "https://ledger.example.com/points"', True),
        ('url = "http://localhost:8790"', True),
        ('url = "http://ledger.example.com"', False),
        ('url = "http://ledger.example.com"\nplain_http = true', True),
        ('url = "ledger.example.com"', False),
        ('url = ""', False),
        ('ca_file = "/no/such/file"', False),
    ],
)
def test_points_do_not_travel_where_anybody_can_change_them(ledger: str, fine: bool) -> None:
    """Plain HTTP to another machine only where the shop says so."""
    assert bool(problems(f"[ledger]\n{ledger}")) is not fine


@pytest.mark.parametrize("listen", ["127.0.0.1:8780", "127.0.0.1:0", "localhost:80", "[::1]:8780"])
def test_the_api_listens_on_this_machine(listen: str) -> None:
    """Every name and port of the loopback is fine."""
    assert problems(f'[api]\nlisten = "{listen}"') == {}


@pytest.mark.parametrize("listen", ["8780", "127.0.0.1", "127.0.0.1:65536", "192.168.1.2:80", "till:80", ":80", ""])
def test_the_api_listens_nowhere_else(listen: str) -> None:
    """Tokens travel in the clear."""
    assert problems(f'[api]\nlisten = "{listen}"').keys() == {"f:api.listen"}


def test_a_reader_is_checked_against_its_driver() -> None:
    """A driver's name and its own keys have a did-you-mean too."""
    found = problems(
        """
        [[reader]]
        name = "a"
        driver = "simulatd"
        [[reader]]
        name = "a"
        driver = "simulated"
        nonsense = 1
        [[reader]]
        driver = 3
        [[reader]]
        name = "B C"
        driver = "base"
        """
    )
    assert "'simulated'" in found["f:reader[1].driver"]
    assert "taken" in found["f:reader[2].name"]
    assert "nonsense" in found["f:reader[2].nonsense"]
    assert found.keys() >= {"f:reader[3].name", "f:reader[3].driver", "f:reader[4].name", "f:reader[4].driver"}


def test_drivers_are_found_by_their_files() -> None:
    """Each has an option schema; base and worker are none."""
    names = driver_names()
    assert {"simulated", "pcsc"} <= set(names)
    assert not {"base", "worker"} & set(names)
    assert all(driver_options(name) for name in names)
    assert driver_options("../evil") is None
    assert driver_options("no_such") is None


def test_readers_that_are_written_replace_the_built_in_ones() -> None:
    """One [[reader]] means one reader."""
    readers = parse('[[reader]]\nname = "counter"\ndriver = "simulated"', "f").readers
    assert [(reader.name, reader.driver) for reader in readers] == [("counter", "simulated")]


@pytest.mark.parametrize(
    "text", ["reader = 1", "[reader]\nname = 1", "reader = [1]", "terminal = 1", "[terminal", "\0"]
)
def test_text_of_another_form_is_a_problem(text: str) -> None:
    """Never a traceback."""
    assert problems(text)


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """Missing, a folder, or no text."""
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    for path in (tmp_path / "missing.toml", tmp_path, binary):
        assert [problem.where for problem in check(path)] == [str(path)]


def test_the_given_file_wins_over_the_system_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without either the built-in defaults count."""
    monkeypatch.setattr(config, "SYSTEM_FILE", tmp_path / "tilld.toml")
    assert find(None) is None
    (tmp_path / "tilld.toml").write_text("")
    assert find(None) == tmp_path / "tilld.toml"
    assert find(tmp_path / "other.toml") == tmp_path / "other.toml"


VALUES = st.recursive(
    st.one_of(st.integers(-5, 100), st.booleans(), st.text("ab:/.", max_size=6).map(repr), st.just("1.5")),
    lambda inner: st.lists(inner, max_size=2).map(lambda items: "[" + ", ".join(map(str, items)) + "]"),
    max_leaves=3,
)
KEYS = st.sampled_from(
    [field.name for section in config.SECTIONS.values() for field in msgspec.structs.fields(section)]
)


@given(
    sections=st.dictionaries(
        st.sampled_from([*config.SECTIONS, "other"]), st.dictionaries(KEYS, VALUES, max_size=4), max_size=4
    )
)
@settings(max_examples=150)
def test_any_document_is_a_config_or_a_list_of_mistakes(sections: dict[str, dict[str, object]]) -> None:
    """Every mistake has a place in the file."""
    lines = [f"[{name}]\n" + "".join(f"{k} = {str(v).lower() if isinstance(v, bool) else v}\n" for k, v in keys.items())
             for name, keys in sections.items()]  # fmt: skip
    found = problems("\n".join(lines))
    assert all(where.startswith("f:") or where == "f" for where in found)


def keys_file(folder: Path, content: str, mode: int = 0o600) -> Path:
    path = folder / "card.keys"
    path.touch(mode=0o600)
    path.write_text(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("text", "where", "word"),
    [
        ('[sdm]\naddress = "https://l.example/t?x"', "sdm.address", "without ?"),
        ('[sdm]\nnumber = "file"', "sdm.file", "named"),
        ('[sdm]\ndiversification = "0102"', "sdm.diversification", "9 to 24 bytes"),
        ('[codes]\npattern = "{number}"', "codes.pattern", "totp_value_0"),
        ('[codes]\nissuers = ["00"]', "codes.issuers", ""),
        ('[links]\nhosts = ["https://id.example.com"]', "links.hosts", "without port"),
        ('[links]\nbeginnings = ["l.example/c/"]', "links.beginnings", "https://"),
        ('[sdm]\naddress = "https://l.example/t"', "cards.keys", "name the file"),
        ('[cards]\nkeys = "/nowhere/card.keys"', "cards.keys", "cannot be read"),
        ('[cards]\nformats = [{ prefix = "299", lenght = 13 }]', "cards.formats", "lenght"),
        ('[cards]\nformats = [{ prefix = "299", length = 13, check = "crc" }]', "cards.formats", "crc"),
    ],
)
def test_what_is_wrong_with_cards_is_told(text: str, where: str, word: str) -> None:
    """Before the till starts, with the key that is wrong."""
    assert word in problems(text)[f"f:{where}"]


def test_keys_that_are_missing_or_open_are_told(tmp_path: Path) -> None:
    """check-config looks into the file, and repeats nothing of it."""
    text = f'[cards]\nkeys = "{tmp_path / "card.keys"}"\n[sdm]\naddress = "https://l.example/t"\n'
    keys_file(tmp_path, 'sdm-meta = "00"')
    assert "1 bytes, not 16" in problems(text)["f:cards.keys"]
    keys_file(tmp_path, f'sdm-meta = "{"00" * 16}"')
    assert "'sdm-file'" in problems(text)["f:cards.keys"]
    whole = f'sdm-meta = "{"00" * 16}"\nsdm-file = "{"ab" * 16}"'
    keys_file(tmp_path, whole, 0o644)
    assert "chmod 600" in problems(text)["f:cards.keys"]
    keys_file(tmp_path, whole)
    assert problems(text) == {}
    rule = recognition_of(parse(text, "f")).sdm
    assert rule is not None
    assert "abab" not in repr(rule)


def test_without_a_word_on_cards_nothing_is_needed() -> None:
    """No key file, no dynamic cards, no codes, no links: any number of the programme's lengths."""
    recognition = recognition_of(Config())
    assert (recognition.sdm, recognition.rotating, recognition.signed) == (None, None, None)


@pytest.mark.parametrize("origin", ["https://pos.example.com", "https://pos.example:8443", "http://127.0.0.1:5173"])
def test_a_page_that_may_ask_is_named_by_its_origin(origin: str) -> None:
    """Over TLS, or from this machine itself."""
    assert problems(f'[api]\norigins = ["{origin}"]') == {}


@pytest.mark.parametrize(
    ("origin", "word"),
    [
        ("*", "no wildcards"),
        ("null", "no wildcards"),
        ("https://*.example.com", "no wildcards"),
        ("https://", "one whole origin"),
        ("https://[::", "one whole origin"),
        ("https://a:99999", "one whole origin"),
        ("ftp://pos.example.com", "one whole origin"),
        ("https://pos.example.com/", "'https://pos.example.com'"),
        ("https://pos.example.com:443", "'https://pos.example.com'"),
        ("https://POS.example.com", "'https://pos.example.com'"),
        ("https://user@pos.example.com", "'https://pos.example.com'"),
        ("http://pos.example.com", "must be https"),
    ],
)
def test_an_origin_that_no_browser_sends_is_told(origin: str, word: str) -> None:
    """It would be compared byte by byte and never fit; and wildcards do not exist."""
    assert word in problems(f'[api]\norigins = ["{origin}"]')["f:api.origins"]


def test_a_proxy_for_nobody_is_told() -> None:
    """A switch without an address lets no Odoo in, and nobody would see why."""
    assert "must name the address of your Odoo" in problems("[hw_proxy]\nenabled = true")["f:hw_proxy.origins"]
    assert "no wildcards" in problems('[hw_proxy]\norigins = ["*"]')["f:hw_proxy.origins"]
    assert problems('[hw_proxy]\nenabled = true\norigins = ["https://shop.odoo.com"]') == {}
