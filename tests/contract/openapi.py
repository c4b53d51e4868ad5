"""`make openapi`: the OpenAPI document of each service, as it answers it, written to docs/api."""

import asyncio
import json
from pathlib import Path

from fairloop.embedded import PostgresServer, temporary_postgres
from fairloop.service import load_service
from fairloop.services import SERVICES
from fairloop.testing import running

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "api"


async def document(name: str, postgres: PostgresServer) -> str:
    """What the service named so says of itself, one key a line."""
    async with running(load_service(SERVICES[name]), postgres) as box:
        answer = await box.http().get("/openapi.json")
        return json.dumps(answer.json(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


async def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    with temporary_postgres() as postgres:
        for name in SERVICES:
            (FOLDER / f"{name}.json").write_text(await document(name, postgres))


if __name__ == "__main__":
    asyncio.run(write())
