"""A restored service reads its own topics, as its consumers did, and takes over what it has forgotten."""

from dataclasses import dataclass, field

from fairloop.log.port import Log, TopicPartition
from fairloop.published import Published
from fairloop.rebuilding import republish
from fairloop.repair.heads import pass_log, read_head, waiting_ids
from fairloop.repair.own_events import pages_of
from fairloop.repair.partitions import produced
from fairloop.service import Runtime, Service


@dataclass
class TakenOver:
    """`heads`: partitions whose numbering went on behind the log. `unreadable`: records nobody can decode."""

    changed: int = 0
    lost: list[str] = field(default_factory=list)
    unreadable: int = 0
    republished: int = 0
    heads: list[TopicPartition] = field(default_factory=list)


async def take_over(service: Service, runtime: Runtime, event_log: Log) -> TakenOver:
    """Bring the aggregates to what the log says, then the numbering behind what the log has.

    In this order: until the numbering was moved the relay stays halted, so that being killed in between leaves a
    service that still says it has to be repaired. A log that has less than was sent gets everything again.
    """
    done = TakenOver()
    log_is_short = False
    for partition in produced(service):
        async with runtime.db.begin() as session:
            waiting = await waiting_ids(session, partition)
        last, sent, versions = 0, set[bytes](), dict[str, int]()
        async for page in pages_of(event_log, partition):
            done.unreadable += page.unreadable
            last = max([last, *(number for number, _ in page.numbers)])
            sent.update(id for _, id in page.numbers if id in waiting)
            events = [one for one in page.events if _is_new(one, versions)]
            if service.recovery is not None and events:
                async with runtime.db.begin() as session:
                    taken = await service.recovery.take(runtime, session, events)
                done.changed += taken.changed
                done.lost += [line for line in taken.lost if line not in done.lost]
        async with runtime.db.begin() as session:
            if await pass_log(session, partition, last=last, sent=sent):
                done.heads.append(partition)
            elif (await read_head(session, partition)).next_sent > last + 1:
                log_is_short = True
    if log_is_short:
        done.republished = await republish(service, runtime)
    return done


def _is_new(one: Published, versions: dict[str, int]) -> bool:
    """As consumers look at it: versions they hold or have passed, published again or by mistake, say nothing."""
    if one.event.version <= versions.get(one.event.key, 0):
        return False
    versions[one.event.key] = one.event.version
    return True
