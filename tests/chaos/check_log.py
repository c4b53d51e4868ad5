"""What producers committed, what the log holds and what consumers took are one and the same."""

from collections import defaultdict

import asyncpg
from tests.chaos.evidence import Evidence
from tests.chaos.log_reading import CONSUMED, PARTITIONS, PRODUCED
from tests.fault import checks

from fairloop.db import Database
from fairloop.log import open_log
from fairloop.services import SERVICES


async def every_number_once_and_in_order(evidence: Evidence) -> list[str]:
    """pseq runs 1, 2, 3 … in each partition; a repeat is the very same event."""
    wrong: list[str] = []
    for (topic, part), records in evidence.log.items():
        try:
            checks.numbered(records)
        except AssertionError as error:
            wrong.append(f"{topic}/{part}: {error}")
    return wrong


async def the_log_holds_what_was_committed(evidence: Evidence) -> list[str]:
    """Every event that was ever committed to an outbox, each key's in their order, and no other."""
    wrong: list[str] = []
    databases = {service: Database(evidence.stand.database(service)) for service in SERVICES}
    async with open_log(evidence.stand.log_url) as log:
        for partition in PARTITIONS:
            producer, _ = PRODUCED[partition.topic]
            try:
                if evidence.log[partition]:
                    await checks.check_log(databases[producer], log, partition)
            except AssertionError as error:
                wrong.append(f"{producer}: {error}")
    for database in databases.values():
        await database.close()
    return wrong


async def receipts_are_the_events_of_the_log(evidence: Evidence) -> list[str]:
    """Each consumer's receipts, laid end to end, are the ids of the log in its order: none twice, none missing."""
    wrong: list[str] = []
    async with open_log(evidence.stand.log_url) as log:
        for service, topics in CONSUMED.items():
            database = Database(evidence.stand.database(service))
            for partition, records in evidence.log.items():
                try:
                    if partition.topic in topics and records:
                        await checks.check_receipts(database, log, partition, checks.numbered(records))
                except AssertionError as error:
                    wrong.append(f"{service}: {error}")
            await database.close()
    return wrong


async def every_version_once_and_in_order(evidence: Evidence) -> list[str]:
    """The published states of one thing are numbered 1, 2, 3 …: none was lost, made twice or overtaken."""
    wrong: list[str] = []
    for (topic, part), events in evidence.events.items():
        versions: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for event in events:
            versions[event.type, event.key].append(event.data["version"])
        wrong += [
            f"{topic}/{part}: {type} {key} has the versions {found}"
            for (type, key), found in versions.items()
            if found != list(range(1, len(found) + 1))
        ]
    return wrong


async def nothing_parked_or_halted(evidence: Evidence) -> list[str]:
    wrong: list[str] = []
    for service in SERVICES:
        connection = await asyncpg.connect(evidence.stand.database(service))
        try:
            rows = await connection.fetch("SELECT type, error FROM parked_event")
        finally:
            await connection.close()
        wrong += [f"{service} parked a {row['type']}: {row['error']}" for row in rows]
        health = await evidence.caller.get(service, "/readyz")
        wrong += [f"{service}: {where} is halted: {why}" for where, why in health["halted"].items()]
    return wrong
