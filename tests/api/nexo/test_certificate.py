"""The certificate: made once, kept private, renewed in time, and worth nothing for any other site."""

import asyncio
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from terminal.api.nexo.certificate import CA_FILE, CA_KEY_FILE, FILE, common_name, ensure
from terminal.api.nexo.server import certified, renewing

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CLIENTS_RULE = re.compile(
    r"^(([a-zA-Z0-9]+-[a-zA-Z0-9]+)|legacy-terminal-certificate)\.(live|test)\.terminal\.adyen\.com$"
)
"""As it stands in the client library (helpers/checkServerIdentity.js)."""


def made(state: Path, now: datetime = NOW, poi: str = "S001-T01", host: str = "127.0.0.1") -> bool:
    return ensure(state, poi, host, now)


def certificate(state: Path, name: str = FILE) -> x509.Certificate:
    return x509.load_pem_x509_certificate((state / name).read_bytes())


@pytest.mark.parametrize("poi", ["S001-T01", "a.b_c", "-", "x" * 64, "..."])
def test_its_name_is_one_that_the_client_takes(poi: str) -> None:
    """Whatever the till is called, in at most the 64 characters that X.520 allows."""
    assert CLIENTS_RULE.match(common_name(poi))
    assert len(common_name(poi)) <= 64


def test_it_is_made_once_and_for_one_user(tmp_path: Path) -> None:
    """A second start changes nothing, so that what the POS trusts stays."""
    assert made(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) == {CA_FILE, CA_KEY_FILE, FILE}
    assert not made(tmp_path)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_no_two_tills_share_one(tmp_path: Path) -> None:
    """Nothing of it is shipped."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        made(tmp_path / name)
    assert certificate(tmp_path / "one").public_key() != certificate(tmp_path / "other").public_key()


def test_it_is_renewed_under_the_same_authority(tmp_path: Path) -> None:
    """The POS has pinned the authority and never hears of it."""
    made(tmp_path)
    authority, first = certificate(tmp_path, CA_FILE), certificate(tmp_path)
    assert not made(tmp_path, NOW + timedelta(days=300))
    assert made(tmp_path, NOW + timedelta(days=360))
    second = certificate(tmp_path)
    assert second.not_valid_after_utc > first.not_valid_after_utc
    assert certificate(tmp_path, CA_FILE) == authority
    second.verify_directly_issued_by(authority)


def test_another_name_another_certificate(tmp_path: Path) -> None:
    """It names the till and the address that it listens on."""
    made(tmp_path)
    assert made(tmp_path, poi="S002-T01")
    assert made(tmp_path, poi="S002-T01", host="127.0.0.7")
    names = certificate(tmp_path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"127.0.0.7", "127.0.0.1", "::1"} == {str(ip) for ip in names.get_values_for_type(x509.IPAddress)}
    [subject] = certificate(tmp_path).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert subject.value in names.get_values_for_type(x509.DNSName)


def test_the_listener_shows_a_renewed_one_without_a_new_start(tmp_path: Path) -> None:
    """Nobody starts a till anew in the middle of a day."""
    made(tmp_path, poi="EARLIER")
    loaded: list[Path] = []
    renew = renewing(tmp_path, "S001-T01", "127.0.0.1", loaded.append)
    for _ in range(2):
        asyncio.run(renew())
    assert loaded == [tmp_path / FILE]


def test_what_is_damaged_or_foreign_is_made_anew(tmp_path: Path) -> None:
    """A half-written file must not keep the till from starting."""
    made(tmp_path)
    (tmp_path / FILE).write_bytes(b"-----BEGIN")
    assert made(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    made(other)
    (other / FILE).replace(tmp_path / FILE)
    assert made(tmp_path)


def test_a_damaged_authority_is_told(tmp_path: Path) -> None:
    """Each POS has pinned it: it is not replaced behind their backs."""
    made(tmp_path)
    (tmp_path / CA_FILE).write_bytes(b"?")
    with pytest.raises(OSError, match=CA_FILE):
        made(tmp_path)


def test_one_that_cannot_be_renewed_serves_on(tmp_path: Path) -> None:
    """A full disk on the day of its renewal ends no till that sells: the old one is good for weeks."""
    loaded: list[Path] = []
    made(tmp_path)
    (tmp_path / CA_FILE).write_bytes(b"?")
    asyncio.run(renewing(tmp_path, "S001-T01", "127.0.0.1", loaded.append)())
    assert loaded == []
    (tmp_path / FILE).unlink()
    with pytest.raises(OSError, match=CA_FILE):
        certified(tmp_path, "S001-T01", "127.0.0.1")


def test_a_clock_that_is_behind_does_no_harm(tmp_path: Path) -> None:
    """A till without a battery begins its day in 1970; the certificate it makes then is good today."""
    made(tmp_path, datetime(1970, 1, 2, tzinfo=UTC))
    for name in (FILE, CA_FILE):
        one = certificate(tmp_path, name)
        assert one.not_valid_before_utc < NOW < one.not_valid_after_utc


def test_the_authority_can_speak_for_this_machine_alone(tmp_path: Path) -> None:
    """Whoever steals its key must not pass for a bank."""
    made(tmp_path)
    extensions = certificate(tmp_path, CA_FILE).extensions
    bound = extensions.get_extension_for_class(x509.NameConstraints)
    assert bound.critical
    assert [str(name.value) for name in bound.value.permitted_subtrees or ()] == [
        "test.terminal.adyen.com",
        "localhost",
        "127.0.0.0/8",
        "::1/128",
    ]
