"""A small pair of services that could ship: one takes sales over HTTP, the other sums them up per shop.

The consumer's handler is as touchy as it can be: it trusts that each version comes once and in order. `applied` keeps
what it was given, so that a second delivery or a swapped pair shows. It publishes a running count of its own, so that
both ends of the runtime are at work.
"""

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from sqlalchemy import BigInteger, Identity, MetaData
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairloop.auth import Role, roles
from fairloop.clock import Clock
from fairloop.db import sql
from fairloop.events import EVENT_TYPES, TOPICS, EventData
from fairloop.events.catalogue import Topic
from fairloop.log.partitioner import partition_of
from fairloop.outbox import publish
from fairloop.poison import Reject
from fairloop.service import Handlers, Service
from fairloop.settings import ServiceSettings
from fairloop.tables import add_runtime_tables
from fairloop.web import Answer, Body, Routes, Session

PARTITIONS = 2


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What one test's pair is called in the log. `group` is the consumer's name: a new one joins at once where an
    old member's death has not been noticed yet."""

    name: str
    group: str = "counting"
    release: str = "good"
    """`good`, or `rejects everything`, `poison`: what a handler of that release does."""

    @property
    def sales_topic(self) -> str:
        return f"{self.name}.sale.v1"

    @property
    def counts_topic(self) -> str:
        return f"{self.name}.count.v1"

    @property
    def topics(self) -> dict[str, int]:
        return {self.sales_topic: PARTITIONS, self.counts_topic: PARTITIONS}


class Sale(EventData, frozen=True, kw_only=True, gc=False):
    """A sale in its newest state. `amount` in cents."""

    type: ClassVar[str] = "fault.sale.v1"
    topic: ClassVar[str] = ""

    sale: str
    shop: str
    amount: int

    @property
    def key(self) -> str:
        return self.sale


class Counted(EventData, frozen=True, kw_only=True, gc=False):
    """A sale as it was counted, in the version that was."""

    type: ClassVar[str] = "fault.counted.v1"
    topic: ClassVar[str] = ""

    sale: str

    @property
    def key(self) -> str:
        return self.sale


class _Sold(DeclarativeBase):
    pass


class Sold(_Sold):
    __tablename__ = "sold"

    sale: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]


class _Counting(DeclarativeBase):
    pass


class Held(_Counting):
    """The newest state of each sale."""

    __tablename__ = "held"

    sale: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    shop: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)


class Bucket(_Counting):
    """The running sum of a shop, by partition so that no two partitions change one row."""

    __tablename__ = "bucket"

    part: Mapped[int] = mapped_column(primary_key=True)
    shop: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    total: Mapped[int] = mapped_column(BigInteger)


class Applied(_Counting):
    """Everything the handler was ever given, in order."""

    __tablename__ = "applied"

    place: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sale: Mapped[str]
    version: Mapped[int]


add_runtime_tables(_Sold.metadata)
add_runtime_tables(_Counting.metadata)
PRODUCER_TABLES: MetaData = _Sold.metadata
CONSUMER_TABLES: MetaData = _Counting.metadata


class SaleIn(Body):
    sale: str
    version: int
    shop: str
    amount: int


class SalesIn(Body):
    sales: list[SaleIn]


class SalesOut(Answer):
    new: int


routes = Routes(tag="sales")


@routes.post("/v1/sales", allow=roles(Role.ADMIN), status_code=201)
async def post_sales(body: SalesIn, session: Session) -> SalesOut:
    """Newer versions are kept and published; a repeated request finds nothing newer."""
    names = sorted({sale.sale for sale in body.sales})
    await sql(
        session,
        "INSERT INTO sold SELECT name, 0 FROM unnest($1::text[]) AS name ORDER BY name ON CONFLICT DO NOTHING",
        names,
    )
    rows = await sql(
        session, "SELECT sale, version FROM sold WHERE sale = ANY($1::text[]) ORDER BY sale FOR UPDATE", names
    )
    newest = {row[0]: row[1] for row in rows}
    fresh: list[Sale] = []
    for sale in sorted(body.sales, key=lambda sale: (sale.sale, sale.version)):
        if sale.version > newest[sale.sale]:
            newest[sale.sale] = sale.version
            fresh.append(Sale(version=sale.version, sale=sale.sale, shop=sale.shop, amount=sale.amount))
    await sql(
        session,
        "UPDATE sold SET version = new.version FROM unnest($1::text[], $2::integer[]) AS new (sale, version)"
        " WHERE sold.sale = new.sale",
        list(newest),
        list(newest.values()),
    )
    await publish(session, fresh)
    return SalesOut(new=len(fresh))


async def count_sales(session: AsyncSession, sales: Sequence[Sale]) -> None:
    """Each event moves its shop's sum by the difference to what is held: wrong unless it comes once, in order."""
    rows = await sql(
        session,
        "SELECT sale, version, shop, amount FROM held WHERE sale = ANY($1::text[])",
        list({sale.sale for sale in sales}),
    )
    held = {row[0]: (row[1], row[2], row[3]) for row in rows}
    moved: dict[tuple[int, str], list[int]] = {}
    for sale in sales:
        part = partition_of(sale.key.encode(), PARTITIONS)
        if (before := held.get(sale.sale)) is not None:
            bucket = moved.setdefault((part, before[1]), [0, 0])
            bucket[0] -= 1
            bucket[1] -= before[2]
        bucket = moved.setdefault((part, sale.shop), [0, 0])
        bucket[0] += 1
        bucket[1] += sale.amount
        held[sale.sale] = (sale.version, sale.shop, sale.amount)
    await sql(
        session,
        "INSERT INTO applied (sale, version) SELECT * FROM unnest($1::text[], $2::integer[])",
        [sale.sale for sale in sales],
        [sale.version for sale in sales],
    )
    await sql(
        session,
        "INSERT INTO held SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::bigint[])"
        " ON CONFLICT (sale) DO UPDATE SET version = excluded.version, shop = excluded.shop, amount = excluded.amount",
        list(held),
        [version for version, _, _ in held.values()],
        [shop for _, shop, _ in held.values()],
        [amount for _, _, amount in held.values()],
    )
    await sql(
        session,
        "INSERT INTO bucket AS b SELECT * FROM unnest($1::integer[], $2::text[], $3::integer[], $4::bigint[])"
        " ON CONFLICT (part, shop) DO UPDATE SET count = b.count + excluded.count, total = b.total + excluded.total",
        [part for part, _ in moved],
        [shop for _, shop in moved],
        [count for count, _ in moved.values()],
        [total for _, total in moved.values()],
    )
    await publish(session, [Counted(version=sale.version, sale=sale.sale) for sale in sales])


async def reject_everything(session: AsyncSession, sales: Sequence[Sale]) -> None:
    raise Reject("this release takes nothing", sales[0])


async def reject_poison(session: AsyncSession, sales: Sequence[Sale]) -> None:
    """Amounts below zero can never be applied."""
    for sale in sales:
        if sale.amount < 0:
            raise Reject("a sale has no negative amount", sale)
    await count_sales(session, sales)


HANDLERS = {"good": count_sales, "rejects everything": reject_everything, "poison": reject_poison}


def _catalogue(plan: Plan) -> None:
    """Enter this test's topics beside the product's own."""
    Sale.topic = plan.sales_topic
    Counted.topic = plan.counts_topic
    for event_type, producer in ((Sale, "selling"), (Counted, plan.group)):
        TOPICS[event_type.topic] = Topic(event_type.topic, producer, PARTITIONS, (event_type,))
        EVENT_TYPES[event_type.type] = event_type


def selling(plan: Plan) -> Service:
    """The producer."""
    _catalogue(plan)
    return Service(
        name="selling",
        package="fairloop",
        settings=ServiceSettings,
        metadata=PRODUCER_TABLES,
        routes=[routes],
    )


def counting(plan: Plan) -> Service:
    """The consumer."""
    _catalogue(plan)

    def handlers(settings: ServiceSettings, clock: Clock) -> Handlers:
        return {Sale: HANDLERS[plan.release]}

    return Service(
        name=plan.group,
        package="fairloop",
        settings=ServiceSettings,
        metadata=CONSUMER_TABLES,
        routes=[],
        handlers=handlers,
    )
