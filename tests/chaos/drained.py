"""Waiting until nothing is on its way any more."""

import asyncio
import time
from collections.abc import Mapping

import asyncpg
from tests.chaos.log_reading import CONSUMED, PARTITIONS
from tests.chaos.stand import Stand

from fairloop.log import open_log
from fairloop.log.port import LogUnavailableError, TopicPartition
from fairloop.services import SERVICES

PATIENCE_SECONDS = 300.0


class NotDrainedError(Exception):
    """Something still waits although everything is healed."""


async def wait_until_drained(stand: Stand) -> float:
    """Outboxes empty, every consumer at the end of what it reads, no deadline passed over. The seconds it took."""
    began = time.monotonic()
    while waiting := await _waiting(stand):
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise NotDrainedError(f"after {PATIENCE_SECONDS:.0f} s: {'; '.join(waiting)}")
        await asyncio.sleep(0.5)
    return time.monotonic() - began


async def _waiting(stand: Stand) -> list[str]:
    """What is on its way. The log must end where it ended before the outboxes were found empty."""
    try:
        ends = await _ends(stand)
        found = await _unread(stand, ends) + await _unfinished(stand)
        if not found and await _ends(stand) != ends:
            found.append("the log is still growing")
    except LogUnavailableError as error:
        return [f"the log: {error}"]
    return found


async def _unread(stand: Stand, ends: Mapping[TopicPartition, int]) -> list[str]:
    statement = "SELECT max(next_offset) FROM consumer_pos WHERE topic = $1 AND part = $2"
    found: list[str] = []
    for service, topics in CONSUMED.items():
        for partition, end in ends.items():
            if partition.topic in topics:
                at = await _number(stand, service, statement, *partition)
                if at < end:
                    found.append(f"{service} is at {at} of {end} in {partition.topic}/{partition.partition}")
    return found


async def _unfinished(stand: Stand) -> list[str]:
    questions = {
        "closed-loop has timers that are due, or will be while everything is checked": (
            "closed-loop",
            "SELECT count(*) FROM sla_timer WHERE state = 'armed' AND due_at < now() + interval '1 minute'",
        ),
        "closed-loop has webhooks to post": (
            "closed-loop",
            "SELECT count(*) FROM webhook_delivery WHERE state = 'pending'",
        ),
        "attribution has rules to apply": ("attribution", "SELECT count(*) FROM reattribution"),
        **{
            f"{service} has events in its outbox": (service, "SELECT count(*) FROM outbox")
            for service in SERVICES
        },
    }
    counts = {what: await _number(stand, *question) for what, question in questions.items()}
    return [f"{what}: {count}" for what, count in counts.items() if count]


async def _ends(stand: Stand) -> dict[TopicPartition, int]:
    async with open_log(stand.log_url) as log:
        return {partition: end for partition, (_, end) in (await log.bounds(PARTITIONS)).items()}


async def _number(stand: Stand, service: str, statement: str, *arguments: object) -> int:
    connection = await asyncpg.connect(stand.database(service))
    try:
        return int(await connection.fetchval(statement, *arguments) or 0)
    finally:
        await connection.close()
