"""Whether a body is about a customer."""

import pytest

from survey_intake.domain.mentions import mentions


@pytest.mark.parametrize(
    "body",
    [
        b'{"customer": {"ref": "42"}}',
        b'{"customer": 42}',
        b'["x", {"y": [" 42 "]}]',
        b'\xff {"ref": "42"',
        b"{" * 10_000 + b'"42"',
        b"ref=42&score=11",
    ],
)
def test_a_reference_is_found_where_it_is_a_value(body: bytes) -> None:
    assert mentions(body, ["42"])


@pytest.mark.parametrize(
    "body", [b'{"score": 420}', b'{"ref": "1-42-1x"}', b'{"42": 1}', b"\xff 1420 A42", b""]
)
def test_a_short_reference_is_not_found_inside_other_values(body: bytes) -> None:
    assert not mentions(body, ["42"])


def test_addresses_are_found_whatever_their_case_and_spelling() -> None:
    assert mentions(b'{"mail": "ANNA@example.org"}', ["anna@example.org"])
    assert mentions(b'{"why": "write to anna@example.org"}', ["anna@example.org"])
    assert mentions(b'{"mail": "J\\u00f6rg@example.org"}', ["jörg@example.org"])
    assert mentions(b'{"mail": "J\\u00f6rg@example.org"', ["jörg@example.org"])


def test_nothing_is_found_by_empty_needles() -> None:
    assert not mentions(b'{"a": ""}', ["", "  "])
