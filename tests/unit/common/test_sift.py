"""What of a batch is new, by the producer's numbers."""

from datetime import UTC, datetime

import pytest

from fairloop.log.port import Record
from fairloop.receipts import HaltError, Position, sift
from fairloop.wire import Delivery


def delivery(offset: int, pseq: int | None, event: int | None = None) -> Delivery:
    record = Record("t", 0, offset, b"k", b"{}", (), datetime.now(UTC))
    event_id = (event if event is not None else pseq or 0).to_bytes(16)
    return Delivery(record, "k", "x", pseq, event_id, None, None)


def test_contiguous_numbers_are_fresh() -> None:
    sifted = sift([delivery(7, 4), delivery(8, 5)], Position(7, 3))
    assert [d.pseq for d in sifted.fresh] == [4, 5]
    assert (sifted.hw_pseq, sifted.next_offset) == (5, 9)
    assert sifted.ids() == (4).to_bytes(16) + (5).to_bytes(16)


def test_a_gap_halts() -> None:
    with pytest.raises(HaltError, match="events are missing: number 4 before offset 7"):
        sift([delivery(7, 5)], Position(7, 3))


def test_a_newcomer_without_the_first_event_halts_and_is_told_to_bootstrap() -> None:
    with pytest.raises(HaltError, match="bootstrap"):
        sift([delivery(0, 9)], Position(0, 0))


def test_records_before_the_position_are_dropped_and_never_move_it_back() -> None:
    sifted = sift([delivery(2, 3)], Position(7, 8))
    assert not sifted.fresh
    assert not sifted.repeats
    assert sifted.next_offset == 7


def test_a_repeat_inside_the_batch_is_skipped_when_it_is_the_same_event() -> None:
    sifted = sift([delivery(7, 4), delivery(8, 4), delivery(9, 5)], Position(7, 3))
    assert [d.record.offset for d in sifted.fresh] == [7, 9]


def test_one_number_for_two_events_halts() -> None:
    with pytest.raises(HaltError, match="back in time"):
        sift([delivery(7, 4, event=1), delivery(8, 4, event=2)], Position(7, 3))


def test_a_number_from_before_the_batch_is_to_be_proven() -> None:
    sifted = sift([delivery(7, 2), delivery(8, 4)], Position(7, 3))
    assert [d.pseq for d in sifted.repeats] == [2]
    assert [d.pseq for d in sifted.fresh] == [4]


def test_a_foreign_record_is_taken_without_a_number() -> None:
    sifted = sift([delivery(7, None), delivery(8, 4)], Position(7, 3))
    assert len(sifted.fresh) == 2
    assert sifted.hw_pseq == 4
    assert len(sifted.ids()) == 16
