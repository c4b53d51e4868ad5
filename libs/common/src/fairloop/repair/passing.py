"""Past an open breaker, once somebody has looked: what fails is parked, every single event, and nothing is skipped."""

from fairloop.batch import Attempt, Outcome, apply_batch
from fairloop.errors import NotFound
from fairloop.log.port import Log, TopicPartition
from fairloop.poison import TRIES, Breaker
from fairloop.repair.partitions import consumed
from fairloop.repair.reading_on import position_of
from fairloop.service import Runtime, Service
from fairloop.wire import Decoder


class _Closed(Breaker):
    """Lets everything through: the operator has decided."""

    def copy(self) -> "Breaker":
        return self

    def failed(self, why: Exception) -> None:
        """One more is parked."""


async def pass_breaker(
    service: Service, runtime: Runtime, event_log: Log, partition: TopicPartition, *, most: int
) -> Outcome | None:
    """Take the next `most` events of a partition, parking those that fail; None when there are none. Raises NotFound, HaltError."""
    if partition not in consumed(service, runtime):
        raise NotFound(f"{service.name} does not read {partition.topic}/{partition.partition}.")
    handlers = service.handlers(runtime.settings, runtime.clock)
    decode = Decoder(set(handlers))
    position = await position_of(runtime.db, event_log, partition)
    records = await event_log.read(partition, position.next_offset, max_records=most)
    if not records:
        return None
    attempt = Attempt(_Closed(), tries=TRIES, careful=True)
    async with runtime.db.begin() as session:
        return await apply_batch(session, partition, [decode(one) for one in records], handlers, attempt)
