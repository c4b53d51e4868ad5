"""The committed OpenAPI documents are what the services say."""

import json

import pytest
from tests.contract.openapi import FOLDER, document

from fairloop.embedded import PostgresServer
from fairloop.services import SERVICES


@pytest.mark.parametrize("name", SERVICES)
async def test_the_committed_document_is_what_the_service_says(name: str, postgres: PostgresServer) -> None:
    committed = (FOLDER / f"{name}.json").read_text()
    assert committed == await document(name, postgres), "run: make openapi"


@pytest.mark.parametrize("name", SERVICES)
def test_the_committed_document_is_openapi_3_1(name: str) -> None:
    assert json.loads((FOLDER / f"{name}.json").read_text())["openapi"].startswith("3.1.")
