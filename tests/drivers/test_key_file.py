"""The file of card keys: private, whole, and never repeated in words."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.key_file import MAX_BYTES, NO_KEYS, KeysUnusable, load_keys

SECRET = "00112233445566778899aabbccddeeff"


def written(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_keys_are_known_by_name(tmp_path: Path) -> None:
    """In any case of hexadecimal letters, with blanks between the bytes."""
    keys = load_keys(written(tmp_path / "keys", f'sdm-meta = "{SECRET.upper()}"\ncodes = "01 02"\n'.encode()))
    assert keys.get("sdm-meta", 16) == bytes.fromhex(SECRET)
    assert keys.get("codes") == b"\x01\x02"
    assert SECRET not in repr(keys)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """With the command that mends it."""
    path = written(tmp_path / "keys", f'a = "{SECRET}"'.encode(), mode)
    with pytest.raises(KeysUnusable, match="chmod 600"):
        load_keys(path)


@pytest.mark.parametrize(
    "content",
    [
        *(b"a = ", b'a = "zz"', b'a = ""', b"a = 5", b"[a]\nb = 'cc'", b"\xff\xfe"),
        *(b'a = "' + b"00" * 65 + b'"', b"#" * (MAX_BYTES + 1)),
    ],
    ids=["cut", "no-hex", "empty", "number", "section", "no-text", "long-key", "long-file"],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: bytes) -> None:
    """It says which key is wrong and what would be right."""
    with pytest.raises(KeysUnusable):
        load_keys(written(tmp_path / "keys", content))


@given(st.binary(max_size=200))
@settings(max_examples=60)
def test_no_words_repeat_a_key(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever is wrong around it, the value itself stays in the file."""
    path = written(tmp_path_factory.mktemp("keys") / "keys", f'a = "{SECRET}" '.encode() + content)
    assert SECRET not in told_of(path)


def told_of(path: Path) -> str:
    """All that a log could show of it."""
    try:
        return repr(load_keys(path))
    except KeysUnusable as unusable:
        return f"{unusable} {unusable.__cause__}"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """No file, a folder, no such key, a key of another length."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(KeysUnusable):
            load_keys(path)
    keys = load_keys(written(tmp_path / "keys", b'a = "00"'))
    for name, length in (("b", None), ("a", 16)):
        with pytest.raises(KeysUnusable, match=f"'{name}'"):
            keys.get(name, length)
    with pytest.raises(KeysUnusable, match="no key file"):
        NO_KEYS.get("a")
