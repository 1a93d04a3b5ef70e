"""What can be wrong in a config, and the words for it: where it stands, what is wrong, what was perhaps meant."""

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

import drivers
from offline_queue.config_file import Problem, plain, shown, unknown, values
from offline_queue.ledger_client import UnsafeLedgerUrl, checked_url, is_loopback

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}\Z")
_NO_ORIGIN: Final = "must be one whole origin, like 'https://pos.example.com'; there are no wildcards and no 'null'."


def name_problems(name: Any, taken: set[str], where: str) -> list[Problem]:
    if name is None:
        return [Problem(where, "is missing: every reader needs a name of its own.")]
    if not isinstance(name, str) or not _NAME.match(name):
        return [Problem(where, f"must be 1 to 32 of a-z, 0-9, - and _; it is {shown(name)}.")]
    if name in taken:
        return [Problem(where, f"{shown(name)} is taken by a reader above; give each its own.")]
    return []


def driver_problems(driver: Any, options: dict[str, Any], where: str) -> list[Problem]:
    if not isinstance(driver, str):
        return [Problem(f"{where}.driver", f"is missing or no text; one of {', '.join(driver_names())}.")]
    schema = driver_options(driver)
    if schema is None:
        return [Problem(f"{where}.driver", unknown("driver", driver, driver_names()))]
    problems: list[Problem] = []
    values(options, schema, where, problems)
    missing = [field.name for field in msgspec.structs.fields(schema) if field.required and field.name not in options]
    problems += [Problem(f"{where}.{name}", f"is missing: the driver {driver} needs it.") for name in missing]
    if problems:
        return problems
    try:
        msgspec.convert(options, schema)  # what the driver asks of its keys together
    except msgspec.ValidationError as error:
        problems.append(Problem(where, f"{plain(error)}."))
    return problems


def driver_options(name: str) -> type[msgspec.Struct] | None:
    """The option schema of drivers/<name>.py, None when there is no such driver. Loads no hardware library."""
    if not _NAME.match(name) or importlib.util.find_spec(f"drivers.{name}") is None:
        return None
    module = importlib.import_module(f"drivers.{name}")
    options = getattr(module, "Options", None)
    return options if hasattr(module, "Reader") and isinstance(options, type) else None


def driver_names() -> list[str]:
    """Every driver: each file in drivers/ that holds `Options` and `Reader`."""
    return sorted(module.name for module in pkgutil.iter_modules(drivers.__path__) if driver_options(module.name))


def address_problem(listen: str) -> str | None:
    host, _, port = listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536):
        return f"must be HOST:PORT, like 127.0.0.1:8780; it is {shown(listen)}."
    if not is_loopback(host.removeprefix("[").removesuffix("]")):
        return f"must be an address of this machine alone, like 127.0.0.1:{port}: tokens travel in the clear."
    return None


def url_problem(url: str, *, plain_http: bool) -> str | None:
    if "@" in url:
        return "must hold no user or password: the terminal signs what it sends with its own key."
    try:
        checked_url(url, allow_plain_http=plain_http)
    except UnsafeLedgerUrl as unsafe:
        return f"{unsafe}."
    return None


def origin_problems(origins: Iterable[str]) -> list[str]:
    """What is wrong with origins of web pages, in words: each is compared byte by byte with what a browser sends."""
    return [f"{shown(origin)} {problem}" for origin in origins if (problem := _origin_problem(origin))]


def _origin_problem(origin: str) -> str | None:
    try:
        parts = urlsplit(origin)
        port, host = parts.port, parts.hostname
    except ValueError:
        return _NO_ORIGIN
    standard = {"https": 443, "http": 80}.get(parts.scheme)
    if standard is None or not host or "*" in host or not origin.isascii():
        return _NO_ORIGIN
    shown = f"[{host}]" if ":" in host else host
    written = f"{parts.scheme}://{shown}" + (f":{port}" if port not in {None, standard} else "")
    if origin != written:
        return f"must be written as the browser sends it: {written!r}."
    if parts.scheme == "http" and not is_loopback(host):
        return "must be https: whoever is on the way to a plain http:// page can put a script of their own into it."
    return None
