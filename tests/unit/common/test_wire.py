"""Events as CloudEvents records."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from fairloop.events import Employee, OrgUnit
from fairloop.ids import uuid7
from fairloop.log.port import NewRecord, Record
from fairloop.wire import Decoder, pseq_of, to_record

UNIT = OrgUnit(version=3, org_unit="north", name="North")


def stored(new: NewRecord) -> Record:
    return Record("directory.v1", 0, 5, new.key, new.value, new.headers, datetime.now(UTC))


def written(payload: bytes = b"", type_name: str = OrgUnit.type) -> Record:
    return stored(
        to_record(
            source="attribution",
            event_id=uuid7(),
            type=type_name,
            key=UNIT.key,
            payload=payload or msgspec.json.encode(UNIT),
            pseq=12,
            time=datetime.now(UTC),
        )
    )


def test_an_event_comes_back_as_it_was_sent() -> None:
    record = written()
    delivery = Decoder({OrgUnit})(record)
    assert delivery.data == UNIT
    assert delivery.pseq == pseq_of(record) == 12
    assert delivery.key == "org-unit:north"
    assert delivery.fault is None


def test_a_traced_event_carries_its_traceparent_and_another_no_header_for_it() -> None:
    about: dict[str, Any] = {"source": "attribution", "event_id": uuid7(), "type": OrgUnit.type, "key": "k"}
    traced = to_record(**about, payload=b"{}", pseq=1, time=datetime.now(UTC), traceparent="00-ab-cd-01")
    assert dict(traced.headers)["traceparent"] == b"00-ab-cd-01"
    assert "traceparent" not in dict(written().headers)


def test_the_headers_are_those_of_cloudevents_binary_mode() -> None:
    headers = dict(written().headers)
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_type"] == b"directory.org-unit.v1"
    assert headers["ce_source"] == b"/fairloop/attribution"
    assert headers["ce_subject"] == b"org-unit:north"
    assert headers["content-type"] == b"application/json"
    datetime.fromisoformat(headers["ce_time"].decode())


def test_a_type_that_nobody_here_handles_is_not_decoded() -> None:
    delivery = Decoder({Employee})(written(b"not json"))
    assert delivery.data is None
    assert delivery.fault is None


def test_what_cannot_be_decoded_says_why_and_keeps_its_place() -> None:
    for payload in (b"\xff", b"{}", b"[" * 100_000, b'{"version":"x"}'):
        delivery = Decoder({OrgUnit})(written(payload))
        assert delivery.fault
        assert delivery.pseq == 12


def test_an_unknown_type_is_a_fault() -> None:
    assert "unknown event type" in str(Decoder({OrgUnit})(written(type_name="directory.nobody.v9")).fault)


def test_a_record_that_no_relay_wrote_has_no_number() -> None:
    delivery = Decoder({OrgUnit})(stored(NewRecord(b"k", b"v")))
    assert delivery.pseq is None
    assert delivery.fault


def test_a_handled_event_with_anything_odd_about_it_is_never_passed_over() -> None:
    good = written()
    for name, value in (
        ("ce_id", b"short"),
        ("ce_id", b"00"),
        ("ce_pseq", b"-1"),
        ("ce_pseq", b""),
        ("ce_id", b"\xff"),
    ):
        headers = tuple((n, value if n == name else v) for n, v in good.headers)
        odd = Record(good.topic, 0, 5, good.key, good.value, headers, good.timestamp)
        delivery = Decoder({OrgUnit})(odd)
        assert delivery.data is None, (name, value)
        assert delivery.fault, (name, value)
    odd_key = Record(good.topic, 0, 5, b"\xff", good.value, good.headers, good.timestamp)
    assert Decoder({OrgUnit})(odd_key).fault
