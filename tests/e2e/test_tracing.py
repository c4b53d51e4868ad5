"""One trace through a whole installation: from a webhook to figure and case, and on to somebody's statement."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tests.e2e.collector import Collector, Told, collector
from tests.e2e.installation import installed
from tests.e2e.systems.company import component
from tests.e2e.systems.paid_company import PaidCompany

pytestmark = pytest.mark.timeout(240)

WEBHOOK = ("survey-intake", "POST /v1/webhooks/{connection}")
STATEMENT = ("bonus", "GET /v1/periods/{id}/statements/{employee}")
CALCULATION = ("bonus", "POST /v1/periods/{id}/calculate")
WAY = {
    ("survey-intake", "send survey.response.v1"): WEBHOOK,
    ("attribution", "process survey.response.v1"): ("survey-intake", "send survey.response.v1"),
    ("attribution", "send attribution.result.v1"): ("attribution", "process survey.response.v1"),
    ("kpi-aggregator", "process attribution.result.v1"): ("attribution", "send attribution.result.v1"),
    ("closed-loop", "process attribution.result.v1"): ("attribution", "send attribution.result.v1"),
    ("closed-loop", "send closedloop.case.v1"): ("closed-loop", "process attribution.result.v1"),
    ("kpi-aggregator", "POST /v1/snapshots"): CALCULATION,
    ("kpi-aggregator", "send kpi.snapshot.v1"): ("kpi-aggregator", "POST /v1/snapshots"),
    ("bonus", "process kpi.snapshot.v1"): ("kpi-aggregator", "send kpi.snapshot.v1"),
}
"""Each step and the one it comes from."""


async def test_one_trace_leads_from_the_webhook_to_figure_case_and_statement(
    tmp_path: Path, prepared: Path
) -> None:
    trace, caller = secrets.token_hex(16), secrets.token_hex(8)
    with (
        collector() as told,
        installed(
            tmp_path / "home",
            prepared=prepared,
            FAIRLOOP_OTLP_URL=told.url,
            OTEL_BSP_SCHEDULE_DELAY="100",
        ) as installation,
    ):
        firm = PaidCompany(installation, 1999)
        await firm.found({"m": ("mechanic", "north")})
        await firm.answered("m", "north", [9] * 5)
        at = datetime(1999, 1, 5, tzinfo=UTC)
        await firm.batch("attribution", "interactions", [firm.job("told", "m", "north", at)])

        firm.headers["traceparent"] = f"00-{trace}-{caller}-01"
        async with httpx.AsyncClient(
            base_url=installation.url("survey-intake"), headers=firm.headers
        ) as platform:
            delivery = firm.response("told", at, 2, "work")
            answer = await platform.post(f"/v1/webhooks/{firm.name('shop')}", json=delivery)
        assert answer.status_code == 202, answer.text
        response_id = answer.json()["response_id"]
        figure = f"/v1/kpis/nps/org_unit/{firm.name('company')}?{firm.days}&view=influenced"
        await firm.shows("kpi-aggregator", figure, n=6)
        period = await firm.close("plan", firm.plan([component("own", "self", "1")], ["m"]))
        assert (await firm.statement(period, "m"))["counted"] == 6
        firm.headers.clear()
        customer = firm.name("customer-told")
        await firm.ask("survey-intake", "DELETE", f"/v1/customers/{customer}")

        async def steps() -> dict[tuple[str, str], list[Told]]:
            return by_step(told, trace)

        async def names() -> set[str]:
            return {span.name for span in told.spans}

        wanted = {WEBHOOK, CALCULATION, STATEMENT, *WAY}
        found = await firm.until(steps, lambda found: wanted <= found.keys())
        await firm.until(names, lambda found: "DELETE /v1/customers/{ref}" in found)

    for step, before in WAY.items():
        parents = {span.id for span in found[before]}
        assert {span.parent for span in found[step]} <= parents, step
    for step in (WEBHOOK, CALCULATION, STATEMENT):
        assert {span.parent for span in found[step]} == {caller}
    assert found[WEBHOOK][0].attributes["http.route"] == "/v1/webhooks/{connection}"
    counted = found["kpi-aggregator", "process attribution.result.v1"]
    assert {span.attributes["fairloop.key"] for span in counted} == {response_id}
    assert not [body for body in told.raw if customer.encode() in body], "no path that names a customer"


def by_step(told: Collector, trace: str) -> dict[tuple[str, str], list[Told]]:
    steps: dict[tuple[str, str], list[Told]] = {}
    for span in told.of(trace):
        steps.setdefault((span.service, span.name), []).append(span)
    return steps
