"""What is wrong between a service's database and the log. Looking changes nothing."""

import msgspec

from fairloop.db import Database
from fairloop.log.port import Log, TopicPartition
from fairloop.receipts import HaltError, Position, prove_repeats, sift
from fairloop.relay import log_tail
from fairloop.repair.heads import read_head
from fairloop.repair.own_events import PAGE
from fairloop.repair.partitions import consumed, produced
from fairloop.repair.reading_on import position_of
from fairloop.service import Runtime, Service
from fairloop.wire import Decoder


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One partition that cannot go on."""

    topic: str
    partition: int
    says: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where this service's reader stands in one partition."""

    topic: str
    partition: int
    next_offset: int


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in one service. `reads`: how far the log has been read."""

    service: str
    findings: list[Finding]
    reads: list[Standing]


async def look(service: Service, runtime: Runtime, event_log: Log) -> Findings:
    """Compare the numbers given out with those on the log, and what was read with what comes next."""
    findings = [
        Finding(topic=partition.topic, partition=partition.partition, says=says)
        for partition in produced(service)
        if (says := await _of_producer(runtime.db, event_log, partition))
    ]
    reads: list[Standing] = []
    decode = Decoder(set(service.handlers(runtime.settings, runtime.clock)))
    for partition in consumed(service, runtime):
        try:
            position = await position_of(runtime.db, event_log, partition)
            await _next_is_sound(runtime.db, event_log, partition, position, decode)
        except HaltError as halt:
            findings.append(Finding(topic=partition.topic, partition=partition.partition, says=str(halt)))
        else:
            reads.append(
                Standing(
                    topic=partition.topic, partition=partition.partition, next_offset=position.next_offset
                )
            )
    return Findings(service=service.name, findings=findings, reads=reads)


async def _of_producer(db: Database, event_log: Log, partition: TopicPartition) -> str | None:
    last = (await log_tail(event_log, partition)).hw_pseq
    async with db.begin() as session:
        head = await read_head(session, partition)
    if last >= head.next_number:
        return f"the log is at number {last}, this database has given out {head.next_number - 1}: it is older"
    if head.next_sent > last + 1:
        return f"the log is at number {last}, numbers up to {head.next_sent - 1} were sent: the log has lost some"
    return None


async def _next_is_sound(
    db: Database, event_log: Log, partition: TopicPartition, position: Position, decode: Decoder
) -> None:
    """Raises HaltError when the records that come next contradict what was read. Only a page of them is looked at."""
    records = await event_log.read(partition, position.next_offset, max_records=PAGE)
    if records:
        sifted = sift([decode(record) for record in records], position)
        async with db.begin() as session:
            await prove_repeats(session, partition, sifted.repeats)
