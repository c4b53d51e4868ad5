"""Brokers that die, are slow, or cannot be reached: what was accepted waits, and arrives in order."""

import asyncio

import pytest
from tests.fault.logs import LogUnderTest
from tests.fault.pair import Pair
from tests.fault.processes import until
from tests.form import LONG

pytestmark = pytest.mark.timeout(900)

OUTAGE = 600 if LONG else 15
PARTITION = 60 if LONG else 18  # past the session timeout and the producer's patience


@pytest.mark.fault(6)
async def test_a_log_that_is_down_for_ten_minutes_keeps_nobody_from_selling_and_drains_in_order(
    pair: Pair, log: LogUnderTest
) -> None:
    producer = await pair.sell()
    await pair.count()
    await pair.traffic.send(pair.url, 20)
    await pair.applied()
    await log.stop()
    async with pair.traffic.flowing(pair.url, size=3, pause=0.1):
        await asyncio.sleep(OUTAGE)

        async def degraded() -> bool:
            state = await pair.ready(producer)
            return state is not None and state["code"] == 200 and state["degraded"]

        await until(degraded, "the producer says that it is degraded, and is ready")
    assert len(pair.traffic.sent) > 20
    assert pair.traffic.repeats == 0, "a sale was refused"
    await log.start()
    await pair.check(seconds=120)


@pytest.mark.kafka
@pytest.mark.fault(7)
@pytest.mark.parametrize("log", ["kafka"], indirect=True)
async def test_one_broker_of_three_killed_under_load_loses_nothing(pair: Pair, log: LogUnderTest) -> None:
    assert log.cluster is not None
    await pair.sell()
    await pair.count()
    async with pair.traffic.flowing(pair.url):
        await pair.applied(100)
        log.cluster.kill(1)
        sent = len(pair.traffic.sent)
        await pair.applied(sent + 100)
        log.cluster.start(1)
        await asyncio.sleep(60 if LONG else 3)
    await pair.check()


@pytest.mark.fault("partition")
async def test_a_network_partition_between_services_and_the_log_heals_without_a_trace(
    pair: Pair, log: LogUnderTest
) -> None:
    to_log, from_log = log.ways
    await pair.sell(log_url=to_log.url)
    await pair.count(log_url=from_log.url)
    async with pair.traffic.flowing(pair.url, size=3, pause=0.1):
        await pair.applied(20)
        to_log.hold()
        from_log.hold()
        await asyncio.sleep(PARTITION)
        log.heal()
        await pair.applied()
        for fault in (to_log.cut, from_log.cut, to_log.half_close, from_log.half_close):
            fault()
            await asyncio.sleep(0.5)
            log.heal()
            await pair.applied()
    await pair.check(seconds=120)


@pytest.mark.fault("slow log")
async def test_a_slow_log_loses_nothing_and_repeats_nothing(pair: Pair, log: LogUnderTest) -> None:
    to_log, from_log = log.ways
    await pair.sell(log_url=to_log.url)
    await pair.count(log_url=from_log.url)
    async with pair.traffic.flowing(pair.url, size=3, pause=0.1):
        await pair.applied(20)
        to_log.slow(0.3)
        from_log.slow(0.3)
        await asyncio.sleep(60 if LONG else 4)
    await pair.settled(seconds=120)
    log.heal()
    await pair.check(seconds=120)


@pytest.mark.kafka
@pytest.mark.fault("slow log")
@pytest.mark.parametrize("log", ["kafka"], indirect=True)
async def test_a_broker_that_stands_still_under_load_loses_nothing(pair: Pair, log: LogUnderTest) -> None:
    assert log.cluster is not None
    await pair.sell()
    await pair.count()
    async with pair.traffic.flowing(pair.url):
        await pair.applied(50)
        log.cluster.pause(2)
        await asyncio.sleep(
            60 if LONG else 6
        )  # past broker.session.timeout.ms: another one leads its partitions
        log.cluster.resume(2)
    await pair.check(seconds=120)
