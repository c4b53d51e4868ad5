"""Every rule for schemas, with a breakage planted that must be found, and what must pass."""

from typing import Any

import pytest
from tests.contract.breaking.schemas import Comparison, Promise, breaks

TAKEN, GIVEN, EXACTLY = Promise.TAKEN, Promise.GIVEN, Promise.GIVEN_EXACTLY

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
WHOLE = {"type": "integer"}
NOTHING = {"type": "null"}


def fields(required: str = "", /, **properties: Any) -> dict[str, Any]:
    """An object; the names of its required fields, with spaces between."""
    return {"type": "object", "properties": properties, "required": required.split()}


def words(*allowed: Any) -> dict[str, Any]:
    return {"enum": list(allowed)}


def any_of(*branches: Any) -> dict[str, Any]:
    return {"anyOf": list(branches)}


def kind(name: str, **properties: Any) -> dict[str, Any]:
    return fields("kind", kind={"const": name}, **properties)


def found(old: Any, new: Any, promise: Promise) -> list[str]:
    return [str(one) for one in breaks(old, new, Comparison(old, new, promise, "it"))]


EVERYWHERE = [
    (fields(a=TEXT, b=TEXT), fields(a=TEXT), "it.b: is removed"),
    (words("new", "paid"), words("new"), "it: no longer has the word 'paid'"),
    (
        {"type": "array", "items": words(1, 2)},
        {"type": "array", "items": words(1)},
        "it[]: no longer has the word 2",
    ),
    ({"prefixItems": [TEXT]}, {"prefixItems": [TEXT, TEXT]}, "it: had 1 items of their own, has 2"),
    ({"patternProperties": {"^a": TEXT}}, {"type": "object"}, "it.*: names like ^a are not told apart now"),
    ({**TEXT, "format": "date"}, {**TEXT, "format": "uuid"}, "it: format was date, is uuid"),
    (TEXT, {"allOf": [TEXT]}, "it: uses allOf, which cannot be compared"),
]

TO_WHAT_IS_TAKEN = [
    (fields(a=TEXT), fields("b", a=TEXT, b=TEXT), "it.b: is newly required"),
    (fields("a", a=TEXT), fields("a b", a=TEXT, b=TEXT), "it.b: is newly required"),
    (fields(a=TEXT), fields("a", a=TEXT), "it.a: is newly required"),
    (fields(a=any_of(TEXT, NOTHING)), fields(a=TEXT), "it.a: no longer takes null"),
    ({"type": ["string", "null"]}, TEXT, "it: no longer takes null"),
    (NUMBER, WHOLE, "it: no longer takes number"),
    ({}, TEXT, "it: no longer takes anything"),
    (TEXT, words("a", "b"), "it: takes only 'a', 'b' now"),
    (any_of(kind("a"), kind("b")), any_of(kind("a"), kind("c")), "it: no longer takes the kind 'b'"),
    (TEXT, {**TEXT, "pattern": "^a"}, "it: pattern was free, is ^a"),
    (TEXT, {**TEXT, "maxLength": 9}, "it: maxLength was free, is 9"),
    ({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 8}, "it: maxLength was 9, is 8"),
    ({**WHOLE, "minimum": 0}, {**WHOLE, "minimum": 1}, "it: minimum was 0, is 1"),
    (
        fields(),
        {**fields(), "additionalProperties": False},
        "it.*: fields that are not named are refused now",
    ),
    (
        {"type": "object", "additionalProperties": NUMBER},
        {"type": "object", "additionalProperties": WHOLE},
        "it.*: no longer takes number",
    ),
    (
        {"type": "object", "propertyNames": words("mon", "tue")},
        {"type": "object", "propertyNames": words("mon")},
        "it.(name): no longer has the word 'tue'",
    ),
    (
        fields(limit={**WHOLE, "default": 100}),
        fields(limit={**WHOLE, "default": 50}),
        "it.limit: left out, it meant 100 and means 50",
    ),
]

TO_WHAT_IS_GIVEN = [
    (fields("a", a=TEXT), fields(a=TEXT), "it.a: is no longer always there"),
    (fields(a=TEXT), fields(a=any_of(TEXT, NOTHING)), "it.a: may now be null"),
    (WHOLE, NUMBER, "it: may now be number"),
    (WHOLE, TEXT, "it: may now be string"),
    (TEXT, {}, "it: may now be anything"),
    (words("a", "b"), TEXT, "it: is no longer one of a list of words"),
    ({**TEXT, "format": "date"}, TEXT, "it: format was date, is free"),
    ({"type": "array", "items": TEXT}, {"type": "array"}, "it[]: may now be anything"),
]

TO_WHAT_IS_GIVEN_EXACTLY = [
    *TO_WHAT_IS_GIVEN,
    (words("a"), words("a", "b"), "it: has a new word, 'b'"),
    (any_of(kind("a"), kind("b")), any_of(kind("a"), kind("b"), kind("c")), "it: has a new kind, 'c'"),
    ({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 10}, "it: maxLength was 9, is 10"),
]


@pytest.mark.parametrize("promise", Promise)
@pytest.mark.parametrize(("old", "new", "named"), EVERYWHERE)
def test_what_breaks_every_promise_is_named(old: Any, new: Any, named: str, promise: Promise) -> None:
    assert found(old, new, promise) == [named]


@pytest.mark.parametrize(("old", "new", "named"), TO_WHAT_IS_TAKEN)
def test_what_senders_would_notice_is_named(old: Any, new: Any, named: str) -> None:
    assert found(old, new, TAKEN) == [named]


@pytest.mark.parametrize("promise", [GIVEN, EXACTLY])
@pytest.mark.parametrize(("old", "new", "named"), TO_WHAT_IS_GIVEN)
def test_what_readers_would_notice_is_named(old: Any, new: Any, named: str, promise: Promise) -> None:
    assert found(old, new, promise) == [named]


@pytest.mark.parametrize(("old", "new", "named"), TO_WHAT_IS_GIVEN_EXACTLY)
def test_what_strict_readers_would_notice_is_named(old: Any, new: Any, named: str) -> None:
    assert found(old, new, EXACTLY) == [named]


@pytest.mark.parametrize(
    ("old", "new", "promise"),
    [
        (fields("a", a=TEXT), fields("a", a=TEXT, b=TEXT), TAKEN),
        (fields("a", a=TEXT), fields("a", a=TEXT, b=TEXT), EXACTLY),
        (fields("a", a=TEXT), fields("a b", a=TEXT, b=TEXT), EXACTLY),
        (fields("a", a=TEXT), fields(a=TEXT), TAKEN),
        (fields(a=TEXT), fields("a", a=TEXT), EXACTLY),
        (words("a"), words("a", "b"), TAKEN),
        (words("a"), words("a", "b"), GIVEN),
        (words("a"), TEXT, TAKEN),
        (any_of(kind("a"), kind("b")), any_of(kind("a"), kind("b"), kind("c")), TAKEN),
        (any_of(kind("a"), kind("b")), any_of(kind("a"), kind("b"), kind("c")), GIVEN),
        (any_of(TEXT, NOTHING), {"type": ["null", "string"]}, TAKEN),
        (any_of(TEXT, NOTHING), TEXT, GIVEN),
        (WHOLE, any_of(NUMBER, TEXT), TAKEN),
        (fields(a=TEXT), {}, TAKEN),
        ({**TEXT, "pattern": "^a", "maxLength": 8}, {**TEXT, "maxLength": 9}, TAKEN),
        ({**fields(), "additionalProperties": False}, fields(), TAKEN),
        ({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 10}, GIVEN),
        ({**TEXT, "title": "A"}, {**TEXT, "title": "B", "description": "c", "deprecated": True}, EXACTLY),
    ],
)
def test_what_only_adds_breaks_nothing(old: Any, new: Any, promise: Promise) -> None:
    assert found(old, new, promise) == []


def test_references_are_followed_by_what_they_mean_and_not_by_name() -> None:
    old = {
        "$ref": "#/$defs/Node",
        "$defs": {"Node": fields("next", next=any_of({"$ref": "#/$defs/Node"}, NOTHING))},
    }
    renamed = {
        "$ref": "#/$defs/N",
        "$defs": {"N": fields("next", next=any_of({"$ref": "#/$defs/N"}, NOTHING))},
    }
    narrowed = {"$ref": "#/$defs/N", "$defs": {"N": fields("next", next={"$ref": "#/$defs/N"})}}

    assert found(old, renamed, TAKEN) == []
    assert found(old, narrowed, TAKEN) == ["it.next: no longer takes null"]


def test_an_alternative_is_compared_with_the_one_of_its_kind() -> None:
    old = any_of(kind("a", x=TEXT), kind("b", y=TEXT))
    new = any_of(kind("b", y=WHOLE), kind("a", x=TEXT))

    assert found(old, new, TAKEN) == ["it.y: no longer takes string"]


def test_an_alternative_is_compared_with_the_one_of_its_name_even_when_another_would_fit() -> None:
    union = any_of({"$ref": "#/$defs/One"}, {"$ref": "#/$defs/Two"})
    old = {**union, "$defs": {"One": fields("x y", x=TEXT, y=TEXT), "Two": fields("x", x=TEXT)}}
    new = {**union, "$defs": {"One": fields("x", x=TEXT), "Two": fields("x", x=TEXT)}}

    assert found(old, new, GIVEN) == ["it.y: is removed"]
