"""What is predicted never reaches pay: bonus may not read it, and nothing bonus is given carries it."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bonus
from fairloop.auth import Role
from fairloop.embedded import PostgresServer
from fairloop.events import TOPICS
from fairloop.events.schemas import FOLDER
from fairloop.service import load_service
from fairloop.testing import running
from fairloop.web.routes import ROLES_EXTENSION

PAYS = {Role.SERVICE, Role.FINANCE, Role.MANAGER, Role.EMPLOYEE}
"""Who calculates, approves or gets pay; `service` is what bonus calls kpi-aggregator with."""


async def test_no_role_that_pays_or_is_paid_may_read_a_prediction(postgres: PostgresServer) -> None:
    async with running(load_service("kpi_aggregator"), postgres) as box:
        paths = (await box.http().get("/openapi.json")).json()["paths"]
        of_predictions = {path: methods for path, methods in paths.items() if "prediction" in path}
        assert len(of_predictions) == 3

        for path, methods in of_predictions.items():
            for method, operation in methods.items():
                assert PAYS.isdisjoint(operation[ROLES_EXTENSION])
                url = path.replace("{id}", "01a20500-0000-7000-8000-000000000001")
                answer = await box.http("service", sub="bonus").request(method, url)
                assert answer.status_code == 403


def test_nothing_of_bonus_asks_for_one() -> None:
    sources = Path(inspect.getfile(bonus)).parent.rglob("*.py")
    asking = [source.name for source in sources if "prediction" in source.read_text().lower()]

    assert asking == []


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_no_event_carries_one(topic: str) -> None:
    for event_type in TOPICS[topic].types:
        schema = json.loads((FOLDER / f"{event_type.type}.json").read_text())
        assert not {name for name in names(schema) if "predict" in name.lower()}


async def test_no_figure_and_no_frozen_set_has_one(postgres: PostgresServer) -> None:
    async with running(load_service("kpi_aggregator"), postgres) as box:
        head = await box.http("service").post(
            "/v1/snapshots", json={"kpi": "nps", "period": {"from": "2026-01-01", "to": "2026-04-01"}}
        )
        snapshot = (await box.http("service").get(f"/v1/snapshots/{head.json()['id']}")).json()
        figure = (await box.http("service").get("/v1/kpis/nps/organisation/all")).json()

    assert snapshot["figures"]
    assert not {name for name in names([snapshot, figure]) if "predict" in name.lower()}


def names(of: Any) -> Iterator[str]:
    """Every key of a JSON value."""
    if isinstance(of, dict):
        for name, value in of.items():
            yield name
            yield from names(value)
    elif isinstance(of, list):
        for value in of:
            yield from names(value)
