"""The key that POS and till share: its file, and what it opens."""

import json
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from terminal.api.nexo.messages import header_of, parts
from terminal.api.nexo.security_key import FILE, Encryption, KeyFileUnusable, load_or_create
from terminal.api.problems import Refused
from terminal.state_folder import StateUnusable

HEADER = {
    "MessageClass": "Service",
    "MessageCategory": "Diagnosis",
    "MessageType": "Request",
    "SaleID": "TILL-04",
    "POIID": "S001-T01",
    "ServiceID": "1",
}


def test_the_file_is_what_the_client_library_wants(tmp_path: Path) -> None:
    """Made once, for one user, with the names of the library's SecurityKey."""
    key = load_or_create(tmp_path, "S001-T01")
    assert load_or_create(tmp_path, "S001-T01") == key
    told = json.loads((tmp_path / FILE).read_text())
    assert set(told) == {"Passphrase", "KeyIdentifier", "KeyVersion", "AdyenCryptoVersion"}
    assert (told["KeyVersion"], told["AdyenCryptoVersion"]) == (1, 1)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert key.passphrase not in repr(key)


@pytest.mark.parametrize("text", ["", "{}", '{"Passphrase": "short", "KeyIdentifier": "k", "KeyVersion": 1}'])
def test_an_unusable_file_is_told_and_kept(tmp_path: Path, text: str) -> None:
    """A key that POS have must not vanish without a word; the till does not start without it."""
    (tmp_path / FILE).write_text(text)
    with pytest.raises(KeyFileUnusable, match="a new one is made") as why:
        load_or_create(tmp_path, "S001-T01")
    assert isinstance(why.value, StateUnusable)
    assert (tmp_path / FILE).read_text() == text


def envelope(encryption: Encryption, plain: bytes, **changed: Any) -> dict[str, msgspec.Raw]:
    """What a POS would send; the till's own encryption, under the request's name."""
    header = header_of({"MessageHeader": msgspec.Raw(json.dumps(HEADER).encode())})
    answer = json.loads(encryption.encrypted(header, plain))
    encrypted = {**answer["SaleToPOIResponse"], "MessageHeader": HEADER, **changed}
    return parts(json.dumps({"SaleToPOIRequest": encrypted}).encode())


def test_a_message_is_opened_and_its_header_compared(tmp_path: Path) -> None:
    """The header beside the blob is the one within, or the message is refused."""
    encryption = Encryption(load_or_create(tmp_path, "S001-T01"))
    plain = json.dumps({"SaleToPOIRequest": {"MessageHeader": HEADER, "DiagnosisRequest": {}}}).encode()
    assert set(encryption.opened(envelope(encryption, plain))) == {"MessageHeader", "DiagnosisRequest"}
    for name in HEADER:
        with pytest.raises(Refused):
            encryption.opened(envelope(encryption, plain, MessageHeader={**HEADER, name: "x"}))


@pytest.mark.parametrize("name", ["KeyIdentifier", "KeyVersion", "AdyenCryptoVersion"])
def test_the_name_of_another_key_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is opened: the POS is told which key it should have."""
    encryption = Encryption(load_or_create(tmp_path, "S001-T01"))
    plain = json.dumps({"SaleToPOIRequest": {"MessageHeader": HEADER, "DiagnosisRequest": {}}}).encode()
    trailer = json.loads(bytes(envelope(encryption, plain)["SecurityTrailer"]))
    other = "another" if isinstance(trailer[name], str) else trailer[name] + 1
    with pytest.raises(Refused) as why:
        encryption.opened(envelope(encryption, plain, SecurityTrailer={**trailer, name: other}))
    assert "cannot be opened" not in str(why.value)


def test_the_message_of_another_key_is_refused(tmp_path: Path) -> None:
    """Each has a key of its own."""
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    encryption, other = (Encryption(load_or_create(folder, "S001-T01")) for folder in (tmp_path, other_folder))
    plain = json.dumps({"SaleToPOIRequest": {"MessageHeader": HEADER, "DiagnosisRequest": {}}}).encode()
    with pytest.raises(Refused, match="cannot be opened"):
        encryption.opened(envelope(other, plain))
