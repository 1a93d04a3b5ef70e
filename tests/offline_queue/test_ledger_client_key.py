"""The terminal's key on disk."""

import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from offline_queue.terminal_key import KeyUnusable, load_or_create_key, public_key, sign


def test_first_start_makes_a_key_that_later_starts_find(tmp_path: Path) -> None:
    """The terminal stays the same terminal, and nobody else on the machine can read its key."""
    path = tmp_path / "terminal.key"
    key = load_or_create_key(path)
    assert public_key(load_or_create_key(path)) == public_key(key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """A key restored by hand with a loose mode is tightened at the next start."""
    path = tmp_path / "terminal.key"
    load_or_create_key(path)
    path.chmod(0o644)
    load_or_create_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_starts_at_the_same_moment_agree_on_one_key(tmp_path: Path) -> None:
    """Whoever comes second uses the key of the first; none is overwritten."""
    path, barrier, keys = tmp_path / "terminal.key", threading.Barrier(4), list[str]()

    def begin() -> None:
        barrier.wait(60)
        keys.append(public_key(load_or_create_key(path)))

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(keys) == 4
    assert set(keys) == {public_key(load_or_create_key(path))}


@pytest.mark.parametrize("content", [b"", b"hello", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_damaged_key_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    """A new key would make the till a stranger, so nothing is replaced; the message says what to do."""
    path = tmp_path / "terminal.key"
    path.write_bytes(content)
    with pytest.raises(KeyUnusable, match="enrolled again"):
        load_or_create_key(path)
    assert path.read_bytes() == content


def test_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    """An RSA key is a mix-up, not a terminal's key."""
    path = tmp_path / "terminal.key"
    key = generate_private_key(65537, 2048)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(KeyUnusable, match="another kind"):
        load_or_create_key(path)


def test_signature_is_base64_of_64_bytes(tmp_path: Path) -> None:
    """Ed25519: 86 characters and two signs of padding, as the Authorization header takes them."""
    signature = sign(load_or_create_key(tmp_path / "terminal.key"), b"message")
    assert len(signature) == 88
    assert signature.endswith("==")
