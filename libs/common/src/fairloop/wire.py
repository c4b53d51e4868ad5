"""Events as records: CloudEvents 1.0 in Kafka's binary mode. Attributes are headers, the value is JSON."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from fairloop.events import EVENT_TYPES, EventData
from fairloop.log.port import NewRecord, Record, TopicPartition

PSEQ = "ce_pseq"
"""Our extension attribute: the producer's sequence per topic partition, contiguous from 1."""


def to_record(
    *, source: str, event_id: UUID, type: str, key: str, payload: bytes, pseq: int, time: datetime
) -> NewRecord:
    """The record of one outbox row."""
    return NewRecord(
        key=key.encode(),
        value=payload,
        headers=(
            ("ce_specversion", b"1.0"),
            ("ce_id", str(event_id).encode()),
            ("ce_type", type.encode()),
            ("ce_source", f"/fairloop/{source}".encode()),
            ("ce_time", time.isoformat().encode()),
            ("ce_subject", key.encode()),
            (PSEQ, str(pseq).encode()),
            ("content-type", b"application/json"),
        ),
    )


def pseq_of(record: Record) -> int | None:
    """The producer's sequence number, None when the record is not from one of our relays."""
    raw = dict(record.headers).get(PSEQ, b"")
    return int(raw) if raw.isdigit() else None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One record, decoded as far as this service needs it.

    `data` is None for a type that nobody here handles. `fault` says why it cannot be decoded. A record without
    `pseq` and `event_id` was put into the log by something other than a relay.
    """

    record: Record
    key: str
    type: str
    pseq: int | None
    event_id: bytes
    data: EventData | None
    fault: str | None

    @property
    def partition(self) -> TopicPartition:
        return TopicPartition(self.record.topic, self.record.partition)


class Decoder:
    """Decodes the event types that a service handles; never raises."""

    def __init__(self, handled: set[type[EventData]]) -> None:
        self._decoders = {event_type.type: msgspec.json.Decoder(event_type) for event_type in handled}

    def __call__(self, record: Record) -> Delivery:
        headers = dict(record.headers)
        type_name = headers.get("ce_type", b"").decode(errors="replace")
        raw_pseq = headers.get(PSEQ, b"")
        data: EventData | None = None
        fault: str | None = None
        event_id = b""
        try:
            event_id = bytes.fromhex(headers["ce_id"].decode().replace("-", ""))
            decoder = self._decoders.get(type_name)
            if decoder is not None:
                data = decoder.decode(record.value)
            elif type_name not in EVENT_TYPES:
                fault = f"unknown event type {type_name!r}"
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, KeyError, RecursionError) as error:
            fault = f"{type(error).__name__}: {error}"[:500]
        return Delivery(
            record=record,
            key=record.key.decode(errors="replace"),
            type=type_name,
            pseq=int(raw_pseq) if raw_pseq.isdigit() and len(event_id) == 16 else None,
            event_id=event_id,
            data=data,
            fault=fault if raw_pseq.isdigit() or fault else "not written by a relay: no sequence number",
        )
