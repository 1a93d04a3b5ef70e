"""The support archive: all that helps, and not one secret or card number of those that were planted."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.doctor.veil import HIDDEN, Veil, secrets_in, words_of
from tests.acceptance.rig import TillProcess, tilld

CARDS = ("2990000000017", "4006381333931", "6280000000000003")
CARD_KEY = "00112233445566778899aabbccddeeff"
PASSPHRASE = "a planted passphrase 42"
NO_LEDGER = "http://127.0.0.1:1"


@pytest.fixture
def till(tmp_path: Path) -> Iterator[TillProcess]:
    keys = tmp_path / "card.keys"
    keys.write_text(f'loyalty-read = "{CARD_KEY}"\n')
    keys.chmod(0o600)
    till = TillProcess(tmp_path / "till", NO_LEDGER, extra=f'[cards]\nkeys = "{keys}"\n')
    till.config.write_text(f"# called {CARDS[2]} by the customer\n# token = {CARD_KEY}\n" + till.config.read_text())
    till.start()
    yield till
    till.kill()


def planted(till: TillProcess) -> set[str]:
    """Every token, every line of a key, every card number."""
    names = ("pos.token", "technician.token", "terminal.key")
    return {*secrets_in(till.state / name for name in names), CARD_KEY, *CARDS}


def bundled(till: TillProcess, file: Path) -> dict[str, str]:
    tilld("doctor", "--config", till.config, "--state", till.state, "--bundle", file, "--json")
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as archive:
        members = {member.name.partition("/")[2]: archive.extractfile(member) for member in archive.getmembers()}
        return {name: content.read().decode() for name, content in members.items() if content}


def sell(till: TillProcess) -> None:
    pos = till.pos()
    for number, card in enumerate(CARDS[:2]):
        receipt = {"number": f"for {CARDS[2]}"}
        assert (
            pos.transaction(f"key {card} {number}", "earn", card={"number": card}, points=5, receipt=receipt)[0] == 201
        )
    pos.close()


def test_nothing_that_was_planted_is_in_the_archive(till: TillProcess, tmp_path: Path) -> None:
    """With the till up and down: tokens, keys, card numbers, idempotency keys with card numbers in them."""
    sell(till)
    assert len(planted(till)) >= 7
    for name in ("up.tar.gz", "down.tar.gz"):
        members = bundled(till, tmp_path / name)
        text = "\n".join(members.values())
        assert [secret for secret in planted(till) if secret in text] == []
        assert members["end-mark.txt"].endswith("complete\n")
        assert json.loads(members["doctor.json"])["complete"] is True
        queue = json.loads(members["queue.json"])
        assert (queue["totals"]["queued"] >= 2, queue["entries"][0]["card"]["masked"]) == (True, "•••• 0017")
        assert "CREATE TABLE" in members["schema.sql"]
        assert "[api]" in members["config.toml"]
        till.stop()


def test_what_cannot_be_had_hides_nothing_else(tmp_path: Path) -> None:
    """No till, no journal, no config: the archive is whole all the same, and says what is missing."""
    file = tmp_path / "b.tar.gz"
    tilld("doctor", "--state", tmp_path / "none", "--bundle", file, "--section", "machine")
    with tarfile.open(file) as archive:
        names = {Path(name).name for name in archive.getnames()}
    assert {"doctor.json", "status.json", "queue.json", "versions.json", "end-mark.txt"} <= names


def test_an_archive_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    done = tilld("doctor", "--state", tmp_path, "--section", "machine", "--bundle", tmp_path / "no/such/folder.tar.gz")
    assert (done.returncode, "could not be written" in done.stderr) == (1, True)


secrets = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789_-", min_size=8, max_size=44)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sets(secrets, min_size=1, max_size=4), json_values, st.text(max_size=20))
def test_no_secret_gets_through_wherever_it_stands(hidden: set[str], value: object, around: str) -> None:
    """In a value, in a name, in the middle of a text; what is shorter than a secret stays."""
    veil = Veil(hidden)
    for secret in hidden:
        shown = json.dumps(veil.value({"a": [value, around + secret + around], secret: secret}), ensure_ascii=False)
        assert secret not in shown.replace(HIDDEN, "\0")


@given(st.integers(10**8, 10**18))
def test_no_card_number_gets_through(number: int) -> None:
    """In any text; numbers that are numbers are times and sizes and stay."""
    assert str(number) not in json.dumps(Veil(()).value({"detail": f"card {number} refused", str(number): 1}))
    assert Veil(()).value({"boottime_ms": number}) == {"boottime_ms": number}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('passphrase = "a planted passphrase 42"', f'passphrase = "{HIDDEN}"'),
        ("  Api_Token='abc'  # mine", f'  Api_Token="{HIDDEN}"# mine'),
        ('keys = "/etc/tilld/card.keys"', 'keys = "/etc/tilld/card.keys"'),
        ('public_key = "abcd"', 'public_key = "abcd"'),
        ('private_key = ""', 'private_key = ""'),
        ('id = "S001-T01"', 'id = "S001-T01"'),
    ],
)
def test_a_config_without_its_secrets(line: str, shown: str) -> None:
    """Values of keys that are called like secrets go; paths, public keys and comments stay."""
    assert Veil(()).config(line).replace(" #", "#") == shown.replace(" #", "#")


def test_words_of_a_key_file(tmp_path: Path) -> None:
    """The lines between a PEM file's headings, the value of a key; a file that is not there has none."""
    pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"
    assert words_of(pem) == {"MC4CAQAwBQYDK2VwBCIEIA=="}
    assert secrets_in([tmp_path / "none"]) == set()


def test_a_passphrase_of_several_words(tmp_path: Path) -> None:
    """Hidden as a whole: each of its words alone may be too short to be one."""
    key = tmp_path / "nexo-key.json"
    key.write_text(json.dumps({"passphrase": PASSPHRASE, "key_version": 1}))
    assert PASSPHRASE not in Veil(secrets_in([key])).text(f"it says {PASSPHRASE}.")
