"""Figures over time, beside each other, by cause and along a journey."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace
from tests.integration.kpi_aggregator.facts import answered, deliver_all, directory, figure, result, scores
from tests.unit.kpi_aggregator.seven import SEVEN

from fairloop.testing import Box


async def asked(box: Box, path: str, **query: str) -> dict[str, Any]:
    answer = await box.http("analyst").get(path, params={"period": "2026Q1"} | query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_series_adds_up_to_the_figure_and_hides_what_a_subtraction_would_tell(box: Box) -> None:
    await box.deliver(directory())
    months = {1: [9] * 6, 2: [3] * 7, 3: [9] * 2}
    numbers = iter(range(1, 100))
    await deliver_all(
        box,
        [
            replace(answered(next(numbers), nps), day=date(2026, month, 10))
            for month, given in months.items()
            for nps in given
        ],
    )
    series = await asked(box, "/v1/kpis/nps/employee/m1/series", step="month", view="influenced")
    assert [(one["window"]["from"], one["n"], one["value"]) for one in series["items"]] == [
        ("2026-01-01", None, None),
        ("2026-02-01", 7, -100.0),
        ("2026-03-01", None, None),
    ]
    assert "beside" in series["items"][0]["reason"]
    weeks = await asked(box, "/v1/kpis/nps/organisation/all/series", step="week")
    assert sum(one["n"] or 0 for one in weeks["items"]) == 7
    assert (await figure(box, "employee/m1"))["n"] == 15


async def test_too_many_steps_are_refused(box: Box) -> None:
    answer = await box.http("analyst").get("/v1/kpis/nps/organisation/all/series?step=day&window=500d")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/step")


async def test_causes_drive_the_figure_of_whoever_asks(box: Box) -> None:
    await box.deliver(directory())
    await deliver_all(box, SEVEN)
    whole = await asked(box, "/v1/kpis/nps/organisation/all/causes")
    last = whole["items"][-1]
    assert (last["cause"], last["n"], last["suppressed"]) == ("speed", None, True)
    m1 = await asked(box, "/v1/kpis/nps/employee/m1/causes", view="influenced")
    assert m1["suppressed"] is False
    m2 = await asked(box, "/v1/kpis/nps/employee/m2/causes", view="influenced")
    assert (m2["suppressed"], m2["items"]) == (True, [])


async def test_the_others_in_the_answers_about_somebody_are_named_to_them(box: Box) -> None:
    await box.deliver(directory())
    await deliver_all(box, SEVEN)
    client = box.http("employee", employee_id="m1", org_units=["north"])
    told = (await client.get("/v1/kpis/nps/employee/m1/contributors?period=2026Q1")).json()
    assert [(one["kind"], one["weight"]) for one in told["items"]] == [
        ("self", "3.000000"),
        ("organisation", "1.500000"),
        ("others", "1.500000"),
    ]
    assert (await client.get("/v1/kpis/nps/employee/m2/contributors")).status_code == 404


async def test_a_leaderboard_ranks_only_what_the_intervals_tell_apart(box: Box) -> None:
    await box.deliver(directory())
    good = [answered(n, nps) for n, nps in enumerate(scores(20, 2, 0), start=1)]
    bad = [answered(100 + n, nps, employee="m2") for n, nps in enumerate(scores(1, 2, 17), start=1)]
    few = [answered(200 + n, 9, employee="s1") for n in range(3)]
    await deliver_all(box, [*good, *bad, *few])
    board = await asked(box, "/v1/kpis/nps/leaderboard", org_unit="glass")
    assert [(place["rank"], place["figure"]["scope_id"]) for place in board["items"]] == [
        (1, "m1"),
        (2, "m2"),
    ]
    assert board["unranked"] == 1
    client = box.http("employee", employee_id="m2", org_units=["north"])
    own = (await client.get("/v1/kpis/nps/leaderboard?period=2026Q1")).json()
    assert [place["figure"]["scope_id"] for place in own["items"]] == ["m2"]
    assert (await client.get("/v1/kpis/nps/leaderboard?org_unit=planning")).status_code == 404
    units = await asked(box, "/v1/kpis/nps/leaderboard", group="org_unit", org_unit="glass")
    assert [(place["rank"], place["figure"]["scope_id"]) for place in units["items"]] == [(1, "north")]


async def test_a_journey_shows_its_touchpoints_in_order_and_as_a_whole_to_everybody(box: Box) -> None:
    await box.deliver(directory())
    touched = {"booking": [9] * 5, "repair": [3] * 6, "invoice": [9]}
    numbers = iter(range(1, 100))
    await deliver_all(
        box,
        [
            replace(answered(next(numbers), nps), touchpoint=name)
            for name, given in touched.items()
            for nps in given
        ],
    )
    journey = {"name": "A new windscreen", "touchpoints": ["booking", "repair"]}
    assert (await box.http("ops").put("/v1/journeys/glass", json=journey)).status_code == 200
    assert (await box.http("ops").put("/v1/journeys/glass", json=journey)).status_code == 200
    client = box.http("employee", employee_id="m1")
    told = (await client.get("/v1/journeys/glass?period=2026Q1")).json()
    assert [(one["scope_id"], one["n"], one["value"]) for one in told["touchpoints"]] == [
        ("booking", 5, 100.0),
        ("repair", 6, -100.0),
    ]
    assert (told["whole"]["scope_type"], told["whole"]["n"], told["whole"]["value"]) == ("journey", 11, -9.1)

    longer = journey | {"touchpoints": ["booking", "repair", "invoice"]}
    await box.http("ops").put("/v1/journeys/glass", json=longer)
    told = (await client.get("/v1/journeys/glass?period=2026Q1")).json()
    assert [one["n"] for one in told["touchpoints"]] == [None, 6, None]
    assert told["whole"]["n"] == 12
    listed = (await client.get("/v1/journeys")).json()["items"]
    assert [one["touchpoints"] for one in listed] == [["booking", "repair", "invoice"]]
    assert (await client.get("/v1/journeys/none")).status_code == 404
    assert (await client.put("/v1/journeys/glass", json=journey)).status_code == 403


@pytest.mark.parametrize("touchpoints", [[], ["a", "a"], [""]])
async def test_a_journey_that_makes_no_sense_is_refused(box: Box, touchpoints: list[str]) -> None:
    answer = await box.http("admin").put("/v1/journeys/x", json={"name": "X", "touchpoints": touchpoints})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/body/touchpoints")
    assert (await box.http("admin").get("/v1/journeys/x")).status_code == 404


async def test_figures_by_segment_role_and_touchpoint(box: Box) -> None:
    await box.deliver(directory())
    one = [replace(answered(n, 9), segments={"branch": "north"}) for n in range(1, 6)]
    await box.deliver([result(each) for each in one])
    for scope in ("segment/branch:north", "role/mechanic", "touchpoint/replacement", "cause/quality"):
        assert (await figure(box, scope, "all"))["n"] == 5
