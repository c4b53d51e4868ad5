"""Key → partition, the same way as Kafka's default partitioner."""

from aiokafka.partitioner import murmur2


def partition_of(key: bytes, partitions: int) -> int:
    """murmur2 of the key, made positive, modulo the number of partitions."""
    hashed: int = murmur2(key)
    return (hashed & 0x7FFFFFFF) % partitions
