"""Connections: who may deliver, how their deliveries are checked and read."""

from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import Database, is_transient
from fairloop.standard_webhooks import secret_key
from survey_intake.domain.mapping import Mapping
from survey_intake.group_commit import GroupCommit
from survey_intake.sealing import Vault
from survey_intake.tables import Connection


class ConnectionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A connection as deliveries need it. `keys` are those of its live secrets."""

    id: str
    revision: int
    platform: str
    keys: tuple[bytes, ...]
    unsigned: bool
    zone: ZoneInfo
    survey_type: Literal["transactional", "relationship"]
    taxonomy: str | None
    mapping: Mapping


def open_secrets(row: Connection, vault: Vault) -> list[str]:
    if row.secrets is None:
        return []
    return msgspec.json.decode(vault.open(row.secrets, row.id.encode()), type=list[str])


def seal_secrets(connection_id: str, secrets: Sequence[str], vault: Vault) -> bytes | None:
    return vault.seal(msgspec.json.encode(list(secrets)), connection_id.encode()) if secrets else None


async def load_config(session: AsyncSession, connection_id: str, vault: Vault) -> ConnectionConfig | None:
    row = await session.get(Connection, connection_id)
    return None if row is None else config_of(row, vault)


def config_of(row: Connection, vault: Vault) -> ConnectionConfig:
    return ConnectionConfig(
        id=row.id,
        revision=row.revision,
        platform=row.platform,
        keys=tuple(secret_key(secret) for secret in open_secrets(row, vault)),
        unsigned=row.unsigned,
        zone=ZoneInfo(row.timezone),
        survey_type="relationship" if row.survey_type == "relationship" else "transactional",
        taxonomy=row.taxonomy,
        mapping=msgspec.convert(row.mapping, Mapping),
    )


class ConnectionCache:
    """Connections read before. The transaction that stores a delivery checks that the one used is still current.

    Those who have to read at the same time share one query, which begins after they asked: a burst of deliveries
    on a cold cache takes one database connection, not all.
    """

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault
        self._held: dict[str, ConnectionConfig] = {}
        self._questions: GroupCommit[str, ConnectionConfig | None] = GroupCommit(
            self._read, capacity=100_000, max_items=10_000, heals=is_transient
        )

    def held(self, connection_id: str) -> ConnectionConfig | None:
        """What was read last: good enough to accept with (storing checks it), not to refuse with."""
        return self._held.get(connection_id)

    async def read(self, connection_id: str) -> ConnectionConfig | None:
        """The connection as it is now; None when there is no such connection."""
        return await self._questions.submit(connection_id)

    async def _read(self, connection_ids: Sequence[str]) -> list[ConnectionConfig | None]:
        wanted = set(connection_ids)
        async with self._db.begin() as session:
            rows = (await session.scalars(select(Connection).where(Connection.id.in_(wanted)))).all()
        found = {row.id: config_of(row, self._vault) for row in rows}
        for gone in wanted - found.keys():
            self._held.pop(gone, None)
        self._held |= found
        return [found.get(connection_id) for connection_id in connection_ids]
