"""What breaks for callers when one OpenAPI document takes the place of another."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.contract.breaking.schemas import Breaking, Comparison, Promise, Schema, breaks, find

from fairloop.web.routes import ROLES_EXTENSION

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
_NAMED = re.compile(r"\{([^}]*)\}")


def broken_calls(old: Schema, new: Schema) -> list[Breaking]:
    """Everything that a caller who keeps to the old document would notice."""
    return list(dict.fromkeys(_paths(old, new)))


def _paths(old: Schema, new: Schema) -> Iterator[Breaking]:
    now = {_NAMED.sub("{}", path): path for path in new["paths"]}
    for path, methods in old["paths"].items():
        path_now = now.get(_NAMED.sub("{}", path))
        if path_now is None:
            yield Breaking(path, "is removed")
            continue
        for method in METHODS:
            if method not in methods:
                continue
            call = f"{method.upper()} {path}"
            if method not in new["paths"][path_now]:
                yield Breaking(call, "is removed")
                continue
            taken = Comparison(old, new, Promise.TAKEN, call)
            was, is_now = methods[method], new["paths"][path_now][method]
            yield from _roles(was, is_now, taken)
            yield from _parameters(
                _by_place(path, methods, was, old),
                _by_place(path_now, new["paths"][path_now], is_now, new),
                taken,
            )
            yield from _body(was.get("requestBody"), is_now.get("requestBody"), taken.below(" body"))
            yield from _answers(
                was["responses"], is_now["responses"], Comparison(old, new, Promise.GIVEN, call)
            )


def _roles(old: Schema, new: Schema, here: Comparison) -> Iterator[Breaking]:
    """Who may call; without a list, everybody."""
    if ROLES_EXTENSION not in new:
        return
    if ROLES_EXTENSION not in old:
        yield here.says(f"now takes only {', '.join(new[ROLES_EXTENSION])}")
        return
    for role in old[ROLES_EXTENSION]:
        if role not in new[ROLES_EXTENSION]:
            yield here.says(f"no longer takes the role {role}")


def _by_place(path: str, methods: Schema, operation: Schema, root: Schema) -> dict[tuple[str, str], Schema]:
    """The parameters by where they are and their name; those in the path by their position, for that is what counts."""
    order = _NAMED.findall(path)
    found: dict[tuple[str, str], Schema] = {}
    for told in (*methods.get("parameters", ()), *operation.get("parameters", ())):
        parameter = find(root, told["$ref"]) if "$ref" in told else told
        place, name = parameter["in"], parameter["name"]
        if place == "path":
            name = str(order.index(name))
        found[place, name.lower() if place == "header" else name] = parameter
    return found


def _parameters(
    old: Mapping[tuple[str, str], Schema], new: Mapping[tuple[str, str], Schema], here: Comparison
) -> Iterator[Breaking]:
    for key, parameter in old.items():
        there = here.below(f" {parameter['in']} parameter {parameter['name']}")
        if key not in new:
            yield there.says("is removed")
            continue
        is_now = new[key]
        required, required_now = parameter.get("required", False), is_now.get("required", False)
        if required_now and not required:
            yield there.says("is newly required")
        was, schema = parameter.get("schema", {}), is_now.get("schema", {})
        if not (required or required_now) and was.get("default") != schema.get("default"):
            yield there.says(f"left out, it meant {was.get('default')!r} and means {schema.get('default')!r}")
        yield from breaks(was, schema, there)
    for key in new:
        if key not in old and new[key].get("required", False):
            yield here.says(f"{new[key]['in']} parameter {new[key]['name']} is newly required")


def _body(old: Schema | None, new: Schema | None, here: Comparison) -> Iterator[Breaking]:
    if old is None:
        if new is not None and new.get("required", False):
            yield here.says("is newly required")
        return
    if new is None:
        yield here.says("is removed")
        return
    if new.get("required", False) and not old.get("required", False):
        yield here.says("is newly required")
    yield from _content(old["content"], new["content"], here)


def _answers(old: Mapping[str, Any], new: Mapping[str, Any], here: Comparison) -> Iterator[Breaking]:
    for status in old:
        there = here.below(f" answer {status}")
        if status not in new:
            yield there.says("is removed")
        else:
            yield from _content(old[status].get("content", {}), new[status].get("content", {}), there)


def _content(old: Mapping[str, Any], new: Mapping[str, Any], here: Comparison) -> Iterator[Breaking]:
    for media_type in old:
        if media_type not in new:
            yield here.says(f"{media_type} is removed")
        else:
            yield from breaks(old[media_type].get("schema", {}), new[media_type].get("schema", {}), here)
