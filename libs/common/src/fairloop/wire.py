"""Events as records: CloudEvents 1.0 in Kafka's binary mode. Attributes are headers, the value is JSON."""

from datetime import datetime
from uuid import UUID

import msgspec

from fairloop.events import EVENT_TYPES, EventData
from fairloop.log.port import NewRecord, Record, TopicPartition

PSEQ = "ce_pseq"
"""Our extension attribute: the producer's sequence per topic partition, contiguous from 1."""
TRACEPARENT = "traceparent"
"""W3C Trace Context, on events whose way is traced."""


def to_record(
    *,
    source: str,
    event_id: UUID,
    type: str,
    key: str,
    payload: bytes,
    pseq: int,
    time: datetime,
    traceparent: str | None = None,
) -> NewRecord:
    """The record of one outbox row."""
    traced = () if traceparent is None else ((TRACEPARENT, traceparent.encode()),)
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
            *traced,
        ),
    )


def pseq_of(record: Record) -> int | None:
    """The producer's sequence number, None when the record is not from one of our relays."""
    raw = dict(record.headers).get(PSEQ, b"")
    return int(raw) if raw.isdigit() else None


class Delivery(msgspec.Struct, frozen=True, gc=False):
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
        self._handled = {
            event_type.type.encode(): (event_type.type, msgspec.json.Decoder(event_type))
            for event_type in handled
        }

    def __call__(self, record: Record) -> Delivery:
        headers = dict(record.headers)
        known = self._handled.get(headers.get("ce_type", b""))
        if known is not None:
            try:
                event_id = bytes.fromhex(headers["ce_id"].decode().replace("-", ""))
                pseq, data = headers[PSEQ], known[1].decode(record.value)
                if len(event_id) == 16 and pseq.isdigit():
                    return Delivery(record, record.key.decode(), known[0], int(pseq), event_id, data, None)
            except (msgspec.MsgspecError, ValueError, KeyError, RecursionError):
                pass  # told in full below
        return self._unusual(record, headers)

    def _unusual(self, record: Record, headers: dict[str, bytes]) -> Delivery:
        """A type that nobody here handles, or something wrong: told apart, with the reason."""
        type_name = headers.get("ce_type", b"").decode(errors="replace")
        raw_pseq = headers.get(PSEQ, b"")
        fault: str | None = None
        event_id = b""
        try:
            record.key.decode()
            event_id = bytes.fromhex(headers["ce_id"].decode().replace("-", ""))
            if (known := self._handled.get(type_name.encode())) is not None:
                known[1].decode(record.value)
            elif type_name not in EVENT_TYPES:
                fault = f"unknown event type {type_name!r}"
        except (msgspec.MsgspecError, ValueError, KeyError, RecursionError) as error:
            fault = f"{type(error).__name__}: {error}"[:500]
        numbered = raw_pseq.isdigit() and len(event_id) == 16
        return Delivery(
            record=record,
            key=record.key.decode(errors="replace"),
            type=type_name,
            pseq=int(raw_pseq) if numbered else None,
            event_id=event_id,
            data=None,
            fault=fault if numbered or fault else "not written by a relay: no sequence number",
        )
