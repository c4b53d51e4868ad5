"""A service without its database says so and heals; without the log it goes on accepting."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from tests.e2e.installation import Installation, installed
from tests.e2e.traffic import Delivery, directory
from tests.form import in_the_long_form

from fairloop.embedded import temporary_postgres
from fairloop.testing_kafka import KafkaCluster

pytestmark = [pytest.mark.timeout(300), pytest.mark.kafka]


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(90):
        while not await condition():
            await asyncio.sleep(0.2)


async def deliver(installation: Installation, number: int) -> httpx.Response:
    delivery = Delivery(number, 9, "quality", 0)
    async with httpx.AsyncClient(base_url=installation.url("survey-intake"), timeout=30) as client:
        return await client.post("/v1/webhooks/e2e", content=delivery.body(), headers=delivery.headers())


async def ready(installation: Installation) -> tuple[int, str, str]:
    async with httpx.AsyncClient(base_url=installation.url("survey-intake"), timeout=30) as client:
        answer = await client.get("/readyz")
        return answer.status_code, answer.json()["status"], " ".join(answer.json()["reasons"])


async def counted(installation: Installation) -> int:
    async with installation.client("kpi-aggregator") as client:
        return int((await client.get("/v1/kpis/nps/organisation/all")).json()["n"] or 0)


@in_the_long_form
@pytest.mark.fault(9)
async def test_without_its_database_or_the_log_nothing_is_lost(tmp_path: Path, prepared: Path) -> None:
    with temporary_postgres() as postgres:
        async with KafkaCluster(tmp_path / "kafka") as kafka:
            await postgres.ensure_role_and_database("intake", "a-password")
            url = postgres.url("intake", role="intake", password="a-password")
            environment = {"FAIRLOOP_LOG_URL": kafka.url, "FAIRLOOP_DATABASE_URL_SURVEY_INTAKE": url}
            with installed(tmp_path / "home", prepared=prepared, **environment) as installation:
                for service, path, body in directory():
                    async with installation.client(service) as client:
                        assert (await client.put(path, json=body)).is_success
                for number in range(10):
                    assert (await deliver(installation, number)).status_code == 202

                kafka.kill(1)
                await eventually(lambda: _says(installation, 200, "degraded", "event log"))
                for number in range(10, 20):
                    assert (await deliver(installation, number)).status_code == 202
                kafka.start(1)
                await kafka.wait_ready()
                await eventually(lambda: _counts(installation, 20))
                await eventually(lambda: _says(installation, 200, "ready", ""))

                postgres.stop("immediate")
                refused = await deliver(installation, 20)
                assert refused.status_code == 503
                assert int(refused.headers["retry-after"]) > 0
                await eventually(lambda: _says(installation, 503, "unready", "database"))
                postgres.start()
                await eventually(lambda: _says(installation, 200, "ready", ""))
                assert (await deliver(installation, 20)).status_code == 202
                await eventually(lambda: _counts(installation, 21))


async def _says(installation: Installation, status: int, state: str, reason: str) -> bool:
    found = await ready(installation)
    return found[:2] == (status, state) and reason in found[2]


async def _counts(installation: Installation, expected: int) -> bool:
    return await counted(installation) == expected
