"""The main job under fire: real processes, killed at random, and still every answer counted exactly once."""

import asyncio
import random
import time
from pathlib import Path

import httpx
import pytest
from tests.e2e.installation import Installation, installed
from tests.e2e.traffic import RESPONSES, Fold, deliveries, directory, interactions, send_all
from tests.form import LONG

from fairloop.services import SERVICES

pytestmark = pytest.mark.timeout(400)

KILLS = 3 if LONG else 1
SEND_SECONDS = 40 if LONG else 15
PATIENCE_SECONDS = 90


@pytest.mark.fault
async def test_every_2xx_is_counted_once_on_the_embedded_log(tmp_path: Path, prepared: Path) -> None:
    with installed(tmp_path / "home", prepared=prepared) as installation:
        await the_main_job(installation)


@pytest.mark.fault
@pytest.mark.kafka
async def test_every_2xx_is_counted_once_on_kafka(tmp_path: Path, prepared: Path, kafka: str) -> None:
    with installed(tmp_path / "home", prepared=prepared, FAIRLOOP_LOG_URL=kafka) as installation:
        await the_main_job(installation)


async def the_main_job(installation: Installation) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    await set_up(installation)
    everything = deliveries(chance)
    fold = Fold()
    for delivery in everything:
        fold.take(delivery)
    sending = asyncio.create_task(
        send_all(
            installation.url("survey-intake"),
            everything,
            per_second=len(everything) // SEND_SECONDS,
            seconds=120,
        )
    )
    await kill_everybody(installation, chance)
    ids = await sending
    try:
        await check_figures(installation, fold)
        await check_cases(installation, fold, ids)
        await check_responses(installation, fold, ids)
    except BaseException:
        print(installation.fairloop("parked", "list"))
        print(installation.logs())
        raise


async def set_up(installation: Installation) -> None:
    for service, path, body in directory():
        async with installation.client(service) as client:
            answer = await client.put(path, json=body)
            assert answer.is_success, answer.text
    async with installation.client("attribution") as client:
        for batch in interactions():
            answer = await client.post("/v1/interactions", json={"interactions": batch})
            assert answer.is_success, answer.text


async def kill_everybody(installation: Installation, chance: random.Random) -> None:
    """Each service in random order, at random moments of the sending, and each time a live one."""
    victims = list(SERVICES) * KILLS
    chance.shuffle(victims)
    pause = 0.8 * SEND_SECONDS / len(victims)
    killed: set[int] = set()
    for victim in victims:
        await asyncio.sleep(chance.uniform(0.5 * pause, 1.5 * pause))
        async with asyncio.timeout(60):
            while not await is_alive(installation, victim) or installation.pid(victim) in killed:
                await asyncio.sleep(0.1)
        killed.add(installation.kill(victim))
    assert len(killed) == len(victims)


async def is_alive(installation: Installation, service: str) -> bool:
    async with installation.client(service) as client:
        try:
            return (await client.get("/healthz")).is_success
        except httpx.TransportError:
            return False


async def check_figures(installation: Installation, fold: Fold) -> None:
    """The running figures, their recomputation and the fold of what was sent are the same."""
    expected = fold.counts()
    assert expected["organisation", "all", "all"][0] == RESPONSES
    async with installation.client("kpi-aggregator") as client:
        deadline = time.monotonic() + PATIENCE_SECONDS
        for (scope, id, view), counts in expected.items():
            found: tuple[int | None, ...] = ()
            while found != counts:
                answer = await client.get(
                    f"/v1/kpis/nps/{scope}/{id}", params={"view": view, "window": "60d"}
                )
                assert answer.status_code == 200, answer.text
                figure = answer.json()
                found = tuple(figure[name] for name in ("n", "promoters", "passives", "detractors"))
                assert found == counts or time.monotonic() < deadline, (scope, id, view, found, counts)
                await asyncio.sleep(0 if found == counts else 0.2)
        report = (await client.post("/v1/recompute")).json()
    assert report["equal"], report
    assert report["responses"] == RESPONSES


async def check_cases(installation: Installation, fold: Fold, ids: dict[int, str]) -> None:
    """Every detractor has a case, nobody two."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    wanted = {ids[number] for number in fold.detractors()}
    while True:
        cases = await every_case(installation)
        if wanted <= set(cases) or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.5)
    assert wanted <= set(cases)
    assert len(cases) == len(set(cases))


async def every_case(installation: Installation) -> list[str]:
    """The response id of every case."""
    found: list[str] = []
    async with installation.client("closed-loop") as client:
        cursor: str | None = None
        while True:
            parameters = {"limit": "500", **({"cursor": cursor} if cursor else {})}
            page = (await client.get("/v1/cases", params=parameters)).json()
            found += [case["response_id"] for case in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return found


async def check_responses(installation: Installation, fold: Fold, ids: dict[int, str]) -> None:
    """Intake holds each answer once, in its newest revision."""
    assert len(set(ids.values())) == len(ids) == RESPONSES
    async with installation.client("survey-intake") as client:
        for number, delivery in list(fold.newest.items())[:200]:
            answer = await client.get(
                "/v1/responses", params={"connection": "e2e", "external_id": f"answer-{number}"}
            )
            (response,) = answer.json()["items"]
            assert response["scores"]["nps"] == delivery.score
