"""The seven responses through the service, and what every correction does to them."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from msgspec.structs import replace
from tests.integration.kpi_aggregator.facts import (
    answered,
    deliver_all,
    directory,
    figure,
    proof,
    result,
    retracted,
    scores,
    tree,
)
from tests.unit.kpi_aggregator.seven import SEVEN

from fairloop.embedded import PostgresServer
from fairloop.events import OrgUnit
from fairloop.testing import Box, ManualClock, running
from kpi_aggregator.main import service


async def the_seven(box: Box) -> None:
    await box.deliver(directory())
    await deliver_all(box, SEVEN)


async def test_the_seven_give_the_worked_figures(box: Box) -> None:
    await the_seven(box)

    m1 = await figure(box, "employee/m1")
    assert (m1["n"], m1["promoters"], m1["passives"], m1["detractors"]) == (5, 1, 1, 3)
    assert (m1["weight"], m1["n_eff"], m1["value"], m1["ci95"]) == ("3.000000", 4.5, -33.3, [-73.6, 33.6])
    assert (m1["kpi"], m1["scope_type"], m1["scope_id"], m1["view"]) == (
        "nps",
        "employee",
        "m1",
        "influenced",
    )
    assert m1["window"] == {"from": "2026-01-01", "to": "2026-04-01"}
    assert (m1["suppressed"], m1["adjusted"], m1["position"]) == (False, None, None)
    everything = await figure(box, "employee/m1", "all")
    assert (everything["n"], everything["value"]) == (6, -16.7)
    north = await figure(box, "org_unit/north")
    assert (north["weight"], north["n_eff"], north["value"]) == ("3.500000", 4.4545, -14.3)
    for view in ("all", "influenced"):
        organisation = await figure(box, "organisation/all", view)
        assert (organisation["n"], organisation["weight"], organisation["value"]) == (7, "7.000000", -28.6)
    assert (await figure(box, "cause/window_replacement"))["weight"] == "5.000000"
    assert (await figure(box, "role/mechanic", "all"))["n"] == 6
    assert (await figure(box, "touchpoint/replacement", "all"))["n"] == 6
    assert (await proof(box))["equal"]


async def test_fewer_than_five_responses_show_nothing(box: Box) -> None:
    await the_seven(box)

    supply = await figure(box, "org_unit/supply")

    measured = ("n", "weight", "n_eff", "promoters", "value", "ci95", "reliability", "shrunk")
    assert supply["suppressed"] is True
    assert all(supply[field] is None for field in measured)
    assert supply["reason"] == "suppressed: fewer than 5 responses"


async def test_a_lower_minimum_and_another_prior_show_at_once(box: Box) -> None:
    await the_seven(box)
    prior = {"mean": 20, "sd_between": 10, "sd_within": 60}

    put = await box.http("admin").put("/v1/kpi-settings/nps", json={"prior": prior, "min_n": 1})

    shift = {"z": 3.0, "window_days": 30}
    assert put.json() == {"kpi": "nps", "prior": prior, "min_n": 1, "shift": shift}
    assert (await box.http("employee").get("/v1/kpi-settings/nps")).json() == put.json()
    supply = await figure(box, "org_unit/supply")
    assert (supply["weight"], supply["value"]) == ("0.500000", -100.0)
    assert supply["prior"] == {**prior, "source": "published"}


async def test_12_5_3_is_45_and_six_window_detractors_do_not_reach_the_mechanic(box: Box) -> None:
    influenced = [answered(number, nps) for number, nps in enumerate(scores(12, 5, 3), start=1)]
    not_theirs = [replace(SEVEN[2], response_id=UUID(int=100 + i), version=1) for i in range(6)]
    supplys = [
        replace(one, causes=one.causes[1:], entries=(replace(one.entries[2], share=1_000_000),))
        for one in not_theirs
    ]

    await box.deliver(directory())
    await deliver_all(box, [*influenced, *supplys])

    m1 = await figure(box, "employee/m1")
    assert (m1["n"], m1["value"], m1["ci95"]) == (20, 45.0, [8.4, 69.8])
    assert (m1["reliability"], m1["shrunk"]) == (0.412844, 42.06422)
    everything = await figure(box, "employee/m1", "all")
    assert (everything["n"], everything["value"]) == (26, 11.5)
    assert (await figure(box, "org_unit/supply"))["n"] == 6
    assert (await figure(box, "organisation/all"))["n"] == 26


async def test_corrections_move_every_figure_by_exactly_what_they_should(box: Box) -> None:
    one_to_twenty = [answered(number, nps) for number, nps in enumerate(scores(12, 5, 3), start=1)]
    await box.deliver(directory())
    await deliver_all(box, one_to_twenty)

    await deliver_all(box, [answered(20, 9, version=2)])
    rerated = await figure(box, "employee/m1")
    assert (rerated["n"], rerated["value"], rerated["ci95"]) == (20, 55.0, [19.3, 76.4])

    not_mine = answered(19, 3, version=2)
    gone = tuple(replace(participant, excluded=True) for participant in not_mine.participants)
    nobodys = tuple(
        replace(entry, subject_type="organisation", subject_id="all", org_unit=None, role=None)
        for entry in not_mine.entries
    )
    await deliver_all(box, [replace(not_mine, participants=gone, entries=nobodys)])
    disputed = await figure(box, "employee/m1")
    assert (disputed["n"], disputed["value"], disputed["ci95"]) == (19, 63.2, [27.9, 81.2])
    assert (await figure(box, "organisation/all"))["n"] == 20

    await box.deliver([retracted(result(one_to_twenty[0]), version=2)])
    erased = await figure(box, "employee/m1")
    assert (erased["n"], erased["value"], erased["ci95"]) == (18, 61.1, [24.8, 80.0])
    assert (await figure(box, "organisation/all"))["n"] == 19
    assert (await proof(box))["equal"]


async def test_a_held_version_and_an_older_one_change_nothing(box: Box) -> None:
    newest = [result(answered(number, 9, version=3)) for number in range(1, 7)]
    await box.deliver(newest)
    await box.deliver([*newest, *(result(answered(number, 0, version=2)) for number in range(1, 7))])

    assert (await figure(box, "employee/m1"))["value"] == 100.0
    assert (await proof(box))["equal"]


async def test_an_erased_response_stays_erased_when_older_versions_come_late(box: Box) -> None:
    await box.deliver([retracted(result(answered(1, 9)), version=4)])
    await box.deliver([result(answered(1, 9, version=3))])

    assert (await proof(box))["responses"] == 0
    assert (await figure(box, "organisation/all"))["suppressed"]


async def test_moving_a_unit_moves_every_figure_above_it(box: Box) -> None:
    await the_seven(box)
    assert (await figure(box, "org_unit/glass", "all"))["n"] == 6

    await box.deliver(tree({"holding": None}))
    await box.deliver([OrgUnit(version=2, org_unit="north", name="north", parent="holding")])

    assert (await figure(box, "org_unit/holding", "all"))["n"] == 6
    assert (await figure(box, "org_unit/holding"))["weight"] == "3.500000"
    assert (await figure(box, "org_unit/glass", "all"))["suppressed"]
    assert (await proof(box))["equal"]


async def test_responses_that_come_before_the_directory_are_counted_when_it_comes(box: Box) -> None:
    await deliver_all(box, SEVEN)
    assert (await figure(box, "org_unit/glass", "all"))["suppressed"]

    await box.deliver(directory())

    assert (await figure(box, "org_unit/glass", "all"))["n"] == 6
    assert (await figure(box, "org_unit/glass"))["weight"] == "4.500000"
    assert (await proof(box))["equal"]


async def test_other_questions_have_figures_of_their_own(box: Box) -> None:
    both = [replace(answered(number, 9), scores={"nps": 9, "csat": 5, "ces": 6}) for number in range(1, 6)]
    await deliver_all(box, [*both, replace(answered(6, 9), scores={"csat": 1})])

    csat, ces = await figure(box, "employee/m1", kpi="csat"), await figure(box, "employee/m1", kpi="ces")

    assert (csat["n"], csat["value"]) == (6, 83.3)
    assert (ces["n"], ces["value"], ces["ci95"]) == (5, 6.0, [6.0, 6.0])
    assert (await figure(box, "employee/m1"))["n"] == 5


async def test_segments_count_responses_and_have_one_view(box: Box) -> None:
    await deliver_all(
        box, [replace(answered(number, 9), segments={"branch": "New York"}) for number in range(1, 6)]
    )

    assert (await figure(box, "segment/branch:New York", "all"))["n"] == 5
    refused = await box.http("analyst").get("/v1/kpis/nps/segment/branch:x?view=influenced")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/query/view"


async def test_the_default_window_ends_today_in_the_organisations_time_zone(box: Box) -> None:
    today = await figure(box, "organisation/all", days="window=1d")
    assert today["window"] == {"from": "2026-03-02", "to": "2026-03-03"}

    as_of = await figure(box, "organisation/all", days="as_of=2026-01-31")
    assert as_of["window"] == {"from": "2025-11-03", "to": "2026-02-01"}


async def test_today_is_the_organisations_day(postgres: PostgresServer) -> None:
    noon = ManualClock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
    async with running(service, postgres, clock=noon, env={"timezone": "Pacific/Auckland"}) as box:
        today = await figure(box, "organisation/all", days="window=1d")

    assert today["window"]["from"] == "2026-03-03"


async def test_questions_that_cannot_be_understood_point_at_the_field(box: Box) -> None:
    analyst = box.http("analyst")
    for query, pointer in (
        ("window=banana", "/query/window"),
        ("period=2026Q7", "/query/period"),
        ("from=2026-01-01", "/query/to"),
        ("view=both", "/query/view"),
        ("as_of=yesterday", "/query/as_of"),
    ):
        answer = await analyst.get(f"/v1/kpis/nps/organisation/all?{query}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await analyst.get("/v1/kpis/mood/organisation/all")).status_code == 422
    assert (await analyst.get("/v1/kpis/nps/galaxy/all")).status_code == 422
    assert (await analyst.get("/v1/kpis/nps/employee/a%00b")).status_code == 422
    assert (await analyst.get("/v1/kpis/nps/organisation/other")).status_code == 404


async def test_any_range_counts_each_of_its_days_once(box: Box) -> None:
    first = date(2025, 12, 20)
    days = [first + timedelta(days=n) for n in range(120)]  # until 18 April
    await deliver_all(box, [replace(answered(n, 9), day=day) for n, day in enumerate(days, start=1)])
    for start, end in (
        ("2025-12-20", "2026-04-19"),
        ("2026-01-01", "2026-04-01"),
        ("2026-01-01", "2026-02-01"),
        ("2026-01-02", "2026-02-01"),
        ("2026-01-01", "2026-01-31"),
        ("2026-01-31", "2026-03-02"),
        ("2026-02-10", "2026-02-20"),
        ("2025-12-31", "2026-02-05"),
    ):
        shown = await figure(box, "employee/m1", days=f"from={start}&to={end}")
        assert shown["n"] == (date.fromisoformat(end) - date.fromisoformat(start)).days, (start, end)
