import pytest
from aiokafka.partitioner import murmur2 as kafkas_murmur2
from hypothesis import given
from hypothesis import strategies as st

from fairloop.log.partitioner import murmur2, partition_of

# key → murmur2, as Apache Kafka's own UtilsTest.testMurmur2 has them
KAFKA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "hashed"), KAFKA.items())
@pytest.mark.parametrize("partitions", [1, 2, 4, 7, 2**31 - 1])
def test_a_key_goes_where_kafkas_default_partitioner_sends_it(
    key: bytes, hashed: int, partitions: int
) -> None:
    assert partition_of(key, partitions) == (hashed & 0x7FFFFFFF) % partitions


@given(st.binary(max_size=50))
def test_any_key_is_hashed_as_by_the_client_library(key: bytes) -> None:
    assert murmur2(key) == kafkas_murmur2(key) & 0xFFFFFFFF


def test_the_empty_key_has_a_partition() -> None:
    assert 0 <= partition_of(b"", 4) < 4
