"""Cases that were opened and worked on after the backup."""

from datetime import timedelta

from tests.integration.closed_loop.world import DIRECTORY, answer, do, only_case
from tests.integration.closed_loop.world import cases as listed
from tests.integration.repair.dumps import dump, newest, put_back, states, take, told

from fairloop.db import sql
from fairloop.testing import Box

ARMED = "SELECT kind, due_at FROM sla_timer WHERE state = 'armed' ORDER BY kind"


async def armed(box: Box) -> list[tuple[object, ...]]:
    async with box.db.begin() as session:
        return [tuple(row) for row in await sql(session, ARMED)]


async def test_a_case_worked_on_is_again_where_it_was_with_its_deadlines(cases: Box) -> None:
    await cases.deliver(DIRECTORY)
    await dump(cases)
    await cases.deliver([answer(1), answer(2, nps=2)])
    (item, _) = await listed(cases)
    await do(cases, item, "acknowledge")
    before, deadlines = await states(cases), await armed(cases)
    log = await put_back(cases)

    cases.clock.advance(timedelta(minutes=30))
    await cases.deliver([answer(1), answer(2, nps=2)])
    assert await armed(cases) != deadlines
    taken = await take(cases, log)
    assert taken.changed == 2
    assert "Notes" in taken.lost[0]
    assert await states(cases) == before == newest(log)
    assert await armed(cases) == deadlines
    assert (await take(cases, log)).changed == 0


async def test_a_pause_since_the_backup_lasts_and_ends_as_it_would_have(cases: Box) -> None:
    await cases.deliver(DIRECTORY)
    await cases.deliver([answer()])
    await dump(cases)
    case = await only_case(cases)
    cases.clock.advance(timedelta(minutes=10))
    await do(cases, case, "pause", reason="on holiday")
    log = await put_back(cases)
    await take(cases, log)
    assert await armed(cases) == []

    due = {clock["kind"]: clock["due_at"] for clock in case["clocks"]}
    cases.clock.advance(timedelta(minutes=20))
    resumed = await do(cases, case, "resume")
    assert all(clock["due_at"] > due[clock["kind"]] for clock in resumed["clocks"])


async def test_what_somebody_did_since_the_restore_stays_above_the_logs_version(cases: Box) -> None:
    await cases.deliver(DIRECTORY)
    await dump(cases)
    await cases.deliver([answer()])
    log = await put_back(cases)

    cases.clock.advance(timedelta(minutes=5))
    await cases.deliver([answer()])
    await do(cases, await only_case(cases), "acknowledge")
    await take(cases, log)
    (held,) = (await states(cases)).values()
    assert (await only_case(cases))["status"] == "acknowledged"
    assert newest([*log, *await told(cases)]) == {held.key: held}


async def test_a_case_whose_rule_is_gone_is_where_it_was_and_named(cases: Box) -> None:
    await cases.deliver(DIRECTORY)
    await dump(cases)
    await cases.deliver([answer()])
    await do(cases, await only_case(cases), "acknowledge")
    before, deadlines = await states(cases), await armed(cases)
    log = await put_back(cases)
    cases.clock.advance(timedelta(minutes=30))
    taken = await take(cases, log)
    assert taken.changed == 1
    assert "that opened it is not there" in taken.lost[-1]
    assert await states(cases) == before
    assert await armed(cases) == deadlines
    assert (await take(cases, log)).changed == 0

    await cases.deliver([answer(version=2, nps=3)])
    case = await only_case(cases)
    assert (case["status"], case["scores"]["nps"]) == ("acknowledged", 3)


async def test_of_an_erased_answer_a_case_whose_rule_is_gone_stays_closed(cases: Box) -> None:
    await cases.deliver(DIRECTORY)
    await dump(cases)
    await cases.deliver([answer()])
    log = await put_back(cases)
    await cases.deliver([answer(version=2, erased=True)])
    await take(cases, log)
    assert (await only_case(cases))["status"] == "closed"
    (held,) = (await states(cases)).values()
    assert newest([*log, *await told(cases)]) == {held.key: held}


async def test_an_erased_answers_case_stays_closed_and_empty(cases: Box) -> None:
    await cases.deliver(DIRECTORY)
    await dump(cases)
    await cases.deliver([answer()])
    await do(cases, await only_case(cases), "acknowledge")
    erased = answer(version=2, erased=True)
    await cases.deliver([erased])
    log = await put_back(cases)
    await cases.deliver([answer(), erased])
    await take(cases, log)
    (held,) = (await states(cases)).values()
    assert (await only_case(cases))["status"] == "closed"
    assert newest([*log, *await told(cases)]) == {held.key: held}


async def test_an_erased_case_opened_again_by_the_answers_is_the_one_that_was_published(cases: Box) -> None:
    await cases.deliver(DIRECTORY)
    await dump(cases)
    erased = answer(version=2, erased=True)
    await cases.deliver([answer()])
    await cases.deliver([erased])
    before = await states(cases)
    log = await put_back(cases)
    cases.clock.advance(timedelta(minutes=5))
    await cases.deliver([answer(), erased])
    assert await states(cases) != before
    await take(cases, log)
    assert await states(cases) == before


async def test_an_erasure_the_log_does_not_know_yet_is_published_above_it(cases: Box) -> None:
    await cases.deliver(DIRECTORY)
    await cases.deliver([answer()])
    await dump(cases)
    await do(cases, await only_case(cases), "acknowledge")
    log = await put_back(cases)
    await cases.deliver([answer(version=2, erased=True)])
    await take(cases, log)
    (held,) = (await states(cases)).values()
    assert (held.version, (await only_case(cases))["status"]) == (3, "closed")
    assert newest([*log, *await told(cases)]) == {held.key: held}
