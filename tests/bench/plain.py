"""The plain way to take a webhook: `python -m tests.bench.plain PORT DATABASE_URL`.

A pydantic body, an ORM session a request, the same signature check, the same deduplication by a unique key, and a
response, its revision and an outgoing event in one transaction.
"""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from sqlalchemy import BigInteger, DateTime, ForeignKey, Text, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tests.bench.serving import serve_baseline
from tests.integration.survey_intake.platform import SECRET

from fairloop.standard_webhooks import is_signed, secret_key


class Base(DeclarativeBase):
    """Three tables, as one begins."""


class Response(Base):
    """What a customer answered."""

    __tablename__ = "response"
    __table_args__ = (UniqueConstraint("connection", "external_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str] = mapped_column(Text)
    nps: Mapped[int | None] = mapped_column(BigInteger)
    submitted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Revision(Base):
    """One delivery of it."""

    __tablename__ = "revision"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    response_id: Mapped[UUID] = mapped_column(ForeignKey("response.id"))
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Outgoing(Base):
    """The event."""

    __tablename__ = "outgoing"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Data(BaseModel):
    """As much of the platform's format as is kept."""

    model_config = ConfigDict(alias_generator=to_camel)

    id: str
    created_at: datetime
    updated_at: datetime
    finished: bool
    data: dict[str, Any]


class Webhook(BaseModel):
    """The body of a delivery."""

    event: str
    data: Data


async def _store(session: AsyncSession, connection: str, webhook: Webhook, body: bytes) -> dict[str, str]:
    given = webhook.data
    held = await session.scalar(
        select(Response).where(Response.connection == connection, Response.external_id == given.id)
    )
    if held is not None:
        return {"outcome": "duplicate", "response_id": str(held.id)}
    response = Response(
        id=uuid4(),
        connection=connection,
        external_id=given.id,
        nps=given.data.get("q_nps"),
        submitted_at=given.created_at,
    )
    session.add(response)
    await session.flush()
    session.add(Revision(id=uuid4(), response_id=response.id, body=json.loads(body)))
    session.add(Outgoing(id=uuid4(), payload=webhook.model_dump(mode="json")))
    return {"outcome": "accepted", "response_id": str(response.id)}


def app_on(database_url: str) -> FastAPI:
    engine = create_async_engine(
        database_url.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=12
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def made(app: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield

    app = FastAPI(lifespan=made)

    @app.post("/v1/webhooks/{connection}", status_code=202)
    async def take(connection: str, webhook: Webhook, request: Request) -> dict[str, str]:
        body = await request.body()
        if not is_signed(request.headers, body, keys=[secret_key(SECRET)], now=datetime.now(UTC)):
            raise HTTPException(401)
        try:
            async with sessions.begin() as session:
                return await _store(session, connection, webhook, body)
        except IntegrityError:
            return {"outcome": "duplicate"}  # the same delivery twice at once: the unique key has seen it

    return app


if __name__ == "__main__":
    serve_baseline(app_on(sys.argv[2]), int(sys.argv[1]))
