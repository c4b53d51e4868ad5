"""The committed JSON Schemas, generated from the event types: `python -m fairloop.events.schemas` renews them."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from fairloop.events.catalogue import EVENT_TYPES, TOPICS

FOLDER = Path(__file__).parents[3] / "schemas"


def schema_of(type_name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one event type's payload."""
    event_type = EVENT_TYPES[type_name]
    (schema,), components = msgspec.json.schema_components([event_type], ref_template="#/$defs/{name}")
    producer = next(topic.producer for topic in TOPICS.values() if event_type in topic.types)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:fairloop:event:{type_name}",
        "title": type_name,
        "description": f"Published by {producer} on {event_type.topic}.",
        **schema,
        "$defs": components,
    }


def rendered() -> dict[str, str]:
    """File name → content of every committed schema."""
    return {
        f"{name}.json": json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"
        for name in sorted(EVENT_TYPES)
    }


def main() -> int:
    """Write the schemas; with `--check`, say which differ instead and answer 1."""
    stale = [
        name
        for name, content in rendered().items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text() != content
    ]
    if "--check" in sys.argv:
        print(
            "\n".join(f"not as the types say, run `make schemas`: {name}" for name in stale)
            or "schemas == types"
        )
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name, content in rendered().items():
        (FOLDER / name).write_text(content)
    print(f"{len(rendered())} schemas, {len(stale)} changed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
