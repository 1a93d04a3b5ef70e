"""The Python client's shapes are those of the till's OpenAPI document."""

import json
import typing
from pathlib import Path
from typing import Any

import pytest
from tilld_client import shapes

DOCUMENT = json.loads((Path(__file__).resolve().parents[2] / "docs" / "openapi.json").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
ANSWERS = {
    "Card": "CardView",
    "Expiring": "ExpiringView",
    "Balance": "BalanceView",
    "Read": "ReadAnswer",
    "Answer": "TransactionAnswer",
    "Outcome": "Outcome",
}
REQUESTS = {"CardWish": "CardNumber", "Amount": "Amount", "Receipt": "Receipt", "Request": "TransactionRequest"}


@pytest.mark.parametrize(("mine", "theirs"), [*ANSWERS.items(), *REQUESTS.items()])
def test_the_fields_are_the_documents(mine: str, theirs: str) -> None:
    """Every field of the document, no other."""
    assert set(typing.get_type_hints(getattr(shapes, mine))) == set(SCHEMAS[theirs]["properties"])


@pytest.mark.parametrize(("mine", "theirs"), ANSWERS.items())
def test_what_is_relied_upon_is_always_sent(mine: str, theirs: str) -> None:
    """A field that the till may leave out is never required: a yes must not pass for somebody else's answer."""
    assert getattr(shapes, mine).__required_keys__ <= set(SCHEMAS[theirs].get("required", ()))


@pytest.mark.parametrize(("mine", "theirs"), REQUESTS.items())
def test_what_the_till_requires_is_required(mine: str, theirs: str) -> None:
    """A request that type-checks is not refused for a missing field."""
    assert set(SCHEMAS[theirs].get("required", ())) <= getattr(shapes, mine).__required_keys__


def words(schema: Any) -> set[str]:
    """The values of an enumeration, wherever it is written."""
    if "$ref" in schema:
        return words(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    found = {value for value in schema.get("enum", ()) if value is not None}
    return found.union(*(words(each) for each in schema.get("anyOf", ())))


def test_enumerations_have_the_same_words() -> None:
    """States, promises and kinds."""
    answer = SCHEMAS["TransactionAnswer"]["properties"]
    assert set(typing.get_args(shapes.State)) == words(answer["state"])
    promise = typing.get_args(typing.get_type_hints(shapes.Answer)["promise"])
    assert {word for part in promise for word in typing.get_args(part)} == words(answer["promise"])
    kind = typing.get_type_hints(shapes.Request)["kind"]
    assert set(typing.get_args(kind)) == words(SCHEMAS["TransactionRequest"]["properties"]["kind"])
