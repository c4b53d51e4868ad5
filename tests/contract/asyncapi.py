"""`make asyncapi`: the AsyncAPI document of all events, made from the catalogue, the types, the examples and what each
service handles, written to docs/api."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from fairloop import __version__
from fairloop.clock import system_clock
from fairloop.events import EVENT_TYPES, TOPICS, EventData, Topic, topics_of
from fairloop.events.schemas import FOLDER as SCHEMAS
from fairloop.service import load_service
from fairloop.services import SERVICES
from fairloop.testing import ENVIRONMENT

FILE = Path(__file__).resolve().parents[2] / "docs" / "api" / "asyncapi.json"
EXAMPLES = SCHEMAS / "examples"
KAFKA_BINDING = "0.5.0"

Json = dict[str, Any]

INFO = {
    "title": "Fairloop events",
    "version": __version__,
    "license": {"name": "Apache-2.0"},
    "description": (
        "An event carries the full state of one aggregate and its `version`, never a delta: keep the highest version "
        "of a key. Within a partition `ce_pseq` counts from 1 without a gap; one seen again is a repeat. Keys go to "
        "partitions by murmur2, as Kafka's own clients do. Only optional fields are ever added; anything else is a "
        "new type or topic beside the old one."
    ),
}


def handled_by(package: str) -> set[type[EventData]]:
    """The event types that a service's worker takes from the log."""
    service = load_service(package)
    return set(service.handlers(service.settings.model_validate(ENVIRONMENT), system_clock))


def examples_of(event_type: type[EventData]) -> Mapping[str, Json]:
    """Name → payload of a type's committed examples."""
    found = sorted(EXAMPLES.glob(f"{event_type.type}.*.json"))
    return {
        path.name[len(event_type.type) + 1 : -len(".json")]: json.loads(path.read_text()) for path in found
    }


def headers(event_type: type[EventData], producer: str) -> Json:
    """CloudEvents 1.0 in Kafka's binary mode, as `fairloop.wire.to_record` writes it."""
    text = {"type": "string"}
    properties = {
        "ce_specversion": {**text, "const": "1.0"},
        "ce_id": {**text, "format": "uuid", "description": "The event's own id; a repeat has the same."},
        "ce_type": {**text, "const": event_type.type},
        "ce_source": {**text, "const": f"/fairloop/{producer}"},
        "ce_time": {**text, "format": "date-time"},
        "ce_subject": {**text, "description": "The aggregate, the same as the key."},
        "ce_pseq": {
            **text,
            "pattern": "^[1-9][0-9]*$",
            "description": "Its number in the partition, from 1.",
        },
        "content-type": {**text, "const": "application/json"},
    }
    traced = {
        "traceparent": {
            **text,
            "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$",
            "description": "W3C Trace Context, on events whose way is traced.",
        }
    }
    return {"type": "object", "properties": {**properties, **traced}, "required": list(properties)}


def message(event_type: type[EventData], producer: str, payload: Json) -> Json:
    examples = examples_of(event_type)
    keys = [msgspec.convert(payload, event_type, strict=False).key for payload in examples.values()]
    return {
        "name": event_type.type,
        "title": event_type.__name__,
        "summary": (event_type.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": headers(event_type, producer),
        "payload": payload,
        "bindings": {
            "kafka": {
                "key": {"type": "string", "examples": sorted(set(keys))},
                "bindingVersion": KAFKA_BINDING,
            }
        },
        "examples": [{"name": name, "payload": payload} for name, payload in examples.items()],
    }


def channel(topic: Topic) -> Json:
    return {
        "address": topic.name,
        "messages": {one.type: {"$ref": f"#/components/messages/{one.type}"} for one in topic.types},
        "bindings": {
            "kafka": {"topic": topic.name, "partitions": topic.partitions, "bindingVersion": KAFKA_BINDING}
        },
    }


def operation(action: str, service: str, topic: Topic, types: set[type[EventData]]) -> Json:
    """One service sends, or receives, these types of one topic; who receives does so as a group of its own name."""
    group = {"kafka": {"groupId": {"type": "string", "const": service}, "bindingVersion": KAFKA_BINDING}}
    return {
        "action": action,
        "tags": [{"name": service}],
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "messages": [
            {"$ref": f"#/channels/{topic.name}/messages/{one.type}"} for one in topic.types if one in types
        ],
        **({"bindings": group} if action == "receive" else {}),
    }


def operations() -> dict[str, Json]:
    sending = {
        f"{topic.producer}.send.{topic.name}": operation("send", topic.producer, topic, set(topic.types))
        for topic in TOPICS.values()
    }
    receiving = {
        f"{name}.receive.{topic.name}": operation("receive", name, topic, handled)
        for name, package in SERVICES.items()
        for handled in [handled_by(package)]
        for topic in topics_of(handled)
    }
    return sending | receiving


def document() -> str:
    """The whole document, one key a line."""
    payloads, schemas = msgspec.json.schema_components(
        EVENT_TYPES.values(), ref_template="#/components/schemas/{name}"
    )
    messages = {
        one.type: message(one, TOPICS[one.topic].producer, payload)
        for one, payload in zip(EVENT_TYPES.values(), payloads, strict=True)
    }
    whole = {
        "asyncapi": "3.0.0",
        "info": INFO,
        "defaultContentType": "application/json",
        "channels": {name: channel(topic) for name, topic in TOPICS.items()},
        "operations": operations(),
        "components": {
            "messages": messages,
            "schemas": schemas,
        },
    }
    return json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(document())
