"""What the services promise each other: committed schemas, committed examples, every consumer can take every one."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from fairloop.clock import system_clock
from fairloop.embedded import PostgresServer
from fairloop.events import EVENT_TYPES, TOPICS, EventData, consumed_by, topics_of
from fairloop.events.schemas import FOLDER, rendered
from fairloop.service import load_service
from fairloop.services import SERVICES
from fairloop.testing import ENVIRONMENT, running

EXAMPLES = sorted((FOLDER / "examples").glob("*.json"))


def type_of(example: Path) -> type[EventData]:
    return next(EVENT_TYPES[name] for name in EVENT_TYPES if example.name.startswith(f"{name}."))


def load(example: Path) -> EventData:
    return msgspec.json.decode(example.read_bytes(), type=type_of(example))


def test_the_committed_schemas_are_those_of_the_types() -> None:
    assert {path.name: path.read_text() for path in FOLDER.glob("*.json")} == rendered()


def test_every_type_has_an_example() -> None:
    assert {type_of(example).type for example in EXAMPLES} == set(EVENT_TYPES)


def test_every_topic_has_one_producing_service_and_its_types_say_so() -> None:
    for topic in TOPICS.values():
        assert topic.producer in SERVICES
        assert {event_type.topic for event_type in topic.types} == {topic.name}


@pytest.mark.parametrize(("name", "package"), SERVICES.items())
def test_the_catalogue_knows_who_reads_what(name: str, package: str) -> None:
    service = load_service(package)
    handled = set(service.handlers(service.settings.model_validate(ENVIRONMENT), system_clock))
    assert {topic.name for topic in consumed_by(name)} == {topic.name for topic in topics_of(handled)}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_keeps_its_schema_and_survives_a_round_trip(example: Path) -> None:
    content: dict[str, Any] = json.loads(example.read_text())
    schema = json.loads((FOLDER / f"{type_of(example).type}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(content)
    assert json.loads(msgspec.json.encode(load(example))) == content


@pytest.mark.parametrize("package", SERVICES.values())
async def test_a_consumer_takes_every_example_in_any_order_and_twice(
    package: str, postgres: PostgresServer
) -> None:
    service = load_service(package)
    events = [load(example) for example in EXAMPLES]
    for order in (events, events[::-1]):
        async with running(service, postgres) as box:
            await box.deliver(order)
            await box.deliver(order)
            for event in order:
                await box.deliver([event])
