"""What breaks for others when one JSON Schema takes the place of another.

A schema is read as the list of its alternatives, one JSON type each: a union, a list of types and an enum of mixed
words all come to that. Then every alternative of one side must find its place on the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

Schema = Mapping[str, Any]

ANNOTATIONS = {"$id", "$schema", "$defs", "title", "description", "default", "examples", "discriminator"}
ANNOTATIONS |= {"deprecated", "readOnly", "writeOnly"}
LOWEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
HIGHEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
FORMS = ("format", "pattern", "multipleOf", "uniqueItems")
OF_OBJECTS = {"properties", "required", "additionalProperties", "patternProperties", "propertyNames"}
OF_ARRAYS = {"items", "prefixItems"}
JUDGED = {"$ref", "type", "enum", "const", "anyOf", "oneOf", *LOWEST, *HIGHEST, *FORMS, *ANNOTATIONS}
JUDGED |= OF_OBJECTS | OF_ARRAYS

ANYTHING = "anything"
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


class Promise(Enum):
    """What must go on to hold.

    TAKEN: who sends what was right before is still understood. GIVEN: who reads what was told before can read what is
    sent now; new fields and new words of an enum are to be expected, and limits of length and size are not told.
    GIVEN_EXACTLY: the same, but only for new fields.
    """

    TAKEN = "taken"
    GIVEN = "given"
    GIVEN_EXACTLY = "given exactly"


@dataclass(frozen=True, slots=True)
class Breaking:
    """One thing that breaks, and where."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two documents, for the references in their schemas, and where in them we are."""

    old: Schema
    new: Schema
    promise: Promise
    at: str
    inside: frozenset[tuple[str, str]] = frozenset()

    def below(self, step: str) -> "Comparison":
        return replace(self, at=f"{self.at}{step}")

    def says(self, what: str) -> Breaking:
        return Breaking(self.at, what)


def breaks(old: Any, new: Any, here: Comparison) -> list[Breaking]:
    """Everything that breaks when `new` takes the place of `old`, each once."""
    return list(dict.fromkeys(_compared(old, new, here)))


def _compared(old: Any, new: Any, here: Comparison) -> Iterator[Breaking]:
    olds, news = alternatives(old, here.old), alternatives(new, here.new)
    unknown = sorted({keyword for one in (*olds, *news) for keyword in one if keyword not in JUDGED})
    if unknown:
        yield here.says(f"uses {', '.join(unknown)}, which cannot be compared")
        return
    kinds = max(len([one for one in side if _tag(one)[0]]) for side in (olds, news)) > 1
    if here.promise is Promise.TAKEN:
        for one in olds:
            yield from _closest(one, [(one, other) for other in news], here, kinds=kinds)
    else:
        for one in news:
            yield from _closest(one, [(other, one) for other in olds], here, kinds=kinds)


def _closest(
    one: Schema, pairs: Sequence[tuple[Schema, Schema]], here: Comparison, *, kinds: bool
) -> Iterator[Breaking]:
    """What breaks between an alternative and the one of the other side that it fits best; `pairs` are old and new.

    With `kinds`, objects are told apart by a field that names their kind. A new kind is like a new word of an enum.
    """
    name, value = _tag(one)
    if kinds and name:
        pairs = [(old, new) for old, new in pairs if _tag(old) == _tag(new)]
        if not pairs:
            if here.promise is Promise.TAKEN:
                yield here.says(f"no longer takes the {name} {value!r}")
            elif here.promise is Promise.GIVEN_EXACTLY:
                yield here.says(f"has a new {name}, {value!r}")
            return
    fitting = [(old, new) for old, new in pairs if _fits(old, new, here.promise)]
    of_the_same_name = [(old, new) for old, new in fitting if old.get("$ref", "") == new.get("$ref")]
    if fitting:
        yield from min((list(_kept(old, new, here)) for old, new in of_the_same_name or fitting), key=len)
    elif here.promise is Promise.TAKEN:
        yield here.says(f"no longer takes {one['type']}")
    else:
        yield here.says(f"may now be {one['type']}")


def _tag(schema: Schema) -> tuple[str, Any]:
    """The name and value of a field that says which kind of object it is; no name when there is none."""
    for name, field in sorted(schema.get("properties", {}).items()):
        words = [field["const"]] if "const" in field else field.get("enum", ())
        if len(words) == 1:
            return name, words[0]
    return "", None


def _fits(old: Schema, new: Schema, promise: Promise) -> bool:
    narrow, wide = (old, new) if promise is Promise.TAKEN else (new, old)
    if wide["type"] in {ANYTHING, narrow["type"]}:
        return True
    return bool(wide["type"] == "number" and narrow["type"] == "integer")


def alternatives(schema: Any, root: Schema) -> list[Schema]:
    """What a schema allows, one JSON type each: references followed, unions flattened, const written as enum.

    What came by a reference keeps it, so that a schema within itself is known again.
    """
    if isinstance(schema, bool):
        return [{"type": ANYTHING}] if schema else []
    whole, follow = dict(schema), "$ref" in schema
    while follow:
        target = find(root, whole["$ref"])
        whole, follow = {**whole, **target}, "$ref" in target
    for union in ("anyOf", "oneOf"):
        if union in whole:
            branches = whole.pop(union)
            around = {keyword: value for keyword, value in whole.items() if keyword not in ANNOTATIONS}
            return [
                {**around, **one}
                for branch in branches
                for one in alternatives(branch, root)
            ]  # fmt: skip
    if "const" in whole:
        whole["enum"] = [whole.pop("const")]
    types = whole.get("type") or _types_meant(whole)
    return [_of_type(whole, one) for one in ([types] if isinstance(types, str) else types)]


def find(root: Schema, reference: str) -> Schema:
    """What a reference into the same document means. Raises KeyError when nothing is there."""
    here: Any = root
    for step in reference.removeprefix("#/").split("/"):
        here = here[step.replace("~1", "/").replace("~0", "~")]
    found: Schema = here
    return found


def _types_meant(schema: Schema) -> list[str]:
    """The types of a schema that does not say them, by its keywords."""
    if "enum" in schema:
        return sorted({_type_of(word) for word in schema["enum"]})
    if not OF_OBJECTS.isdisjoint(schema):
        return ["object"]
    return [ANYTHING] if OF_ARRAYS.isdisjoint(schema) else ["array"]


def _type_of(value: Any) -> str:
    return "null" if value is None else TYPES[type(value)]


def _of_type(schema: dict[str, Any], type_name: str) -> Schema:
    if "enum" not in schema:
        return {**schema, "type": type_name}
    wide = {"number", "integer"} if type_name == "number" else {type_name}
    return {**schema, "type": type_name, "enum": [word for word in schema["enum"] if _type_of(word) in wide]}


def _kept(old: Schema, new: Schema, here: Comparison) -> Iterator[Breaking]:
    """What breaks between two alternatives that may stand for each other."""
    if (new if here.promise is Promise.TAKEN else old)["type"] == ANYTHING:
        return
    if "$ref" in old and "$ref" in new:
        references = old["$ref"], new["$ref"]
        if references in here.inside:
            return
        here = replace(here, inside=here.inside | {references})
    yield from _words(old.get("enum"), new.get("enum"), here)
    yield from _forms(old, new, here)
    if here.promise is not Promise.GIVEN:
        yield from _limits(old, new, here)
    if old["type"] == "object":
        yield from _objects(old, new, here)
    if old["type"] == "array":
        yield from _arrays(old, new, here)


def _words(old: Sequence[Any] | None, new: Sequence[Any] | None, here: Comparison) -> Iterator[Breaking]:
    if old is not None and new is not None:
        for word in old:
            if word not in new:
                yield here.says(f"no longer has the word {word!r}")
        if here.promise is Promise.GIVEN_EXACTLY:
            for word in new:
                if word not in old:
                    yield here.says(f"has a new word, {word!r}")
    elif new is not None and here.promise is Promise.TAKEN:
        yield here.says(f"takes only {', '.join(map(repr, new))} now")
    elif old is not None and here.promise is not Promise.TAKEN:
        yield here.says("is no longer one of a list of words")


def _forms(old: Schema, new: Schema, here: Comparison) -> Iterator[Breaking]:
    """Forms cannot be compared with each other: only giving one up (taken) or adding one (given) keeps the promise."""
    for form in FORMS:
        was, is_now = old.get(form), new.get(form)
        freed = is_now if here.promise is Promise.TAKEN else was
        if was != is_now and freed:
            yield here.says(f"{form} was {was or 'free'}, is {is_now or 'free'}")


def _limits(old: Schema, new: Schema, here: Comparison) -> Iterator[Breaking]:
    narrow, wide = (old, new) if here.promise is Promise.TAKEN else (new, old)
    for limit in (*LOWEST, *HIGHEST):
        if limit not in wide:
            continue
        held = narrow.get(limit)
        if held is None or (wide[limit] > held if limit in LOWEST else wide[limit] < held):
            yield here.says(f"{limit} was {old.get(limit, 'free')}, is {new.get(limit, 'free')}")


def _arrays(old: Schema, new: Schema, here: Comparison) -> Iterator[Breaking]:
    first, second = old.get("prefixItems", ()), new.get("prefixItems", ())
    if len(first) != len(second):
        yield here.says(f"had {len(first)} items of their own, has {len(second)}")
    for index, (was, is_now) in enumerate(zip(first, second, strict=False)):
        yield from _compared(was, is_now, here.below(f"[{index}]"))
    yield from _compared(old.get("items", True), new.get("items", True), here.below("[]"))


def _objects(old: Schema, new: Schema, here: Comparison) -> Iterator[Breaking]:
    taken = here.promise is Promise.TAKEN
    fields, now = old.get("properties", {}), new.get("properties", {})
    needed, needed_now = set(old.get("required", ())), set(new.get("required", ()))
    for name in fields:
        there = here.below(f".{name}")
        if name not in now:
            yield there.says("is removed")
            continue
        if not taken and name in needed and name not in needed_now:
            yield there.says("is no longer always there")
        if taken and name not in needed | needed_now:
            yield from _default(fields[name], now[name], there)
        yield from _compared(fields[name], now[name], there)
    if taken:
        for name in sorted(needed_now - needed):
            yield here.below(f".{name}").says("is newly required")
    yield from _others(old, new, here)


def _default(old: Any, new: Any, here: Comparison) -> Iterator[Breaking]:
    was, is_now = old.get("default"), new.get("default")
    if was != is_now:
        yield here.says(f"left out, it meant {was!r} and means {is_now!r}")


def _others(old: Schema, new: Schema, here: Comparison) -> Iterator[Breaking]:
    """Fields without a fixed name."""
    there = here.below(".*")
    was, is_now = old.get("additionalProperties", True), new.get("additionalProperties", True)
    if here.promise is Promise.TAKEN and is_now is False and was is not False:
        yield there.says("fields that are not named are refused now")
    elif was is not False and is_now is not False:
        yield from _compared(was, is_now, there)
    patterns, patterns_now = old.get("patternProperties", {}), new.get("patternProperties", {})
    for pattern in sorted({*patterns, *patterns_now}):
        if pattern in patterns and pattern in patterns_now:
            yield from _compared(patterns[pattern], patterns_now[pattern], here.below(f".({pattern})"))
        else:
            yield there.says(
                f"names like {pattern} are {'told apart' if pattern in patterns_now else 'not told apart'} now"
            )
    names, names_now = ({"type": "string", **one.get("propertyNames", {})} for one in (old, new))
    yield from _compared(names, names_now, here.below(".(name)"))
