"""A relay that is killed or stands still, and two that meet."""

from collections import Counter
from itertools import chain

import pytest
from tests.fault.checks import read_all
from tests.fault.conftest import on_either_log
from tests.fault.locks import connected, deletes_stopped, locked, waiting
from tests.fault.logs import LogUnderTest
from tests.fault.pair import Pair
from tests.fault.processes import until
from tests.fault.proxy import Proxy

from fairloop.wire import pseq_of

pytestmark = pytest.mark.timeout(300)

# every session gets every lock: what a pooler between service and database makes of session locks
LOCK_FOR_ALL = (
    "CREATE FUNCTION public.pg_try_advisory_lock(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "CREATE FUNCTION public.pg_try_advisory_lock(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
)


@pytest.mark.fault(2)
async def test_a_relay_killed_between_the_acknowledgement_and_the_deletion_sends_what_consumers_recognise(
    pair: Pair,
) -> None:
    await pair.sell(worker=False)
    async with deletes_stopped(pair.producer_db):
        relay = await pair.sell(api=False)
        await pair.traffic.send(pair.url, 40)
        await waiting(pair.producer_db, 1)
        assert await pair.records() > 0, "it forgets what is not on the log"
        await relay.kill()
    sent_once = await pair.records()
    await pair.sell(api=False)
    await pair.drained()
    assert await pair.records() > sent_once, "nothing was sent a second time"
    await pair.count()
    await pair.check()


@pytest.mark.fault(5)
async def test_a_relay_that_stands_still_past_the_loss_of_its_lock_only_makes_duplicates(
    pair: Pair, log: LogUnderTest
) -> None:
    await pair.sell(worker=False)
    zombie = await pair.sell(api=False, log_url=log.ways[0].url)
    await pair.count()
    await pair.traffic.send(pair.url, 30)
    await pair.settled()

    log.ways[0].hold()
    await pair.traffic.send(pair.url, 30)
    await pair.numbered(1)
    zombie.freeze()
    async with connected(pair.producer_db) as admin:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    await pair.sell(api=False)
    await pair.traffic.send(pair.url, 30)
    await pair.drained()
    sent_once = await pair.records()
    log.ways[0].heal()
    zombie.thaw()

    async def repeated() -> bool:
        return await pair.records() > sent_once

    await until(repeated, "the zombie's records arrive")
    await pair.traffic.send(pair.url, 30)
    await pair.check()


@pytest.mark.fault(5)
async def test_of_two_relays_one_leads_and_the_other_stands_by_however_slow_the_first_is(
    pair: Pair, log: LogUnderTest
) -> None:
    leader = await pair.sell(log_url=log.ways[0].url)
    await pair.traffic.send(pair.url, 10)
    await pair.drained()
    log.ways[0].slow(0.1)
    await pair.sell(api=False)
    await pair.count()
    async with pair.traffic.flowing(pair.url, size=3):
        await pair.applied(250)
    await pair.check()
    log.ways[0].heal()
    assert leader.alive


@pytest.mark.fault(5)
@on_either_log
async def test_relays_that_both_believe_to_lead_give_every_event_one_number_and_every_number_once(
    pair: Pair,
) -> None:
    async with connected(pair.producer_db) as admin:
        for statement in LOCK_FOR_ALL:
            await admin.execute(statement)
        name = await admin.fetchval("SELECT current_database()")
        await admin.execute(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')
    await pair.producer_db.close()  # its sessions have the old path
    await pair.sell(worker=False)
    relays = [await pair.sell(api=False) for _ in range(2)]
    await pair.traffic.send(pair.url, 10)
    await pair.drained()

    for relay in relays:
        relay.freeze()
    async with locked(pair.producer_db, "SELECT * FROM outbox_head FOR UPDATE"):
        await pair.traffic.send(pair.url, 60)
        for relay in relays:
            relay.thaw()  # both find the 60 before they wait for the head
        await waiting(pair.producer_db, 2)
    await pair.drained()
    await pair.traffic.send(pair.url, 20)
    await pair.drained()

    for partition in pair.sales:
        records = await read_all(pair.log, partition)
        numbers = {(dict(record.headers)["ce_id"], pseq_of(record)) for record in records}
        by_event = Counter(event for event, _ in numbers)
        by_number = Counter(number for _, number in numbers)
        assert set(chain(by_event.values(), by_number.values())) == {1}
        assert sorted(filter(None, by_number)) == list(range(1, len(by_event) + 1))


@pytest.mark.fault("silent end")
@on_either_log
async def test_a_relay_whose_database_is_gone_without_a_word_connects_anew(pair: Pair) -> None:
    await pair.sell(worker=False)
    async with Proxy() as proxy:
        await pair.sell(api=False, database_url=proxy.url(pair.producer_db.url))
        await pair.traffic.send(pair.url, 10)
        await pair.drained()
        proxy.desert()
        await pair.traffic.send(pair.url, 10)
        await pair.drained(seconds=120)
        await pair.count()
        await pair.check()
