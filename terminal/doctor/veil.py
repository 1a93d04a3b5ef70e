"""Takes secrets and card numbers out of what leaves the machine. Pure, but for `secrets_in`, which reads them."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from terminal.log import without_numbers

HIDDEN: Final = "[secret]"
SHORTEST: Final = 8
"""Characters of a word of a secret file that is worth hiding: shorter ones would eat half of every text."""
MOST_BYTES: Final = 65536

_WORDS: Final = re.compile(r"[A-Za-z0-9+/=_-]+")
_SECRET_LINE: Final = re.compile(
    r"(?mi)^(?P<key>\s*[\w.-]*(?:key|token|secret|pass|pin)[\w.-]*\s*=\s*)(?P<value>[^\n#]+)"
)
_PUBLIC: Final = re.compile(r"(?i)public_key|key_number|key_version")


class Veil:
    """`secrets` are the very texts that must not be told."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True)

    def text(self, told: str) -> str:
        """Without secrets, and with everything masked that may be a card number."""
        for secret in self._secrets:
            told = told.replace(secret, HIDDEN)
        return without_numbers(told)

    def value(self, told: Any) -> Any:
        """The same for every text of a JSON value, names too."""
        if isinstance(told, dict):
            return {self.text(str(name)): self.value(each) for name, each in told.items()}
        if isinstance(told, list | tuple):
            return [self.value(each) for each in told]
        return self.text(told) if isinstance(told, str) else told

    def config(self, toml: str) -> str:
        """A config file with its comments, without the values of keys that are called like secrets."""
        return self.text(_SECRET_LINE.sub(_without_value, toml))


def _without_value(found: re.Match[str]) -> str:
    """Paths of key files, names of keys and public keys help whoever reads the bundle, and tell nothing."""
    value = found["value"].strip()
    harmless = value.startswith(('"/', "'/")) or value in {'""', "''"} or _PUBLIC.search(found["key"])
    return found[0] if harmless else f'{found["key"]}"{HIDDEN}"'


def words_of(secret_file: str) -> set[str]:
    """The words of a file of secrets: tokens, lines of a PEM file, values of a key file; not what they are called."""
    return {word for word in _WORDS.findall(secret_file) if word not in _HEADINGS} | set(_strings_of(secret_file))


_HEADINGS: Final = frozenset({"-----BEGIN", "-----END", "PRIVATE", "KEY-----", "CERTIFICATE-----"})


def _strings_of(secret_file: str) -> Iterator[str]:
    """Where it is a JSON object, its texts as a whole: a passphrase may have spaces."""
    try:
        found = json.loads(secret_file)
    except (ValueError, RecursionError):
        return
    values = found.values() if isinstance(found, dict) else ()
    yield from (value for value in values if isinstance(value, str))


def secrets_in(files: Iterable[Path]) -> set[str]:
    """Words of those files that can be read. One that cannot be read can hardly be told either."""
    found = set[str]()
    for file in files:
        try:
            with file.open("rb") as secret:
                found |= words_of(secret.read(MOST_BYTES).decode(errors="replace"))
        except OSError:
            continue
    return found
