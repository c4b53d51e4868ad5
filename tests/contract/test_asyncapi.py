"""The committed AsyncAPI document is what the catalogue and the services say, and tells the truth about records."""

import json
from typing import Any
from uuid import UUID

import jsonschema
import msgspec
import pytest
from tests.contract.asyncapi import FILE, document, examples_of, handled_by

from fairloop.clock import system_clock
from fairloop.events import EVENT_TYPES, TOPICS
from fairloop.services import SERVICES
from fairloop.wire import to_record


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text())
    return content


def test_the_committed_document_is_what_the_catalogue_and_the_services_say() -> None:
    assert FILE.read_text() == document(), "run: make asyncapi"


def test_every_service_receives_what_it_handles_and_nothing_else(committed: dict[str, Any]) -> None:
    received: dict[str, set[str]] = {name: set() for name in SERVICES}
    for operation in committed["operations"].values():
        if operation["action"] == "receive":
            names = {message["$ref"].rsplit("/", 1)[1] for message in operation["messages"]}
            received[operation["bindings"]["kafka"]["groupId"]["const"]] |= names

    assert received == {name: {one.type for one in handled_by(package)} for name, package in SERVICES.items()}


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_the_record_of_an_example_is_as_its_message_says(name: str, committed: dict[str, Any]) -> None:
    event_type = EVENT_TYPES[name]
    told = committed["components"]["messages"][name]
    payload_schema = {**told["payload"], "components": committed["components"]}
    for payload in examples_of(event_type).values():
        key = msgspec.convert(payload, event_type, strict=False).key
        record = to_record(
            source=TOPICS[event_type.topic].producer,
            event_id=UUID(int=7),
            type=name,
            key=key,
            payload=json.dumps(payload).encode(),
            pseq=1,
            time=system_clock(),
            traceparent=f"00-{7:032x}-{7:016x}-01",
        )
        headers = {header: value.decode() for header, value in record.headers}

        assert set(headers) == set(told["headers"]["properties"])
        jsonschema.Draft202012Validator(told["headers"]).validate(headers)
        jsonschema.Draft7Validator(payload_schema).validate(payload)
        assert headers["ce_subject"] == record.key.decode()
        assert record.key.decode() in told["bindings"]["kafka"]["key"]["examples"]
