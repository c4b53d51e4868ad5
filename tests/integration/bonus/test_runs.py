import asyncio
from datetime import date
from uuid import UUID

import msgspec

from bonus.service.runs import republish
from fairloop.events import Assignment, BonusRun, KpiSnapshot

from .aggregator import RESPONSES, Aggregator, figure
from .office import Office, plan_body


async def test_a_period_is_calculated_reviewed_approved_and_paid(office: Office) -> None:
    await office.publish()
    await office.open_period()
    run = await office.calculate()
    assert (run["status"], run["payees"], run["total_minor"]) == ("in_review", 2, 79_500 + 12_000)
    assert (await office.admin.get("/v1/periods/2026Q1")).json()["status"] == "in_review"

    himself = await office.finance.post(f"/v1/runs/{run['id']}/approve")
    assert himself.status_code == 403
    assert "somebody else" in himself.json()["detail"]
    await office.approve(run)
    assert (await office.admin.get("/v1/periods/2026Q1")).json()["status"] == "approved"
    assert (await office.admin.post(f"/v1/runs/{run['id']}/approve")).status_code == 409

    paid = (await office.finance.post(f"/v1/runs/{run['id']}/paid")).json()
    assert (paid["status"], paid["calculated_by"], paid["approved_by"], paid["paid_by"]) == (
        "paid",
        "fin",
        "ada",
        "fin",
    )
    assert (await office.finance.post("/v1/periods/2026Q1/calculate")).status_code == 409
    told = [(event.version, event.status) for event in await office.box.published(BonusRun)]
    assert told == [(1, "in_review"), (2, "approved"), (3, "paid")]


async def test_calculating_again_supersedes_and_the_same_facts_give_the_same_hash(
    office: Office, aggregator: Aggregator
) -> None:
    await office.publish()
    await office.open_period()
    first = await office.calculate()
    second = await office.calculate()
    assert first["id"] != second["id"]
    assert first["inputs_hash"] == second["inputs_hash"]
    assert first["snapshots"]["nps"]["id"] != second["snapshots"]["nps"]["id"]

    aggregator.figures[0] = figure("employee:m1", 55.0)
    third = await office.calculate()
    assert third["inputs_hash"] != second["inputs_hash"]
    runs = (await office.finance.get("/v1/periods/2026Q1/runs")).json()["items"]
    assert [(run["id"], run["status"]) for run in runs] == [
        (third["id"], "in_review"),
        (second["id"], "superseded"),
        (first["id"], "superseded"),
    ]
    assert (await office.admin.post(f"/v1/runs/{first['id']}/approve")).status_code == 409


async def test_a_statement_explains_itself(office: Office) -> None:
    await office.publish()
    await office.open_period()
    run = await office.calculate()
    one = await office.statement("m1")
    assert (one["payout_minor"], one["currency"], one["target_bonus_minor"]) == (79_500, "EUR", 100_000)
    own = one["components"][0]
    assert (own["id"], own["value"], own["ci95"], own["n"]) == ("own", 45.0, [8.4, 69.8], 20)
    assert (own["f"], own["weight"], own["payout_minor"]) == ("1.125", "0.6", 67_500)
    assert sum(part["payout_minor"] for part in one["components"]) == 79_500
    assert sum(step["amount_minor"] for step in one["waterfall"]) == 79_500
    assert one["counted"] == 20
    assert one["excluded"] == [{"response_id": id, "reason": "not_influenceable"} for id in RESPONSES[20:]]
    assert one["counterfactual"]["anchor"] == "excellence"
    assert (one["inputs_hash"], one["run"], one["status"]) == (run["inputs_hash"], run["id"], "in_review")


async def test_one_idempotency_key_calculates_once(office: Office) -> None:
    await office.publish()
    await office.open_period()
    answers = [
        await office.finance.post("/v1/periods/2026Q1/calculate", headers={"Idempotency-Key": "once"})
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert len((await office.finance.get("/v1/periods/2026Q1/runs")).json()["items"]) == 1


async def test_without_the_aggregator_nothing_is_calculated_and_the_period_is_as_before(
    office: Office, aggregator: Aggregator
) -> None:
    await office.publish()
    await office.open_period()
    aggregator.down = True
    answer = await office.finance.post("/v1/periods/2026Q1/calculate")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert (await office.admin.get("/v1/periods/2026Q1")).json()["status"] == "open"
    aggregator.down = False
    await office.calculate()


async def test_a_missing_figure_stops_the_close_and_says_which(
    office: Office, aggregator: Aggregator
) -> None:
    await office.publish()
    await office.open_period()
    aggregator.figures = [figure("employee:m1", 45.0)]
    answer = await office.finance.post("/v1/periods/2026Q1/calculate")
    assert answer.status_code == 409
    assert "component unit: even the organisation has no nps" in answer.json()["detail"]


async def test_a_run_on_figures_that_were_not_those_announced_is_not_approved(office: Office) -> None:
    await office.publish()
    await office.open_period()
    run = await office.calculate()
    snapshot = run["snapshots"]["nps"]
    announced = KpiSnapshot(
        version=1,
        snapshot_id=UUID(snapshot["id"]),
        kpi="nps",
        period_from=date(2026, 1, 1),
        period_to=date(2026, 4, 1),
        content_hash="something else",
    )
    await office.box.deliver([announced])
    answer = await office.admin.post(f"/v1/runs/{run['id']}/approve")
    assert answer.status_code == 409
    assert "not the one that was announced" in answer.json()["detail"]


async def test_a_period_needs_a_published_plan(office: Office) -> None:
    unknown = {"from": "2026-01-01", "to": "2026-04-01", "plan": "quarterly"}
    assert (await office.admin.put("/v1/periods/2026Q1", json=unknown)).status_code == 422
    await office.admin.put("/v1/plans/quarterly", json=plan_body())
    assert (await office.admin.put("/v1/periods/2026Q1", json=unknown)).status_code == 200
    assert (await office.finance.post("/v1/periods/2026Q1/calculate")).status_code == 409
    backwards = unknown | {"to": "2025-01-01"}
    assert (await office.admin.put("/v1/periods/x", json=backwards)).status_code == 422


async def test_a_changed_period_takes_its_run_back_until_it_is_approved(office: Office) -> None:
    await office.publish()
    await office.open_period()
    run = await office.calculate()
    await office.open_period()
    assert (await office.admin.get("/v1/periods/2026Q1")).json()["status"] == "in_review"
    await office.open_period(end="2026-03-01")
    assert (await office.admin.get("/v1/periods/2026Q1")).json()["status"] == "open"
    assert (await office.admin.get(f"/v1/runs/{run['id']}")).json()["status"] == "superseded"
    await office.approve(await office.calculate())
    changed = {"from": "2026-01-01", "to": "2026-04-01", "plan": "quarterly"}
    assert (await office.admin.put("/v1/periods/2026Q1", json=changed)).status_code == 409


async def test_where_somebody_worked_is_part_of_the_inputs(office: Office) -> None:
    await office.publish()
    await office.open_period()
    before = await office.calculate()
    moved = Assignment(
        version=1,
        assignment="a-m1",
        employee="m1",
        role="mechanic",
        org_unit="south",
        valid_from=date(2025, 1, 1),
    )
    await office.box.deliver([moved])
    assert (await office.calculate())["inputs_hash"] == before["inputs_hash"]
    await office.box.deliver([msgspec.structs.replace(moved, version=2)])
    assert (await office.calculate())["inputs_hash"] != before["inputs_hash"]


async def test_everything_published_can_be_published_again(office: Office) -> None:
    await office.publish()
    await office.open_period()
    await office.calculate()
    await office.approve(await office.calculate())
    async with office.box.db.begin() as session:
        again = [event async for event in republish(office.box.runtime, session)]
    newest = {event.run_id: event for event in await office.box.published(BonusRun)}
    assert {event.run_id: event for event in again} == newest


async def test_two_calculations_at_once_leave_one_run_in_review(office: Office) -> None:
    await office.publish()
    await office.open_period()
    await asyncio.gather(*(office.calculate() for _ in range(4)))
    runs = (await office.finance.get("/v1/periods/2026Q1/runs")).json()["items"]
    assert sorted(run["status"] for run in runs) == ["in_review", "superseded", "superseded", "superseded"]
    assert len({run["inputs_hash"] for run in runs}) == 1


async def test_an_approval_during_a_calculation_wins(office: Office, aggregator: Aggregator) -> None:
    await office.publish()
    await office.open_period()
    run = await office.calculate()
    frozen, resume = asyncio.Event(), asyncio.Event()
    aggregator.pause = (frozen, resume)
    recalculation = asyncio.create_task(office.finance.post("/v1/periods/2026Q1/calculate"))
    await frozen.wait()
    assert (await office.admin.get("/v1/periods/2026Q1")).json()["status"] == "calculating"
    await office.approve(run)
    resume.set()
    assert (await recalculation).status_code == 409
    assert (await office.admin.get("/v1/periods/2026Q1")).json()["status"] == "approved"


async def test_a_calculation_that_was_cut_off_is_simply_done_again(
    office: Office, aggregator: Aggregator
) -> None:
    await office.publish()
    await office.open_period()
    frozen, never = asyncio.Event(), asyncio.Event()
    aggregator.pause = (frozen, never)
    cut_off = asyncio.create_task(office.finance.post("/v1/periods/2026Q1/calculate"))
    await frozen.wait()
    cut_off.cancel()
    await asyncio.gather(cut_off, return_exceptions=True)
    assert (await office.admin.get("/v1/periods/2026Q1")).json()["status"] == "calculating"
    aggregator.pause = None
    assert (await office.calculate())["status"] == "in_review"
