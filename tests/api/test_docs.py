"""The examples of docs/api.md are run as they stand, in their order, and its tables are complete."""

import json
import re
import shlex
import threading
from pathlib import Path
from typing import Any

import pytest

from terminal.api.problems import PROBLEMS
from terminal.pos import Outcome, ReadAnswer, TransactionAnswer
from tests.api.conftest import TOKENS, Api, Reply
from tests.api.fake_till import FakeTill
from tests.api.schema import Checked, misfit

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
COMMAND = re.compile(r"^(curl .*?)\n# (\d{3})$", re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, int]]:
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    return [(command, int(status)) for command, status in COMMAND.findall(blocks)]


def run(api: Api, command: str) -> Reply:
    """A curl command, as far as the page uses curl."""
    words = shlex.split(command.replace("\\\n", "").replace("$TOKEN", TOKENS.pos))[1:]
    method, url, headers, body = "GET", "", {}, None
    while words:
        word = words.pop(0)
        match word:
            case "-X":
                method = words.pop(0)
            case "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            case "-d":
                body = words.pop(0).encode()
            case _:
                url = word
    return api.ask(method, url.removeprefix("http://127.0.0.1:8780"), body, token=None, **headers)


def test_the_examples_answer_what_the_page_says(api: Api, till: FakeTill) -> None:
    """In their order, for they build on each other: a card, a sale, the same again, a redemption, a reversal."""
    found = commands()
    assert len(found) >= 10
    customer = threading.Thread(target=lambda: till.reads_waiting.wait(60) and till.present())
    customer.start()
    said = [(command, run(api, command).status, status) for command, status in found]
    customer.join()
    assert [(command, status) for command, _, status in said] == [(command, status) for command, status, _ in said]


@pytest.mark.parametrize("example", re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL), ids=lambda text: text[2:12])
def test_the_shown_answers_are_of_the_documented_shape(example: str) -> None:
    """What a programmer reads is what the till sends."""
    root = Checked().document
    shapes = [shape.__name__ for shape in (ReadAnswer, TransactionAnswer, Outcome)] + ["Problem"]
    value: Any = json.loads(example)
    assert any(misfit(value, {"$ref": f"#/components/schemas/{name}"}, root) is None for name in shapes)


def test_every_refusal_is_explained() -> None:
    """No code that the page does not tell what to do about."""
    told = set(re.findall(r"`([a-z_]+)`", PAGE[PAGE.index("## When it says no") :]))
    assert PROBLEMS.keys() <= told
