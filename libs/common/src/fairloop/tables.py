"""The tables of the runtime. Every service's database has them beside the service's own."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)

from fairloop.months import by_month

RECEIPT_DAYS = 30


def _now() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def add_runtime_tables(metadata: MetaData) -> None:
    """Declare the runtime's tables in a service's metadata, so that its migrations make them."""
    Table(
        "outbox",
        metadata,
        Column("seq", BigInteger, Identity(always=True), primary_key=True),
        Column("event_id", Uuid, nullable=False, unique=True),
        Column("topic", Text, nullable=False),
        Column("part", SmallInteger, nullable=False),
        Column("key", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("pseq", BigInteger, comment="given by the relay, contiguous per topic partition from 1"),
        _now(),
        Column("traceparent", Text, comment="of what made it true, where that is traced"),
        Index("outbox_unnumbered", "seq", postgresql_where=text("pseq IS NULL")),
    )
    Table(
        "outbox_head",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("part", SmallInteger, primary_key=True),
        Column("next_pseq", BigInteger, nullable=False),
    )
    Table(
        "receipt",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("part", SmallInteger, primary_key=True),
        Column("first_pseq", BigInteger, primary_key=True),
        Column("last_pseq", BigInteger, nullable=False),
        Column("event_ids", LargeBinary, nullable=False, comment="16 bytes each, in pseq order"),
        Column("created_at", DateTime(timezone=True), primary_key=True, server_default=func.now()),
        **by_month("created_at", keep_days=RECEIPT_DAYS),
    )
    Table(
        "consumer_pos",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("part", SmallInteger, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
        Column("hw_pseq", BigInteger, nullable=False, comment="the highest pseq applied or parked"),
    )
    Table(
        "parked_event",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("topic", Text, nullable=False),
        Column("part", SmallInteger, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("pseq", BigInteger),
        Column("key", Text, nullable=False),
        Column("event_id", Uuid),
        Column("type", Text, nullable=False),
        Column("raw", LargeBinary, nullable=False),
        Column("error_class", Text, nullable=False),
        Column("error", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("state", Text, nullable=False, comment="parked | replayed | discarded"),
        Column("reason", Text, comment="why it was discarded"),
        _now(),
        Index("parked_event_settled", "created_at", postgresql_where=text("state <> 'parked'")),
        Index("parked_event_open", "topic", "part", "key", postgresql_where=text("state = 'parked'")),
    )
    Table(
        "idempotency",
        metadata,
        Column("caller", Text, primary_key=True),
        Column("route", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("body_hash", LargeBinary, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("media_type", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        _now(),
        Index("idempotency_created_at", "created_at"),
    )
    Table(
        "job_run",
        metadata,
        Column("job", Text, primary_key=True),
        Column("last_success_at", DateTime(timezone=True)),
        Column("rows_total", BigInteger, nullable=False),
    )
    Table(
        "api_key",
        metadata,
        Column("id", Text, primary_key=True),
        Column("secret_hash", LargeBinary, nullable=False, comment="SHA-256 of the 256-bit secret"),
        Column("sub", Text, nullable=False),
        Column("roles", ARRAY(Text), nullable=False),
        Column("employee_id", Text),
        Column("org_units", ARRAY(Text), nullable=False),
        Column("revoked_at", DateTime(timezone=True)),
        _now(),
    )
