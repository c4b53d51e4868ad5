"""Events that cannot be applied, and releases that apply none."""

import asyncio
from uuid import UUID

import msgspec
import pytest
from tests.fault.conftest import on_either_log
from tests.fault.locks import locked, waiting
from tests.fault.pair import Pair
from tests.fault.processes import until
from tests.fault.sales import PARTITIONS, Sale, counting

from fairloop.clock import system_clock
from fairloop.log.partitioner import partition_of
from fairloop.parking import list_parked, retry_key
from fairloop.settings import ServiceSettings
from fairloop.testing import ENVIRONMENT
from fairloop.wire import Decoder

pytestmark = pytest.mark.timeout(200)


async def parked(pair: Pair) -> list[tuple[str, int]]:
    """(key, number) of what waits, in log order per partition."""
    async with pair.consumer_db.begin() as session:
        return [(event.key, event.pseq or 0) for event in await list_parked(session)]


async def retry(pair: Pair, parked_id: UUID) -> int:
    """What `parked retry` does, with a release that takes everything."""
    plan = msgspec.structs.replace(pair.plan, release="good")
    handlers = counting(plan).handlers(ServiceSettings.model_validate(ENVIRONMENT), system_clock)
    async with pair.consumer_db.begin() as session:
        return await retry_key(session, parked_id, handlers, Decoder({Sale}))


def sale(name: str, version: int, amount: int) -> dict[str, object]:
    return {"sale": name, "version": version, "shop": "north", "amount": amount}


@pytest.mark.fault(15)
@on_either_log
async def test_a_release_that_rejects_everything_is_stopped_at_ten_and_skips_nothing(pair: Pair) -> None:
    await pair.sell()
    good = await pair.count()
    await pair.traffic.send(pair.url, 20)
    await pair.settled()
    await good.terminate()
    before = await pair.rows(pair.consumer_db, "SELECT * FROM consumer_pos ORDER BY part")

    bad = await pair.count(release="rejects everything")
    await pair.traffic.send(pair.url, 100)
    reasons = await pair.halted(bad, 2)
    assert all("10 events in a row failed" in reason for reason in reasons)
    assert await parked(pair) == []
    assert await pair.rows(pair.consumer_db, "SELECT * FROM consumer_pos ORDER BY part") == before
    await bad.terminate()

    await pair.count()
    await pair.check()


@pytest.mark.fault(14)
@on_either_log
async def test_a_poisoned_key_waits_while_others_flow_and_its_replay_is_exact(pair: Pair) -> None:
    await pair.sell()
    await pair.count(release="poison")
    await pair.traffic.send(pair.url, sales=[sale("bad", 1, 100), sale("fine", 1, 100)])
    await pair.applied()
    await pair.traffic.send(pair.url, sales=[sale("bad", 2, -1)])
    await pair.traffic.send(pair.url, sales=[sale("bad", 3, 300), sale("fine", 2, 200)])
    await pair.traffic.send(pair.url, 40)
    await pair.applied(len(pair.traffic.sent) - 2)
    await pair.traffic.send(pair.url, sales=[sale("bad", 4, 400), sale("fine", 3, 300)])

    async def three() -> bool:
        return [key for key, _ in await parked(pair)] == ["bad"] * 3

    await until(three, "the poison and what came after it are parked")
    await pair.applied(len(pair.traffic.sent) - 3)

    # a batch of the same partition is under way while the key is retried: neither may miss the other's part
    neighbour = next(n for n in map(str, range(99)) if _part(n) == _part("bad"))
    async with locked(pair.consumer_db, "LOCK TABLE bucket IN EXCLUSIVE MODE"):
        await pair.traffic.send(pair.url, sales=[sale(neighbour, 1, 1), sale("bad", 5, 500)])
        await waiting(pair.consumer_db, 1)
        async with pair.consumer_db.begin() as session:
            first, *_ = await list_parked(session)
        retrying = asyncio.create_task(retry(pair, first.id))
        await waiting(pair.consumer_db, 2)
    assert await retrying == 4
    assert await parked(pair) == []
    await pair.traffic.send(pair.url, sales=[sale("bad", 6, 600)])
    await pair.check()


def _part(key: str) -> int:
    return partition_of(key.encode(), PARTITIONS)
