"""What must hold after any fault, seen from outside: from the tables, the log, and what was sent.

`keep_committed` makes a producer's database remember every event it ever committed, beside the outbox the relay
empties: the truth that the log and the receipts are compared with.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from tests.fault.traffic import Folded

from fairloop.db import Database, sql
from fairloop.log.port import Log, Record, TopicPartition
from fairloop.wire import pseq_of

_KEEP = (
    "CREATE TABLE committed (seq bigint PRIMARY KEY, event_id uuid, topic text, part smallint, key text)",
    "CREATE FUNCTION keep_committed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO committed"
    " SELECT seq, event_id, topic, part, key FROM added; RETURN NULL; END $$",
    "CREATE TRIGGER keep_committed AFTER INSERT ON outbox REFERENCING NEW TABLE AS added"
    " FOR EACH STATEMENT EXECUTE FUNCTION keep_committed()",
)


async def keep_committed(db: Database) -> None:
    """From now on every event that commits is remembered in the table `committed`."""
    async with db.begin() as session:
        for statement in _KEEP:
            await sql(session, statement)


@dataclass(frozen=True)
class Numbered:
    """One event on the log, where its number came first."""

    pseq: int
    event_id: bytes
    record: Record


async def read_all(log: Log, partition: TopicPartition) -> list[Record]:
    first, end = (await log.bounds([partition]))[partition]
    records: list[Record] = []
    while first < end:
        got = await log.read(partition, first, max_records=2000)
        assert got, f"{partition}: nothing at {first}, the end is {end}"
        records += got
        first = got[-1].offset + 1
    return records


def numbered(records: Sequence[Record]) -> list[Numbered]:
    """The events of a partition by number: 1, 2, 3 … without a gap, and a repeat is the very same event."""
    found: list[Numbered] = []
    for record in records:
        pseq = pseq_of(record)
        event_id = bytes.fromhex(dict(record.headers)["ce_id"].decode().replace("-", ""))
        assert pseq is not None, f"a record without a number at offset {record.offset}"
        assert pseq <= len(found) + 1, f"number {pseq} at offset {record.offset} comes after {len(found)}"
        if pseq == len(found) + 1:
            found.append(Numbered(pseq, event_id, record))
        else:
            assert found[pseq - 1].event_id == event_id, f"number {pseq} stands for two events"
    return found


async def check_log(producer: Database, log: Log, partition: TopicPartition) -> list[Numbered]:
    """The log holds exactly what was committed: numbered without a gap, each key's events in their order."""
    found = numbered(await read_all(log, partition))
    async with producer.begin() as session:
        committed = await sql(
            session,
            "SELECT event_id, key FROM committed WHERE topic = $1 AND part = $2 ORDER BY seq",
            *partition,
        )
        waiting = await sql(session, "SELECT count(*) FROM outbox WHERE topic = $1 AND part = $2", *partition)
        head = await sql(
            session, "SELECT next_pseq FROM outbox_head WHERE topic = $1 AND part = $2", *partition
        )
    assert waiting[0][0] == 0, f"{partition}: {waiting[0][0]} events still wait in the outbox"
    assert [row[0] for row in head] == [len(found) + 1], f"{partition}: the head is not at the log's end"
    by_key: dict[str, list[bytes]] = {}
    for row in committed:
        by_key.setdefault(row[1], []).append(row[0].bytes)
    on_log: dict[str, list[bytes]] = {}
    for event in found:
        on_log.setdefault(event.record.key.decode(), []).append(event.event_id)
    assert on_log == by_key, f"{partition}: the log does not hold what was committed, key by key, in order"
    return found


async def check_receipts(
    consumer: Database, log: Log, partition: TopicPartition, events: Sequence[Numbered]
) -> None:
    """The receipts are the log's events, in order, without a gap; the position is at their end and at the log's."""
    async with consumer.begin() as session:
        receipts = await sql(
            session,
            "SELECT first_pseq, last_pseq, event_ids FROM receipt WHERE topic = $1 AND part = $2 ORDER BY first_pseq",
            *partition,
        )
        [position] = await sql(
            session,
            "SELECT next_offset, hw_pseq FROM consumer_pos WHERE topic = $1 AND part = $2",
            *partition,
        )
    expected = 1
    for first, last, ids in receipts:
        assert first == expected, f"{partition}: a receipt begins at {first}, not {expected}"
        assert len(ids) == 16 * (last - first + 1), (
            f"{partition}: receipt {first}–{last} has {len(ids)} bytes"
        )
        expected = last + 1
    taken = b"".join(row[2] for row in receipts)
    assert taken == b"".join(event.event_id for event in events), (
        f"{partition}: receipts are not the log's ids"
    )
    assert position[1] == len(events), (
        f"{partition}: the position is at number {position[1]} of {len(events)}"
    )
    _, end = (await log.bounds([partition]))[partition]
    assert position[0] == end, f"{partition}: the position is at offset {position[0]} of {end}"


async def check_link(
    producer: Database, consumer: Database, log: Log, partitions: Sequence[TopicPartition]
) -> int:
    """Everything about one producer, its topic and one consumer that has settled; the number of events."""
    count = 0
    for partition in partitions:
        events = await check_log(producer, log, partition)
        if events:
            await check_receipts(consumer, log, partition, events)
        count += len(events)
    return count


async def check_sums(consumer: Database, expected: Folded) -> None:
    """The running figures == the fold of what was sent == a recount in SQL; everything was applied once, in order."""
    async with consumer.begin() as session:
        held = await sql(session, "SELECT sale, version, shop, amount FROM held")
        running = await sql(
            session, "SELECT shop, sum(count), sum(total) FROM bucket GROUP BY shop HAVING sum(count) > 0"
        )
        recount = await sql(session, "SELECT shop, count(*), sum(amount) FROM held GROUP BY shop")
        applied = await sql(session, "SELECT sale, version FROM applied ORDER BY place")
    assert {row[0]: (row[1], row[2], row[3]) for row in held} == expected.held
    assert {row[0]: (row[1], int(row[2])) for row in recount} == expected.shops
    assert {row[0]: (row[1], int(row[2])) for row in running} == expected.shops
    versions: dict[str, list[int]] = {}
    for sale, version in applied:
        versions.setdefault(sale, []).append(version)
    assert versions == {sale: list(range(1, newest + 1)) for sale, (newest, _, _) in expected.held.items()}


def check_once_each(events: Sequence[Numbered]) -> None:
    """What a consumer published in turn: one event for each version it applied, none twice."""
    seen = [(event.record.key, msgspec.json.decode(event.record.value)["version"]) for event in events]
    assert len(seen) == len(set(seen)), "something was published twice"
