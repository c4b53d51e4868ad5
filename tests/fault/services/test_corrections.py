"""Corrections delivered in any order, also one the log would never give: figures are the fold, a closed quarter stays."""

import random
from collections.abc import Iterator
from itertools import groupby

import pytest
from tests.property.commands import Commands
from tests.property.five_services import FiveServices, five_services
from tests.property.fold import Answer

from fairloop.embedded import PostgresServer
from fairloop.events import AttributionResult, EventData, SurveyResponse

pytestmark = pytest.mark.fault(18)

CAUSES = ("quality", "speed")


@pytest.fixture(scope="module")
def five(postgres: PostgresServer) -> Iterator[FiveServices]:
    with five_services(postgres) as services:
        yield services


async def _a_closed_quarter(commands: Commands) -> None:
    """Three answers, counted and paid on."""
    for job, who in (("j1", "m1"), ("j2", "m1"), ("j3", "m2")):
        await commands.do_job(job, [who])
    for name, score, job in (("r1", 9, "j1"), ("r2", 2, "j2"), ("r3", 6, "j3")):
        await commands.answer(name, Answer(score, CAUSES, job), 0)
    await commands.settle()
    assert await commands.close_quarter()


async def _corrections(commands: Commands) -> None:
    """r1 goes from m1 to m2 and back; r2's share is disputed; r3 is erased; r1 is revised twice, the last one late."""
    await commands.do_job("j1", ["m2"])
    await commands.do_job("j1", ["m1"])
    assert await commands.uphold("r2", "m1", "not_my_customer")
    assert await commands.uphold("r1", "m1", "wrong_interaction", "j2")
    assert await commands.uphold("r1", "m1", "wrong_interaction", "j1")
    await commands.answer("r1", Answer(3, CAUSES, "j1"), 3)
    await commands.answer("r1", Answer(10, CAUSES, "j1"), 1)
    await commands.forget("bob")


def test_corrections_in_any_order_move_figures_to_the_fold_and_leave_a_closed_run_alone(
    five: FiveServices,
) -> None:
    five.run(_a_closed_quarter_and_its_corrections(five))


async def _a_closed_quarter_and_its_corrections(five: FiveServices) -> None:
    for seed in range(3):
        await five.reset()
        commands = Commands(five)
        await _a_closed_quarter(commands)
        await _corrections(commands)
        dice = random.Random(seed)
        for service in ("attribution", "kpi-aggregator", "bonus"):
            await _deliver_shuffled(commands, service, dice)
        await _deliver_shuffled(commands, "kpi-aggregator", dice)
        await commands.settle()
        await commands.check()


async def _deliver_shuffled(commands: Commands, service: str, dice: random.Random) -> None:
    """Everything for this service, old and new, one at a time and in no order at all, some of it twice."""
    five = commands.five
    while five.take_one_of_each_key(service):
        pass  # below
    events = commands.had(service)
    events += dice.sample(events, len(events) // 2)
    dice.shuffle(events)
    for event in events:
        await five.deliver(service, [event])


def _newest(events: list[EventData]) -> list[EventData]:
    by_key = sorted(events, key=lambda event: (event.key, event.version))
    return [list(versions)[-1] for _, versions in groupby(by_key, key=lambda event: event.key)]


@pytest.mark.parametrize("event_type", [SurveyResponse, AttributionResult])
def test_an_older_version_that_comes_late_changes_nothing_anywhere(
    five: FiveServices, event_type: type[EventData]
) -> None:
    """What a revision compare the wrong way round would not survive."""
    five.run(_older_versions_come_late(five, event_type))


async def _older_versions_come_late(five: FiveServices, event_type: type[EventData]) -> None:
    await five.reset()
    commands = Commands(five)
    await _a_closed_quarter(commands)
    await _corrections(commands)
    await commands.settle()
    for service, topics in five.inputs.items():
        if event_type.topic in topics:
            events = five.log.had(service, event_type.topic)
            newest = _newest(events)
            for event in sorted(events, key=lambda event: -event.version):
                if event not in newest:
                    assert not await five.deliver(service, [event]), f"{service} took {event}"
    await commands.check()
