"""Every rule for calls, planted into a small document, and a removal of anything in a real one."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from tests.contract.breaking.rest import broken_calls
from tests.contract.openapi import FOLDER

Json = dict[str, Any]


def content(schema: Json) -> Json:
    return {"content": {"application/json": {"schema": schema}}}


SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
BEFORE: Json = {
    "paths": {
        "/v1/plans": {
            "get": {
                "parameters": [
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "default": 100}},
                    {"in": "query", "name": "status", "schema": {"$ref": "#/components/schemas/Status"}},
                ],
                "responses": {
                    "200": content({"type": "array", "items": {"$ref": "#/components/schemas/Plan"}})
                },
            }
        },
        "/v1/plans/{id}": {
            "put": {
                "parameters": [{"in": "path", "name": "id", "required": True, "schema": {"type": "string"}}],
                "requestBody": content({"$ref": "#/components/schemas/Plan"}),
                "responses": {"200": content({"$ref": "#/components/schemas/Plan"}), "404": {}},
            },
            "delete": {"responses": {"204": {}}, "x-fairloop-roles": ["admin", "manager"]},
        },
    },
    "components": {"schemas": {"Plan": SCHEMA, "Status": {"enum": ["draft", "published"]}}},
}


def drop_path(after: Json) -> None:
    del after["paths"]["/v1/plans"]


def drop_method(after: Json) -> None:
    del after["paths"]["/v1/plans/{id}"]["delete"]


def drop_parameter(after: Json) -> None:
    del after["paths"]["/v1/plans"]["get"]["parameters"][0]


def require_parameter(after: Json) -> None:
    after["paths"]["/v1/plans"]["get"]["parameters"][1]["required"] = True


def ask_for_a_new_parameter(after: Json) -> None:
    new = {"in": "header", "name": "If-Match", "required": True, "schema": {"type": "string"}}
    after["paths"]["/v1/plans/{id}"]["put"]["parameters"].append(new)


def other_default(after: Json) -> None:
    after["paths"]["/v1/plans"]["get"]["parameters"][0]["schema"]["default"] = 10


def narrow_parameter(after: Json) -> None:
    after["components"]["schemas"]["Status"]["enum"].remove("draft")


def narrow_path_parameter(after: Json) -> None:
    after["paths"]["/v1/plans/{id}"]["put"]["parameters"][0]["schema"]["format"] = "uuid"


def require_body(after: Json) -> None:
    after["paths"]["/v1/plans/{id}"]["put"]["requestBody"]["required"] = True


def drop_body(after: Json) -> None:
    del after["paths"]["/v1/plans/{id}"]["put"]["requestBody"]


def add_required_body(after: Json) -> None:
    after["paths"]["/v1/plans/{id}"]["delete"]["requestBody"] = {"required": True, **content(SCHEMA)}


def require_field(after: Json) -> None:
    after["components"]["schemas"]["Plan"]["required"] = ["name"]


def drop_field(after: Json) -> None:
    del after["components"]["schemas"]["Plan"]["properties"]["name"]


def nullable_field(after: Json) -> None:
    after["components"]["schemas"]["Plan"]["properties"]["name"]["type"] = ["string", "null"]


def drop_role(after: Json) -> None:
    after["paths"]["/v1/plans/{id}"]["delete"]["x-fairloop-roles"].remove("manager")


def ask_for_a_role(after: Json) -> None:
    after["paths"]["/v1/plans"]["get"]["x-fairloop-roles"] = ["admin"]


def drop_answer(after: Json) -> None:
    del after["paths"]["/v1/plans/{id}"]["put"]["responses"]["404"]


def other_media_type(after: Json) -> None:
    answer = after["paths"]["/v1/plans"]["get"]["responses"]["200"]
    answer["content"] = {"text/csv": {}}


PLANTED: list[tuple[Callable[[Json], None], list[str]]] = [
    (drop_path, ["/v1/plans: is removed"]),
    (drop_method, ["DELETE /v1/plans/{id}: is removed"]),
    (drop_parameter, ["GET /v1/plans query parameter limit: is removed"]),
    (require_parameter, ["GET /v1/plans query parameter status: is newly required"]),
    (ask_for_a_new_parameter, ["PUT /v1/plans/{id}: header parameter If-Match is newly required"]),
    (other_default, ["GET /v1/plans query parameter limit: left out, it meant 100 and means 10"]),
    (narrow_parameter, ["GET /v1/plans query parameter status: no longer has the word 'draft'"]),
    (narrow_path_parameter, ["PUT /v1/plans/{id} path parameter id: format was free, is uuid"]),
    (require_body, ["PUT /v1/plans/{id} body: is newly required"]),
    (drop_body, ["PUT /v1/plans/{id} body: is removed"]),
    (add_required_body, ["DELETE /v1/plans/{id} body: is newly required"]),
    (require_field, ["PUT /v1/plans/{id} body.name: is newly required"]),
    (
        drop_field,
        [
            "GET /v1/plans answer 200[].name: is removed",
            "PUT /v1/plans/{id} body.name: is removed",
            "PUT /v1/plans/{id} answer 200.name: is removed",
        ],
    ),
    (
        nullable_field,
        [
            "GET /v1/plans answer 200[].name: may now be null",
            "PUT /v1/plans/{id} answer 200.name: may now be null",
        ],
    ),
    (drop_role, ["DELETE /v1/plans/{id}: no longer takes the role manager"]),
    (ask_for_a_role, ["GET /v1/plans: now takes only admin"]),
    (drop_answer, ["PUT /v1/plans/{id} answer 404: is removed"]),
    (other_media_type, ["GET /v1/plans answer 200: application/json is removed"]),
]


@pytest.mark.parametrize(("plant", "named"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_planted_breakage_is_named(plant: Callable[[Json], None], named: list[str]) -> None:
    after = deepcopy(BEFORE)
    plant(after)

    assert [str(one) for one in broken_calls(BEFORE, after)] == named


def test_what_only_adds_breaks_nothing() -> None:
    after = deepcopy(BEFORE)
    plans, plan = after["paths"]["/v1/plans"], after["paths"].pop("/v1/plans/{id}")
    plans["get"]["parameters"].append({"in": "query", "name": "owner", "schema": {"type": "string"}})
    plans["get"]["responses"]["400"] = {}
    plans["post"] = {"responses": {"201": {}}}
    plan["delete"]["x-fairloop-roles"].append("analyst")
    plan["put"]["parameters"][0]["name"] = "plan"
    plan["put"]["requestBody"]["content"]["text/csv"] = {}
    after["paths"] |= {"/v1/plans/{plan}": plan, "/v1/periods": {"get": {"responses": {"200": {}}}}}
    after["components"]["schemas"]["Plan"]["properties"]["note"] = {"type": "string"}
    after["components"]["schemas"]["Status"]["enum"].append("retired")

    assert broken_calls(BEFORE, after) == []


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "asyncapi")
)
def test_no_path_method_or_answer_of_a_service_goes_unnoticed(name: str) -> None:
    document: Json = json.loads((FOLDER / f"{name}.json").read_text())
    assert broken_calls(document, document) == []
    without: Json = deepcopy(document)
    removed = 0
    for path, methods in without["paths"].items():
        for method, operation in methods.items():
            for status in list(operation["responses"]):
                answer = operation["responses"].pop(status)
                only = {
                    "paths": {path: {method: document["paths"][path][method]}},
                    "components": document["components"],
                }
                named = [str(one) for one in broken_calls(only, without)]
                operation["responses"][status] = answer
                assert named == [f"{method.upper()} {path} answer {status}: is removed"]
                removed += 1
    assert removed >= len(document["paths"])


def test_no_field_of_a_service_goes_unnoticed() -> None:
    document: Json = json.loads((FOLDER / "survey-intake.json").read_text())
    without: Json = deepcopy(document)
    fields, unnoticed = 0, []
    for name, schema in without["components"]["schemas"].items():
        told = schema.pop("properties", {})
        named = [str(one) for one in broken_calls(document, without)]
        unnoticed += [
            (name, field) for field in told if not any(f".{field}: is removed" in one for one in named)
        ]
        fields += len(told)
        if told:
            schema["properties"] = told

    assert unnoticed == []
    assert fields > 100
