"""`fairloop status`: what runs, and what its operator has to look at."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families
from rich.table import Table

from fairloop.cli.installation import SERVICES, Installation, ServiceSpec
from fairloop.cli.readiness import answer_of

FIGURES = {
    "lag": "fairloop_consumer_lag",
    "outbox": "fairloop_outbox_depth",
    "parked": "fairloop_parked_keys",
    "halted": "fairloop_partition_halted",
}
"""Column → the gauge whose samples are added up."""


@dataclass(frozen=True, slots=True)
class State:
    service: ServiceSpec
    readiness: str
    """"ready", "degraded", "unready", or "down" when nobody answers."""
    reasons: tuple[str, ...]
    figures: Mapping[str, int]


async def states_of(installation: Installation) -> list[State]:
    async with httpx.AsyncClient(timeout=5) as client:
        return await asyncio.gather(*(_state(client, installation, service) for service in SERVICES))


async def _state(client: httpx.AsyncClient, installation: Installation, service: ServiceSpec) -> State:
    url = installation.url(service)
    status, body = await answer_of(client, url)
    if status is None:
        return State(service, "down", ("it does not answer",), {})
    readiness = str(body.get("status", "ready" if status == httpx.codes.OK else "unready"))
    metrics = await client.get(f"{url}/metrics")
    return State(service, readiness, tuple(body.get("reasons", ())), figures_in(metrics.text))


def figures_in(metrics: str) -> dict[str, int]:
    """The columns' figures from a page of metrics; a gauge that is not on it is left out."""
    sums: dict[str, int] = {}
    for family in text_string_to_metric_families(metrics):
        for column, gauge in FIGURES.items():
            if family.name == gauge and family.samples:
                sums[column] = int(sum(sample.value for sample in family.samples))
    return sums


def table_of(installation: Installation, states: Iterable[State], pids: Mapping[str, int]) -> Table:
    """One line a service; the reasons why one is not ready follow under the table."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("service", "address", "process", "state", *FIGURES):
        table.add_column(
            name, no_wrap=True, overflow="ignore", justify="right" if name in FIGURES else "left"
        )
    for state in states:
        colour = {"ready": "green", "degraded": "yellow"}.get(state.readiness, "red")
        table.add_row(
            state.service.name,
            installation.url(state.service),
            str(pids.get(state.service.name, "–")),
            f"[{colour}]{state.readiness}[/]",
            *(str(state.figures.get(column, "–")) for column in FIGURES),
        )
    return table
