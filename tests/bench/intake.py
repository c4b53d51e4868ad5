"""Webhooks taken in a second: the real survey-intake against routes that only read the body."""

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from tests.bench.processes import result_of, run, server
from tests.bench.rounds import Comparison, Effort, in_turns
from tests.integration.survey_intake.platform import MAPPING, SECRET

from fairloop.auth import Role, mint_token
from fairloop.embedded import PostgresServer
from fairloop.testing import ENVIRONMENT, PRIVATE_KEY
from fairloop.testing_kafka import free_ports

ROUTE = "/v1/webhooks/glass"
TARGETS = {"bare FastAPI": "≥ 0.90", "bare Starlette": "≥ 0.65"}
"""Each baseline's name and what we want to reach of it."""


async def compare_intake(postgres: PostgresServer, folder: Path, effort: Effort) -> list[Comparison]:
    """Everything is the real thing but the worker: the events wait in the outbox."""
    password = secrets.token_hex(16)
    await postgres.ensure_role_and_database("survey_intake", password)
    intake_port, bare_port = free_ports(2)
    environment = {f"FAIRLOOP_{name.upper()}": value for name, value in ENVIRONMENT.items()} | {
        "FAIRLOOP_DATABASE_URL": postgres.url("survey_intake", role="survey_intake", password=password),
        "FAIRLOOP_PORT": str(intake_port),
    }
    await run("survey_intake.main", "migrate", environment=environment)
    log = folder / "intake.log"
    async with (
        server("survey_intake.main", "api", port=intake_port, log=log, environment=environment),
        server("tests.bench.bare", str(bare_port), port=bare_port, log=folder / "bare.log"),
    ):
        await _connect(intake_port)
        rates = await in_turns(
            effort.rounds,
            {
                "Fairloop": _measure(intake_port, ROUTE, effort.webhooks),
                "bare FastAPI": _measure(bare_port, ROUTE, effort.webhooks),
                "bare Starlette": _measure(bare_port, f"/starlette{ROUTE}", effort.webhooks),
            },
        )
    return [
        Comparison(f"webhooks taken, vs. {name}", rates["Fairloop"], rates[name], "/s", target)
        for name, target in TARGETS.items()
    ]


async def _connect(port: int) -> None:
    """Make the connection the webhooks are for."""
    token = mint_token(PRIVATE_KEY, sub="bench", role_names=[Role.ADMIN])
    settings = {
        "platform": "formbricks",
        "secrets": [SECRET],
        "survey_type": "transactional",
        "mapping": MAPPING,
    }
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        answer = await client.put(f"http://127.0.0.1:{port}/v1/connections/glass", json=settings)
        answer.raise_for_status()


def _measure(port: int, path: str, count: int) -> Callable[[int], Awaitable[float]]:
    async def rate(number: int) -> float:
        """2xx a second. Raises RuntimeError when anything else was answered."""
        result = await result_of("tests.bench.load", str(port), path, str(count), f"series{number}")
        if result["statuses"] != {"202": count}:
            raise RuntimeError(f"{path} answered {result['statuses']}")
        return count / float(result["seconds"])

    return rate
