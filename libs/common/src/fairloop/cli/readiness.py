"""Asking the services whether they are ready."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from fairloop.cli.installation import Installation, ServiceSpec
from fairloop.cli.keeper import Keeper
from fairloop.cli.log_files import tail
from fairloop.embedded import EmbeddedError

PATIENCE = 120.0
"""Seconds the services together may take to become ready."""


async def answer_of(client: httpx.AsyncClient, url: str) -> tuple[int | None, Mapping[str, Any]]:
    """(status, body) of /readyz; status None when nobody answers."""
    try:
        response = await client.get(f"{url}/readyz")
        return response.status_code, response.json()
    except (httpx.HTTPError, ValueError):
        return None, {}


async def wait_until_ready(installation: Installation, keepers: Sequence[Keeper]) -> None:
    """Raises EmbeddedError when a service ends before it was ready, or when it takes too long."""
    async with httpx.AsyncClient(timeout=5) as client, asyncio.TaskGroup() as group:
        for keeper in keepers:
            group.create_task(_wait_for(client, installation, keeper))


async def _wait_for(client: httpx.AsyncClient, installation: Installation, keeper: Keeper) -> None:
    service = keeper.service
    deadline = time.monotonic() + PATIENCE
    said = "it does not answer"
    while time.monotonic() < deadline:
        status, body = await answer_of(client, installation.url(service))
        if status == httpx.codes.OK:
            return
        if keeper.ends:
            raise EmbeddedError(f"{service.name} ended while starting{_last_words(installation, service)}")
        said = "; ".join(body.get("reasons", [])) or said
        await asyncio.sleep(0.1)
    raise EmbeddedError(f"{service.name} is not ready: {said}{_last_words(installation, service)}")


def _last_words(installation: Installation, service: ServiceSpec) -> str:
    path = installation.log_file(service.name)
    return f" ({path}):\n{tail(path)}"
