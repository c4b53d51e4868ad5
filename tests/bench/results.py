"""Attribution results as they occur: one interaction, two participants, a ledger of two entries."""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from fairloop.events import TOPICS, AttributionResult, Cause, ResponseFacts, Scores
from fairloop.events.attribution import Entry, InteractionFacts, Participant
from fairloop.ids import uuid7
from fairloop.log import open_log
from fairloop.log.partitioner import partition_of
from fairloop.log.port import NewRecord, TopicPartition
from fairloop.wire import to_record

TOPIC = TOPICS[AttributionResult.topic]
EMPLOYEES = 200
DAYS = 30
AT_ONCE = 2000


async def fill(
    log_url: str,
    events: int,
    *,
    topic: str = TOPIC.name,
    partitions: int = TOPIC.partitions,
    keyed_by_partition: bool = False,
    traced: float = 0,
) -> None:
    """Append results as the relay of attribution would, numbered per partition. Makes the topic.

    `keyed_by_partition` is for those whose state is kept by the record's key; `traced` is the share that carries a
    trace.
    """
    chance = random.Random(events)
    numbered: dict[TopicPartition, int] = defaultdict(int)
    async with open_log(log_url) as event_log:
        await event_log.create_topics({topic: partitions})
        producer = await event_log.producer()
        for start in range(0, events, AT_ONCE):
            batches = _batches(min(AT_ONCE, events - start), numbered, chance, topic, partitions, traced)
            if keyed_by_partition:
                batches = {
                    where: [replace(record, key=str(where.partition).encode()) for record in records]
                    for where, records in batches.items()
                }
            await producer.append(batches)
        await producer.close()


def _batches(
    count: int,
    numbered: dict[TopicPartition, int],
    chance: random.Random,
    topic: str,
    partitions: int,
    traced: float,
) -> dict[TopicPartition, list[NewRecord]]:
    batches: dict[TopicPartition, list[NewRecord]] = defaultdict(list)
    for _ in range(count):
        result = result_of(chance)
        partition = TopicPartition(topic, partition_of(result.key.encode(), partitions))
        numbered[partition] += 1
        batches[partition].append(
            to_record(
                source=TOPIC.producer,
                event_id=uuid7(),
                type=result.type,
                key=result.key,
                payload=msgspec.json.encode(result),
                pseq=numbered[partition],
                time=result.response.received_at,
                traceparent=_begun(chance) if traced and chance.random() < traced else None,
            )
        )
    return batches


def _begun(chance: random.Random) -> str:
    """The traceparent of a recorded span."""
    return f"00-{chance.getrandbits(128):032x}-{chance.getrandbits(64):016x}-01"


def result_of(chance: random.Random, *, employees: int = EMPLOYEES, days: int = DAYS) -> AttributionResult:
    """The result of one response, new in its id."""
    submitted = datetime(2026, 3, 1, 9, tzinfo=UTC) + timedelta(days=chance.randrange(days))
    first, second = (f"mechanic-{number}" for number in chance.sample(range(employees), 2))
    return AttributionResult(
        version=1,
        response_id=uuid7(),
        response_version=1,
        status="matched",
        response=ResponseFacts(
            connection="glass",
            survey_id="nps-survey",
            survey_type="transactional",
            taxonomy="causes",
            day=submitted.date(),
            submitted_at=submitted,
            updated_at=submitted,
            received_at=submitted,
            scores=Scores(nps=chance.randint(0, 10)),
            causes=(Cause(level1="work", level2="quality"),),
            segments={"branch": "north"},
            has_comment=True,
        ),
        customer=f"{chance.getrandbits(128):032x}",
        interaction=InteractionFacts(
            id=f"job-{chance.getrandbits(32)}", occurred_at=submitted, org_unit="north", touchpoint="repair"
        ),
        rule_version="1",
        participants=tuple(
            Participant(employee=employee, role="mechanic", org_unit="north") for employee in (first, second)
        ),
        entries=tuple(
            Entry(
                subject_type="employee",
                subject_id=employee,
                share=500_000,
                reason="influenced",
                role="mechanic",
                cause="work/quality",
                org_unit="north",
            )
            for employee in (first, second)
        ),
    )
