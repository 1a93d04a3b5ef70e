"""Arrays in PostgreSQL's binary format: what is packed is what the server unpacks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.postgres.arrays import Packed, listed, packed, teach
from tests.ledger.cluster import Cluster

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
ELEMENTS = {
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "text": texts,
    "bytea": st.binary(),
}
columns = st.sampled_from(sorted(ELEMENTS)).flatmap(
    lambda type_: st.tuples(st.just(type_), st.lists(st.none() | ELEMENTS[type_]))
)


@settings(max_examples=80)
@given(st.lists(columns, min_size=1, max_size=20))
def test_the_server_reads_what_was_packed(postgres: Cluster, columns: list[tuple[str, list[object]]]) -> None:
    """Quotes, braces, backslashes, the word NULL, absent values and no values at all among them."""
    with postgres.connected() as connection:
        teach(connection)
        for type_, values in columns:
            answer = connection.execute(f"SELECT %s::{type_}[]".encode(), [packed(values, type_)]).fetchone()
            assert answer == (values,)


@pytest.mark.parametrize("values", [[1, 2**62], ["a", '"{NULL}"'], [b"\0", b"\xff"], []])
def test_a_list_of_values_is_of_the_type_of_the_first(postgres: Cluster, values: list[object]) -> None:
    """As questions ask: is the column one of these?"""
    type_ = {int: "bigint", bytes: "bytea"}.get(type(values[0]) if values else str, "text")
    with postgres.connected() as connection:
        teach(connection)
        query = f"SELECT count(*) FROM unnest(%s::{type_}[]) AS given (one) WHERE one = ANY(%s)"
        asked = connection.execute(query.encode(), [packed(values, type_), listed(values)]).fetchone()
        assert asked == (len(values),)


def test_a_number_is_length_and_big_endian_value() -> None:
    """One dimension, without NULL, element type int8, two elements from index 1."""
    dimension = "0000000100000000000000140000000200000001"
    elements = "00000008000000000000000700000008ffffffffffffffff"
    assert packed([7, -1], "bigint") == Packed(bytes.fromhex(dimension + elements))
