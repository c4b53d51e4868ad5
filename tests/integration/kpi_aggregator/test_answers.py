"""Who names a cause, and the answers behind a person's figures."""

from msgspec.structs import replace
from tests.integration.kpi_aggregator.facts import answered, directory, result, retracted
from tests.unit.kpi_aggregator.seven import contribution, took_part

from fairloop.testing import Box
from kpi_aggregator.domain.contribution import Contribution, Entry

PATH = "/v1/kpis/nps/cause-answers?period=2026Q1"
ORGANISATION = Entry(subject_type="organisation", subject_id="all", share=1_000_000, reason="no_cause_given")


def silent(number: int, nps: int) -> Contribution:
    """An answer without a cause."""
    return contribution(number, nps, causes=(), entries=(ORGANISATION,), participants=(took_part("m1"),))


async def filled(box: Box) -> None:
    """40 promoters of whom 10 name a cause; 20 detractors who all do."""
    await box.deliver(directory())
    told = [answered(n, 10) for n in range(1, 11)] + [answered(100 + n, 3) for n in range(20)]
    await box.deliver([result(one) for one in [*told, *(silent(200 + n, 9) for n in range(30))]])


async def test_detractors_who_explain_themselves_more_often_are_a_finding(box: Box) -> None:
    await filled(box)
    for role in ("analyst", "works_council"):
        body = (await box.http(role).get(PATH)).json()
        assert body["promoters"] == {"n": 40, "named": 10, "rate": 0.25}
        assert body["detractors"] == {"n": 20, "named": 20, "rate": 1.0}
        assert body["passives"] == {"n": 0, "named": 0, "rate": None}
        assert body["z"] == -5.4772
        assert "leans down" in body["finding"]
    assert (await box.http("employee", employee_id="m1").get(PATH)).status_code == 403


async def test_a_level_that_has_a_second_one_counts_as_no_cause_when_it_stands_alone(box: Box) -> None:
    await box.deliver(directory())
    named = [replace(silent(n, 3), causes=answered(n, 3).causes) for n in range(1, 7)]
    await box.deliver([result(one) for one in named])
    assert (await box.http("analyst").get(PATH)).json()["detractors"] == {"n": 6, "named": 0, "rate": 0.0}


async def test_a_retracted_answer_is_not_counted(box: Box) -> None:
    await filled(box)
    await box.deliver([retracted(result(answered(1, 10)), version=2)])
    body = (await box.http("analyst").get(PATH)).json()
    assert (body["promoters"]["n"], body["promoters"]["named"]) == (39, 9)


async def test_of_one_unit_and_of_few_answers(box: Box) -> None:
    await filled(box)
    north = (await box.http("analyst").get(f"{PATH}&org_unit=north")).json()
    assert (north["org_unit"], north["detractors"]["n"]) == ("north", 20)
    planning = (await box.http("analyst").get(f"{PATH}&org_unit=planning")).json()
    assert (planning["suppressed"], planning["promoters"], planning["z"]) == (True, None, None)


async def test_the_answers_behind_a_person_are_those_that_name_them(box: Box) -> None:
    await filled(box)
    await box.deliver([result(answered(500, 9, employee="m2"))])
    path = "/v1/kpis/nps/employee/{}/answers?period=2026Q1"
    m2 = (await box.http("service").get(path.format("m2"))).json()["items"]
    (own,) = m2
    assert (own["category"], own["entries"][0]["subject_id"]) == ("promoter", "m2")
    assert len((await box.http("service").get(path.format("m1"))).json()["items"]) == 60
    assert (await box.http("service").get(path.format("m"))).json()["items"] == []
    assert (await box.http("analyst").get(path.format("m1"))).status_code == 403
