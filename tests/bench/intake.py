"""Webhooks taken in a second: the real survey-intake against routes that only read the body."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from tests.bench.grounds import new_database
from tests.bench.processes import result_of, run, server
from tests.bench.rounds import Comparison, Effort, at_least, in_turns
from tests.integration.survey_intake.platform import MAPPING, SECRET

from fairloop.auth import Role, mint_token
from fairloop.embedded import PostgresServer
from fairloop.testing import ENVIRONMENT, PRIVATE_KEY
from fairloop.testing_kafka import free_ports

ROUTE = "/v1/webhooks/glass"
TARGETS = {
    "a bare FastAPI route": (1, at_least(0.9)),
    "a bare Starlette route": (1, at_least(0.65)),
    "pydantic and an ORM session a request": (2, at_least(8)),
}
"""Each baseline's name, its row, and what we want to reach of it."""
PLAIN = "pydantic and an ORM session a request"


async def compare_intake(postgres: PostgresServer, folder: Path, effort: Effort) -> list[Comparison]:
    """Everything is the real thing but the worker: the events wait in the outbox."""
    intake_port, bare_port, plain_port = free_ports(3)
    plain_database = await new_database(postgres, "plain")
    environment = intake_environment(await new_database(postgres, "survey_intake"), intake_port)
    await run("survey_intake.main", "migrate", environment=environment)
    log = folder / "intake.log"
    async with (
        server("survey_intake.main", "api", port=intake_port, log=log, environment=environment),
        server("tests.bench.bare", str(bare_port), port=bare_port, log=folder / "bare.log"),
        server(
            "tests.bench.plain", str(plain_port), plain_database, port=plain_port, log=folder / "plain.log"
        ),
    ):
        await connect_platform(intake_port)
        rates = await in_turns(
            effort.rounds,
            {
                "Fairloop": webhooks_taken(intake_port, ROUTE, effort.webhooks),
                "a bare FastAPI route": webhooks_taken(bare_port, ROUTE, effort.webhooks),
                "a bare Starlette route": webhooks_taken(bare_port, f"/starlette{ROUTE}", effort.webhooks),
                PLAIN: webhooks_taken(plain_port, ROUTE, effort.webhooks // 4),
            },
        )
    return [
        Comparison(row, f"webhooks taken, vs. {name}", rates["Fairloop"], "/s", rates[name], target)
        for name, (row, target) in TARGETS.items()
    ]


def intake_environment(database_url: str, port: int) -> dict[str, str]:
    """Of a survey-intake that is measured."""
    return {f"FAIRLOOP_{name.upper()}": value for name, value in ENVIRONMENT.items()} | {
        "FAIRLOOP_DATABASE_URL": database_url,
        "FAIRLOOP_PORT": str(port),
    }


async def connect_platform(port: int) -> None:
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


def webhooks_taken(port: int, path: str, count: int) -> Callable[[int], Awaitable[float]]:
    async def rate(number: int) -> float:
        """2xx a second. Raises RuntimeError when anything else was answered."""
        result = await result_of("tests.bench.load", str(port), path, str(count), f"series{number}")
        if result["statuses"] != {"202": count}:
            raise RuntimeError(f"{path} answered {result['statuses']}")
        return count / float(result["seconds"])

    return rate
