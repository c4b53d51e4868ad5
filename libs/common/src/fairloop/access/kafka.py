"""Kafka's ACLs, one user a service.

A service writes the topics it produces, and reads them too: its relay looks for what it has already sent, `repair` for
what its database has forgotten. It reads the topics it consumes, in a group of its own name. Seeing a topic or a group
comes with reading it, sending idempotently with writing. Topics are created and shortened by the operator alone.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from shlex import quote
from typing import Any, Literal

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest

from fairloop.events import consumed_by, produced_by
from fairloop.log.kafka_link import ASK_MS, connection, kafka_errors
from fairloop.log.port import LogUnavailableError

# numbers of Kafka's protocol: org.apache.kafka.common.{resource,acl}
RESOURCES = {"topic": 2, "group": 3}
OPERATIONS = {"Read": 3, "Write": 4}
LITERAL, ALLOW = 3, 3


@dataclass(frozen=True, slots=True)
class Acl:
    """One thing that one user may do, from anywhere."""

    principal: str
    resource: Literal["topic", "group"]
    name: str
    operation: Literal["Read", "Write"]


def acls_of(service: str, principal: str) -> list[Acl]:
    """All that a service needs."""
    consumed = consumed_by(service)
    return [
        *(
            Acl(principal, "topic", topic.name, operation)
            for topic in produced_by(service)
            for operation in ("Read", "Write")
        ),
        *(Acl(principal, "topic", topic.name, "Read") for topic in consumed),
        *([Acl(principal, "group", service, "Read")] if consumed else []),
    ]


def as_commands(acls: Iterable[Acl]) -> Iterator[str]:
    """A shell script for Kafka's own tool, a line for each user and resource."""
    yield "#!/bin/sh"
    yield "# BOOTSTRAP=host:port ADMIN=file with the operator's client settings; PATH with Kafka's bin"
    yield "set -eu"
    for (principal, resource, name), same in groupby(
        acls, lambda acl: (acl.principal, acl.resource, acl.name)
    ):
        operations = " ".join(f"--operation {acl.operation}" for acl in same)
        yield (
            'kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN" --add'
            f" --allow-principal {quote(principal)} {operations} --{resource} {name}"
        )


async def apply(url: str, acls: Iterable[Acl]) -> None:
    """Add them on the brokers at a `kafka://` address with the operator's credentials; those there are stay.

    Raises LogUnavailableError when the brokers cannot be asked or refuse.
    """
    client = AIOKafkaClient(**connection(url), request_timeout_ms=ASK_MS)
    try:
        with kafka_errors():
            await client.bootstrap()
            for acl in acls:
                await _add(client, acl)
    finally:
        await client.close()


async def _add(client: AIOKafkaClient, acl: Acl) -> None:
    request = CreateAclsRequest(
        RESOURCES[acl.resource],
        acl.name,
        LITERAL,
        acl.principal,
        "*",
        OPERATIONS[acl.operation],
        ALLOW,
    )
    async with asyncio.timeout(ASK_MS / 1000):
        answer: Any = await client.send(client.get_random_node(), request)
    for code, _ in answer.creation_responses:
        if code:
            raise LogUnavailableError(f"{for_code(code).__name__}: {acl}")
