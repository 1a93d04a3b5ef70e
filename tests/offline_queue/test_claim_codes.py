"""Claim codes: small, readable by anybody, proven by the till's key alone, and safe to read whatever they are."""

import uuid

import cbor2
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from offline_queue import base45, plain_cbor
from offline_queue.claim_codes import MAX_BYTES, MAX_CHARACTERS, PREFIX, Fault, Unreadable, issue, read, read_bytes
from offline_queue.claimed_sale import CARD_BYTES, LAST_MOMENT, RECEIPT_BYTES, STORE_BYTES, Sale, card_digest
from offline_queue.entry import MAX_POINTS, Receipt, uuid7
from tests.offline_queue.claimed import AT, CARD, KEY, OTHER_PUBLIC, PUBLIC, SOLD_AT, code_of, on_card, sold

printable = st.characters(min_codepoint=32, max_codepoint=126)
keys = (
    st.text(printable, min_size=1, max_size=64) | st.uuids().map(str) | st.uuids().map(lambda name: str(name).upper())
)
sales = st.builds(
    Sale,
    terminal=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
    key=keys,
    id=st.uuids().map(str),
    points=st.integers(1, MAX_POINTS),
    at=st.integers(0, LAST_MOMENT),
    receipt=st.none() | st.text(printable, min_size=1, max_size=RECEIPT_BYTES),
    store=st.none() | st.text(printable, min_size=1, max_size=STORE_BYTES),
    card=st.none() | st.binary(min_size=CARD_BYTES, max_size=CARD_BYTES),
    rule=st.sampled_from(["base@1", ""]) | st.text(printable, max_size=64),
)


@given(sales)
def test_what_was_told_is_read_in_either_form(sale: Sale) -> None:
    """For scanners and for people; and it is proven by the key that signed it, by no other."""
    code = issue(sale, KEY)
    assert read(code.text) == read("\n".join(code.lines)) == read(code.text.lower()) == code
    assert code.sale == sale
    assert code.proven([OTHER_PUBLIC, PUBLIC])
    assert not code.proven([OTHER_PUBLIC])
    assert not code.proven([])
    assert len(code.raw) < MAX_BYTES
    assert len("\n".join(code.lines)) < MAX_CHARACTERS


def test_a_usual_code_is_this_small() -> None:
    """142 bytes; 220 characters, which a QR code of version 8 holds at level M; 12 lines to type."""
    code = code_of(sold(receipt=Receipt("4711-0815", "S001")))
    assert (len(code.raw), len(code.text), len(code.lines)) == (142, 220, 12)


def test_the_signature_is_that_of_the_standard() -> None:
    """The working group's example eddsa-sig-01, byte for byte."""
    key = Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    protected, payload = plain_cbor.encode({1: -8, 3: 0}), b"This is the content."
    signature = key.sign(plain_cbor.encode(["Signature1", protected, b"", payload]))
    assert (b"\xd2" + plain_cbor.encode([protected, {4: b"11"}, payload, signature])).hex() == (
        "d28445a201270300a10442313154546869732069732074686520636f6e74656e742e58407142fd2ff96d56db85bee905a76ba1d0"
        "b7321a95c8c4d3607c5781932b7afb8711497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d"
    )


def test_a_stranger_reads_it_with_other_tools() -> None:
    """A general CBOR library and an Ed25519 library are all that is needed."""
    tagged = cbor2.loads(base45.decode(code_of(on_card()).text.removeprefix(PREFIX)))
    protected, unprotected, payload, signature = tagged.value
    assert (tagged.tag, unprotected, cbor2.loads(protected)) == (18, {}, {1: -8, 4: b"S001-T01"})
    told = cbor2.loads(payload)
    assert (uuid.UUID(bytes=told[1]), told[3], told[5], told[6]) == (uuid.UUID(sold().key), 249, "000815", "S001")
    signed = cbor2.dumps(["Signature1", protected, b"tilld-claim-1", payload])
    Ed25519PublicKey.from_public_bytes(PUBLIC).verify(signature, signed)


def test_the_time_is_told_only_where_the_id_does_not() -> None:
    """Ten bytes less for every code; a till whose clock moved in between still tells the truth."""
    same, other = code_of(sold()), code_of(sold(occurred_at="2025-06-15T17:06:39.999+02:00"))
    assert (same.sale.occurred_at, other.sale.at) == (SOLD_AT, AT - 1)
    assert len(other.raw) == len(same.raw) + 10


@pytest.mark.parametrize(("rule", "more"), [("base@1", 0), (None, 2), ("double@2", 10)])
def test_the_rule_is_told_where_it_is_not_the_common_one(rule: str | None, more: int) -> None:
    """How long the points live follows from it; most sales need no room for it."""
    code = code_of(sold(rule=rule))
    assert (code.sale.rule or None, len(code.raw) - len(code_of(sold()).raw)) == (rule, more)


def test_a_card_is_recognised_and_not_shown() -> None:
    """Its own number fits, others do not; the number is nowhere in the code."""
    sale = code_of(on_card()).sale
    assert (sale.on(CARD), sale.on("2990000000024"), code_of(sold()).sale.on(CARD)) == (True, False, False)
    assert CARD.encode() not in code_of(on_card()).raw
    assert sale.card != card_digest(uuid7(AT, b"987654321."), CARD)


@pytest.mark.parametrize("receipt", [Receipt("r" * (RECEIPT_BYTES + 1), "S" * 9), Receipt("\n", ""), Receipt("é" * 11)])
def test_a_long_receipt_is_left_out(receipt: Receipt) -> None:
    """The code stays small whatever the POS prints."""
    assert (code_of(sold(receipt=receipt)).sale.receipt, code_of(sold(receipt=receipt)).sale.store) == (None, None)


CODE = code_of(on_card())
FAR = {1: b"k" * 16, 2: b"i" * 16, 3: 1}


@given(st.integers(0, len(CODE.raw) - 1), st.integers(1, 255))
def test_no_changed_byte_goes_unseen(place: int, by: int) -> None:
    """It cannot be read, or it is not proven."""
    changed = bytearray(CODE.raw)
    changed[place] ^= by
    try:
        assert not read_bytes(bytes(changed)).proven([PUBLIC])
    except Unreadable:
        return


@given(st.binary(max_size=200) | st.binary(max_size=150).map(lambda tail: CODE.raw[:20] + tail))
def test_no_bytes_can_break_the_reader(raw: bytes) -> None:
    """A code or Unreadable, nothing else."""
    try:
        assert read_bytes(raw).raw == raw
    except Unreadable:
        return


@given(st.text(max_size=300) | st.text(base45.ALPHABET, max_size=300).map(lambda text: PREFIX + text))
def test_no_text_can_break_the_reader(text: str) -> None:
    """Whatever a scanner picks up or a person types."""
    try:
        assert not read(text).proven([PUBLIC])
    except Unreadable:
        return


def signed(payload: plain_cbor.Item, protected: plain_cbor.Item | None = None) -> bytes:
    """As a hostile till would: any payload with a good signature."""
    header = plain_cbor.encode({1: -8, 4: b"S001-T01"} if protected is None else protected)
    body = plain_cbor.encode(payload)
    signature = KEY.sign(plain_cbor.encode(["Signature1", header, b"tilld-claim-1", body]))
    return b"\xd2" + plain_cbor.encode([header, {}, body, signature])


def test_a_hostile_till_is_read_as_any_other() -> None:
    """The cases below differ from this one by one thing each."""
    assert read_bytes(signed(FAR | {4: 5})).proven([PUBLIC])


@pytest.mark.parametrize(
    "raw",
    [
        *(signed(FAR | {4: 5} | change) for change in ({3: 0}, {3: MAX_POINTS + 1}, {4: LAST_MOMENT + 1}, {4: -1})),
        *(signed(FAR | {4: 5} | change) for change in ({1: ""}, {1: "ü"}, {1: "k" * 65}, {1: str(uuid.UUID(int=5))})),
        *(signed(FAR | {4: 5} | change) for change in ({2: b"i"}, {5: ""}, {5: "r" * 21}, {6: "S" * 9}, {7: b"c"})),
        *(
            signed(FAR | {4: 5} | change)
            for change in ({9: 1}, {8: 1}, {8: "base@1"}, {8: "r" * 65}, {5: 5}, {3: "3"}, {3: [3]}, {1: 1}, {-1: 1})
        ),
        signed(FAR | {4: int.from_bytes(b"iiiiii", "big")}),
        *(signed(what) for what in ({}, [], 1, "sale", {1: "k", 2: b"i" * 16})),
        *(signed(FAR | {4: 5}, header) for header in ({1: -7, 4: b"T"}, {1: -8}, {1: -8, 4: b""}, {1: -8, 4: "T"}, [])),
        *(
            signed(FAR | {4: 5}, header)
            for header in ({1: -8, 4: b"T", 5: 0}, {1: -8, 4: b"T" * 65}, {1: -8, 4: b"\xff"})
        ),
        CODE.raw[1:],
        CODE.raw + b"\x00",
        CODE.raw[:-1],
        b"\xd2" + plain_cbor.encode([b"", {}, b"", b""]),
        b"\xd2" + plain_cbor.encode([b"", {1: 1}, b"", bytes(64)]),
        b"\xd2" + bytes(MAX_BYTES),
    ],
)
def test_a_good_signature_does_not_make_nonsense_a_claim(raw: bytes) -> None:
    """Points, times and names out of bounds, labels and headers that nobody knows, a second way to say a thing."""
    with pytest.raises(Unreadable):
        read_bytes(raw)


def test_there_is_one_way_to_write_a_code() -> None:
    """What the signature does not cover may say nothing, or one sale would have many codes."""
    header, nothing, body, signature = plain_cbor.decode(CODE.raw[1:])  # type: ignore[misc]
    assert b"\xd2" + plain_cbor.encode([header, nothing, body, signature]) == CODE.raw
    for parts, words in (
        ([header, {1: 1}, body, signature], "four parts"),
        ([header, {}, body, signature, b""], "four parts"),
        ([header, {}, body, bytes(signature) + b"\x00"], "64 bytes"),
        ([header, {}, body, bytes(signature)[:-1]], "64 bytes"),
    ):
        with pytest.raises(Unreadable, match=words):
            read_bytes(b"\xd2" + plain_cbor.encode(parts))


def test_what_is_no_key_proves_nothing() -> None:
    """And keeps no other key from proving it."""
    assert not CODE.proven([b"", b"short", bytes(33)])
    assert CODE.proven([b"short", PUBLIC])


@pytest.mark.parametrize("change", [{"points": 0}, {"points": MAX_POINTS + 1}, {"key": ""}, {"at": -1}])
def test_no_code_is_issued_that_no_till_would_read(change: dict[str, object]) -> None:
    """A mistake is noticed at the till that makes it, not at the customer's next visit."""
    with pytest.raises(ValueError):
        issue(msgspec.structs.replace(CODE.sale, **change), KEY)


@pytest.mark.parametrize(
    ("text", "fault", "words"),
    [
        ("TILLD2:ABC", Fault.NEWER, "version 2"),
        ("A" * (MAX_CHARACTERS + 1), Fault.FOREIGN, "no claim code has more"),
        (PREFIX + "A", Fault.DAMAGED, "damaged"),
        (CODE.text + "0", Fault.DAMAGED, "bytes too many"),
        ("", Fault.FOREIGN, "nothing is there"),
        ("5449000000996", Fault.FOREIGN, "check character"),
        ("https://example.org/", Fault.FOREIGN, "no code has"),
        ("\n".join(CODE.lines[:4]), Fault.CUT_SHORT, "line 4 is not the last of"),
        ("\n".join(CODE.lines[:4] + CODE.lines[5:]), Fault.MISTYPED, "line 5 does not fit"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, fault: Fault, words: str) -> None:
    """For whoever holds the receipt."""
    with pytest.raises(Unreadable, match=words) as refused:
        read(text)
    assert refused.value.fault is fault


def test_a_slip_is_pinned_to_its_line() -> None:
    """The third line of twelve, not the whole code again."""
    lines = CODE.lines
    lines[2] = lines[2].translate(str.maketrans("0123456789", "1234567890"))[:2] + lines[2][2:-1] + "*"
    with pytest.raises(Unreadable) as slip:
        read("\n".join(lines))
    assert slip.value.line == 3
