"""A consumer that is killed, stands still, or is restarted again and again."""

import asyncio
import itertools
import os
import signal

import pytest
from tests.fault.locks import locked, waiting
from tests.fault.pair import Pair
from tests.fault.processes import ServiceProcess
from tests.fault.proxy import Direction, Proxy
from tests.form import LONG

pytestmark = pytest.mark.timeout(600)

PLACES = range(1, 150) if LONG else range(2, 150, 13)


def dies_at(proxy: Proxy, process: list[ServiceProcess], place: int) -> None:
    """kill -9 when the so-manieth piece passes between the process and its database, counted from the first lock of
    its position; what was to pass then is lost."""
    seen = 0

    def tap(direction: Direction, piece: bytes) -> bool:
        nonlocal seen
        if seen or (b"consumer_pos" in piece and b"FOR UPDATE" in piece):
            seen += 1
        if seen < place:
            return True
        os.kill(process[0].pid, signal.SIGKILL)
        return False

    proxy.tap = tap


@pytest.mark.fault(3)
async def test_a_consumer_killed_at_each_of_its_words_with_the_database_equals_one_that_never_was(
    pair: Pair,
) -> None:
    await pair.sell()
    applied = [0]
    async with Proxy() as proxy:
        url = proxy.url(pair.consumer_db.url)
        for place in PLACES:
            proxy.heal()
            await pair.traffic.send(pair.url, 12)
            await pair.drained()
            process: list[ServiceProcess] = []
            dies_at(proxy, process, place)
            process.append(await pair.count(group=f"{pair.plan.group}-{place}", database_url=url))
            await process[0].gone()
            applied += (await pair.rows(pair.consumer_db, "SELECT count(*) FROM applied"))[0]
    progress = {after > before for before, after in itertools.pairwise(applied)}
    assert progress == {True, False}, "some must have died before a commit, some after"
    await pair.count(group=f"{pair.plan.group}-last")
    await pair.check()


@pytest.mark.fault(4)
async def test_a_consumer_that_stands_still_for_a_minute_applies_nothing_twice_when_it_wakes(
    pair: Pair,
) -> None:
    await pair.sell()
    zombie = await pair.count()
    await pair.traffic.send(pair.url, 30)
    await pair.settled()
    before = len(pair.traffic.sent)
    async with locked(pair.consumer_db, "LOCK TABLE bucket IN EXCLUSIVE MODE"):
        await pair.traffic.send(pair.url, 50)  # both partitions: their transactions wait inside the handler
        await waiting(pair.consumer_db, 2)
        zombie.freeze()
        await pair.count()
    async with pair.traffic.flowing(pair.url, pause=0.2):
        await waiting(pair.consumer_db, 1, "%consumer_pos%")  # the successor, for the zombie's position
        await asyncio.sleep(45 if LONG else 1)
        [(applied,)] = await pair.rows(pair.consumer_db, "SELECT count(*) FROM applied")
        assert applied == before, "somebody applied what the zombie still holds"
        zombie.thaw()
        await pair.applied(before + 50)
    await pair.check()


@pytest.mark.fault(13)
async def test_five_rolling_restarts_under_load_double_nothing_and_catch_up(pair: Pair) -> None:
    producer = await pair.sell()
    consumers = [await pair.count(), await pair.count()]
    async with pair.traffic.flowing(pair.url):
        for _ in range(5):
            await asyncio.sleep(20 if LONG else 0.5)
            await producer.terminate()
            producer = await pair.sell()
            await consumers[0].terminate()
            consumers = [consumers[1], await pair.count()]
    await pair.check()
    assert consumers[1].alive
