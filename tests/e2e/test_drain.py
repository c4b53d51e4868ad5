"""SIGTERM: what is in flight is finished, nothing new is taken, the process ends soon."""

import asyncio
import os
import signal
import time

import httpx
import pytest
from tests.e2e.installation import Installation

pytestmark = pytest.mark.timeout(120)


async def test_a_request_in_flight_is_answered_before_the_process_ends(installation: Installation) -> None:
    connection = {"platform": "fairloop", "unsigned": True, "survey_type": "relationship"}
    async with installation.client("survey-intake") as client:
        assert (await client.put("/v1/connections/drain", json=connection)).is_success
    url = httpx.URL(installation.url("survey-intake"))
    pid = installation.pid("survey-intake")
    reader, writer = await asyncio.open_connection(url.host, url.port)
    body = (
        b'{"connection": "drain", "survey_id": "s", "response_id": "in-flight",'
        b' "submitted_at": "2026-01-01T00:00:00Z", "scores": {"nps": 9}}'
    )
    head = f"POST /v1/webhooks/drain HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[:40])
    await writer.drain()
    # the server has begun with it once it answers something that was sent later
    async with httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/healthz")).is_success

    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    async with asyncio.timeout(20):
        while await takes_connections(url):
            await asyncio.sleep(0.02)
        writer.write(body[40:])
        await writer.drain()
        status = await reader.readline()
        assert status.startswith(b"HTTP/1.1 202"), status
        writer.close()
        while is_running(pid):
            await asyncio.sleep(0.05)
    assert time.monotonic() - began < 20
    async with asyncio.timeout(60):
        while not await takes_connections(url):
            await asyncio.sleep(0.1)


async def takes_connections(url: httpx.URL) -> bool:
    try:
        _, writer = await asyncio.open_connection(url.host, url.port)
    except OSError:
        return False
    writer.close()
    return True


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
