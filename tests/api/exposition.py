"""A strict reader of the Prometheus text format 0.0.4, and of PromQL as much as tells which metrics are named."""

import re
from dataclasses import dataclass, field

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
VALUE = r"-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf|NaN)|\+Inf"
PAIR = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? ({VALUE})")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}


@dataclass
class Read:
    """One family: its kind, meaning and samples by labels."""

    kind: str
    meaning: str
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)


def parse(text: str) -> dict[str, Read]:
    """Families by name. Raises AssertionError for whatever a strict reader would refuse."""
    assert text.endswith("\n")
    found: dict[str, Read] = {}
    name, meaning = "", ""
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            _, _, name, meaning = line.split(" ", 3)
            assert re.fullmatch(NAME, name), line
            assert name not in found, f"{name} comes twice"
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2] == name, "TYPE does not follow its HELP"
            found[name] = Read(line.split(" ")[3], meaning)
        else:
            take(line, name, found[name])
    assert all(read.samples for read in found.values())
    return found


def take(line: str, name: str, read: Read) -> None:
    match = SAMPLE.fullmatch(line)
    assert match, line
    sampled, inside, value = match.groups()
    assert sampled in [name + suffix for suffix in SUFFIXES.get(read.kind, ("",))], line
    pairs = tuple(PAIR.findall(inside or ""))
    assert ",".join(f'{key}="{text}"' for key, text in pairs) == (inside or ""), line
    assert (sampled, pairs) not in read.samples, f"doubled: {line}"
    read.samples[sampled, pairs] = float(value.replace("Inf", "inf"))


KEYWORDS = {"and", "or", "unless", "bool", "offset"}
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")


def named(expression: str) -> tuple[set[str], set[str]]:
    """The metrics and the labels that a PromQL expression names. Raises AssertionError where brackets do not match."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    assert closed(text), expression
    labels = {label.strip() for group in GROUPING.findall(text) for label in group.split(",")}
    text = GROUPING.sub(" ", text)
    labels |= {label for inside in re.findall(r"\{([^}]*)\}", text) for label in re.findall(r"(\w+)\s*[=!]", inside)}
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", text)
    words = re.findall(rf"(?<![\w.])({NAME})\b(?!\s*\()", bare)
    return {word for word in words if word not in KEYWORDS}, labels


def closed(text: str) -> bool:
    waiting: list[str] = []
    for sign in text:
        if sign in "([{":
            waiting.append({"(": ")", "[": "]", "{": "}"}[sign])
        elif sign in ")]}" and (not waiting or waiting.pop() != sign):
            return False
    return not waiting
