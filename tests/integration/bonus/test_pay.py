import csv
import io
from typing import Any

import msgspec
import pytest

from fairloop.db import sql

from .aggregator import RESPONSES, Aggregator, contribution, figure
from .office import Office, plan_body


async def test_the_payroll_file_exists_only_for_an_approved_run(office: Office) -> None:
    await office.publish()
    await office.open_period()
    run = await office.calculate()
    assert (await office.finance.get("/v1/periods/2026Q1/payroll.csv")).status_code == 409
    await office.approve(run)
    answer = await office.finance.get("/v1/periods/2026Q1/payroll.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(row["employee"], row["amount_minor"], row["currency"]) for row in rows] == [
        ("m1", "79500", "EUR"),
        ("m2", "12000", "EUR"),
    ]
    assert answer.text.count("\r\n") == 3


@pytest.mark.fault(20)
async def test_a_cell_cannot_become_a_formula(office: Office) -> None:
    await office.publish(payees=[{"employee": "-m1", "target_bonus_minor": 100}])
    await office.open_period()
    await office.approve(await office.calculate())
    answer = await office.finance.get("/v1/periods/2026Q1/payroll.csv")
    assert next(csv.DictReader(io.StringIO(answer.text)))["employee"] == "'-m1"


async def test_a_plan_that_only_tracks_shows_everything_and_pays_nothing(office: Office) -> None:
    await office.publish(mode="track_only")
    await office.open_period()
    await office.approve(await office.calculate())
    one = await office.statement("m1")
    assert (one["payout_minor"], one["components"][0]["f"]) == (0, "1.125")
    answer = await office.finance.get("/v1/periods/2026Q1/payroll.csv")
    assert list(csv.DictReader(io.StringIO(answer.text))) == []


async def test_an_unaccepted_plan_holds_the_money_until_it_is_accepted(office: Office) -> None:
    plan = await office.publish(gates=[{"kind": "accepted"}])
    await office.open_period()
    run = await office.calculate()
    held = await office.statement("m1")
    assert (held["payout_minor"], held["held_minor"], held["gates"][0]["passed"]) == (79_500, 79_500, False)
    await office.approve(run)
    rows = csv.DictReader(io.StringIO((await office.finance.get("/v1/periods/2026Q1/payroll.csv")).text))
    assert [(row["amount_minor"], row["held_minor"]) for row in rows] == [("0", "79500"), ("0", "12000")]

    accepted = {"employee": "m1", "text_hash": plan["text_hash"]}
    await office.employee("m1").post("/v1/plans/quarterly/acceptances", json=accepted)
    items = (await office.finance.get("/v1/periods/2026Q1/adjustments")).json()["items"]
    assert [(one["employee"], one["difference_minor"], one["released_minor"]) for one in items] == [
        ("m1", 0, 79_500)
    ]


async def test_who_accepted_in_time_is_paid_at_once(office: Office) -> None:
    plan = await office.publish(gates=[{"kind": "accepted"}])
    await office.open_period()
    accepted = {"employee": "m1", "text_hash": plan["text_hash"]}
    await office.employee("m1").post("/v1/plans/quarterly/acceptances", json=accepted)
    await office.calculate()
    assert (await office.statement("m1"))["held_minor"] == 0


@pytest.mark.fault(18)
async def test_corrections_after_the_approval_are_adjustments_and_the_run_stays(
    office: Office, aggregator: Aggregator
) -> None:
    """Re-rated 3 → 9 and one "not my customer": 45.0 becomes 63.2; what was approved does not move."""
    await office.publish()
    await office.open_period()
    assert (await office.finance.get("/v1/periods/2026Q1/adjustments")).status_code == 409
    await office.approve(await office.calculate())
    before = await office.statement("m1")

    aggregator.corrected = [figure("employee:m1", 63.2, n=19), *aggregator.figures[1:]]
    aggregator.changed = [
        _changed(17, "revised", after=contribution(17, "promoter")),
        _changed(18, "reattributed", after=contribution(18, "detractor") | {"entries": []}),
    ]
    answer = (await office.finance.get("/v1/periods/2026Q1/adjustments")).json()
    assert answer["items"] == [
        {
            "employee": "m1",
            "approved_minor": 79_500,
            "corrected_minor": 102_000,
            "difference_minor": 22_500,
            "released_minor": 0,
            "currency": "EUR",
            "reasons": [
                {"response_id": RESPONSES[17], "kind": "revised"},
                {"response_id": RESPONSES[18], "kind": "reattributed"},
            ],
        }
    ]
    assert await office.statement("m1") == before


async def test_without_corrections_there_is_nothing_to_adjust(office: Office) -> None:
    await office.publish()
    await office.open_period()
    await office.approve(await office.calculate())
    assert (await office.finance.get("/v1/periods/2026Q1/adjustments")).json()["items"] == []


async def test_a_unit_that_changed_adjusts_everybody_in_it(office: Office, aggregator: Aggregator) -> None:
    await office.publish()
    await office.open_period()
    await office.approve(await office.calculate())
    aggregator.corrected = [*aggregator.figures[:3], figure("org_unit:north", 38.0), *aggregator.figures[4:]]
    aggregator.changed = [_changed(1, "revised", after=contribution(1, "passive"))]
    items = (await office.finance.get("/v1/periods/2026Q1/adjustments")).json()["items"]
    assert [(one["employee"], one["difference_minor"]) for one in items] == [("m1", 20_000), ("m2", 20_000)]
    assert [one["reasons"] for one in items] == [[{"response_id": RESPONSES[1], "kind": "revised"}]] * 2


async def test_reliability_moves_money_to_the_team(office: Office) -> None:
    """λ .5: .6 · .5 stays with the person, the rest is the unit's."""
    await office.publish(reliability_mode="A", gates=[{"kind": "coverage", "minimum": "0.8"}])
    await office.open_period()
    await office.calculate()
    one = await office.statement("m1")
    assert one["payout_minor"] == 54_750
    assert [(source["scope_id"], source["part"]) for source in one["components"][0]["sources"]] == [
        ("m1", "0.5"),
        ("north", "0.5"),
    ]


async def test_a_pool_is_shared_out_to_the_cent(office: Office) -> None:
    await office.publish(scheme="pool", pool_minor=100_001)
    await office.open_period()
    run = await office.calculate()
    assert (run["total_minor"], run["unspent_minor"]) == (100_001, 0)
    for employee in ("m1", "m2"):
        one = await office.statement(employee)
        assert sum(part["payout_minor"] for part in one["components"]) == one["payout_minor"]
        assert sum(step["amount_minor"] for step in one["waterfall"]) == one["payout_minor"]


async def test_a_team_plan_pays_the_units_result(office: Office) -> None:
    unit = plan_body()["components"][1] | {"weight": "1"}
    await office.publish(scheme="team", components=[unit])
    await office.open_period()
    await office.calculate()
    assert [(await office.statement(one))["payout_minor"] for one in ("m1", "m2")] == [30_000, 30_000]


def _changed(index: int, kind: str, *, after: dict[str, Any]) -> dict[str, Any]:
    before = contribution(index, "detractor")
    return {"response_id": RESPONSES[index], "kind": kind, "before": before, "after": after}


async def test_a_statement_that_an_earlier_release_wrote_out_reads_and_pays_as_before(office: Office) -> None:
    await office.publish()
    await office.open_period()
    run = await office.calculate()
    shown = await office.statement("m1")
    async with office.box.db.begin() as session:
        for employee in ("m1", "m2"):
            body = msgspec.json.encode(await office.statement(employee))
            await sql(session, _WRITE_OUT, body, employee)
        await sql(session, "UPDATE run SET terms = NULL")
    assert await office.statement("m1") == shown
    await office.approve(run)
    rows = csv.DictReader(io.StringIO((await office.finance.get("/v1/periods/2026Q1/payroll.csv")).text))
    assert [row["amount_minor"] for row in rows] == ["79500", "12000"]


_WRITE_OUT = """
UPDATE statement SET body = $1, facts = NULL, payout_minor = NULL, held_minor = NULL WHERE employee = $2
"""
