"""Runs and frozen figures: what was paid is never paid again, and no amount is made up."""

from tests.integration.bonus.aggregator import Aggregator, figure
from tests.integration.bonus.office import Office
from tests.integration.kpi_aggregator.facts import answered, result
from tests.integration.kpi_aggregator.test_snapshots import freeze, read, twenty
from tests.integration.repair.dumps import dump, finish, newest, put_back, states, take, told

from fairloop.db import sql
from fairloop.testing import Box

BODIES = "SELECT employee, rule_version, org_units, payout_minor, held_minor, facts FROM statement ORDER BY 1"


async def statements(office: Office) -> list[tuple[object, ...]]:
    async with office.box.db.begin() as session:
        return [tuple(row) for row in await sql(session, BODIES)]


async def pay(office: Office) -> dict[str, object]:
    run = await office.calculate()
    await office.approve(run)
    assert (await office.finance.post(f"/v1/runs/{run['id']}/paid")).is_success
    return run


async def refused(office: Office, run: dict[str, object]) -> None:
    assert (await office.finance.post("/v1/periods/2026Q1/calculate")).status_code == 409
    assert (await office.finance.post(f"/v1/runs/{run['id']}/paid")).status_code == 409
    assert (await office.admin.post(f"/v1/runs/{run['id']}/approve")).status_code == 409


async def test_a_lost_run_is_paid_still_and_its_statements_are_the_same_bytes(office: Office) -> None:
    await office.publish()
    await office.open_period()
    await dump(office.box)
    run = await pay(office)
    before, held = await statements(office), await states(office.box)
    payroll = (await office.finance.get("/v1/periods/2026Q1/payroll.csv")).text
    log = await put_back(office.box)

    assert (await take(office.box, log)).changed == 1
    assert await finish(office.box) == []
    assert await statements(office) == before
    assert await states(office.box) == held == newest(log)
    assert (await office.finance.get("/v1/periods/2026Q1/payroll.csv")).text == payroll
    await refused(office, run)
    assert (await take(office.box, log)).changed == 0


async def test_statements_that_cannot_be_proven_are_not_made_up(
    office: Office, aggregator: Aggregator
) -> None:
    await office.publish()
    await office.open_period()
    await dump(office.box)
    run = await pay(office)
    log = await put_back(office.box)
    for frozen in aggregator.frozen.values():
        frozen["figures"] = [figure("employee:m1", 99.0)]
        frozen["content_hash"] = "another"

    await take(office.box, log)
    (lost,) = await finish(office.box)
    assert "its statements are lost" in lost
    assert await statements(office) == []
    answer = await office.finance.get("/v1/periods/2026Q1/payroll.csv")
    assert answer.status_code == 409
    assert "lost in a restore" in answer.json()["detail"]
    await refused(office, run)


async def test_a_run_in_review_whose_plan_is_lost_is_taken_back(office: Office) -> None:
    await dump(office.box)
    await office.publish()
    await office.open_period()
    await office.calculate()
    log = await put_back(office.box)
    await take(office.box, log)
    (lost,) = await finish(office.box)
    assert "Calculate again" in lost
    assert newest([*log, *await told(office.box)]) == await states(office.box)
    assert (await office.admin.get("/v1/periods/2026Q1")).json()["status"] == "open"


async def test_a_run_calculated_since_the_restore_gives_way_to_the_one_that_was_paid(
    office: Office,
) -> None:
    await office.publish()
    await office.open_period()
    await dump(office.box)
    run = await pay(office)
    log = await put_back(office.box)
    since = await pay(office)

    taken = await take(office.box, log)
    assert any(str(since["id"]) in line and "paid twice" in line for line in taken.lost)
    assert await finish(office.box) == []
    held = (await office.finance.get("/v1/periods/2026Q1/runs")).json()["items"]
    assert {one["id"]: one["status"] for one in held} == {run["id"]: "paid", since["id"]: "superseded"}
    assert newest([*log, *await told(office.box)]) == await states(office.box)


async def test_a_lost_snapshot_is_frozen_again_when_its_hash_proves_it(figures: Box) -> None:
    await twenty(figures)
    await dump(figures)
    before = await freeze(figures)
    frozen = await read(figures, before)
    log = await put_back(figures)
    assert (await take(figures, log)).changed == 1
    again = await read(figures, before)
    assert (again["content_hash"], again["figures"], again["contributions"]) == (
        frozen["content_hash"],
        frozen["figures"],
        frozen["contributions"],
    )
    assert await states(figures) == newest(log)
    assert (await take(figures, log)).changed == 0


async def test_a_snapshot_of_other_facts_is_lost_and_said_to_be(figures: Box) -> None:
    await twenty(figures)
    await dump(figures)
    before = await freeze(figures)
    log = await put_back(figures)
    await figures.deliver([result(answered(1, 0, version=2))])
    taken = await take(figures, log)
    assert taken.changed == 0
    assert str(before["id"]) in taken.lost[0]
    assert await states(figures) == {}
