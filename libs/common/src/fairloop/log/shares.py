"""Which worker of a group gets which partitions. Pure, so that every worker comes to the same answer alone."""

from collections.abc import Mapping, Sequence, Set

from fairloop.log.port import TopicPartition


def share_of(
    member: str, members: Mapping[str, Set[str]], partitions: Mapping[str, int]
) -> frozenset[TopicPartition]:
    """The partitions of one member.

    `members` are the live members in the order they joined, each with the topics it subscribes to; `partitions` is
    the number of partitions of every topic. Neighbouring partitions stay together, so a newcomer moves few; each
    member gets at most ⌈partitions / members⌉ when all subscribe to the same topics.
    """
    everything = [
        TopicPartition(topic, part) for topic in sorted(partitions) for part in range(partitions[topic])
    ]
    return frozenset(
        partition
        for place, partition in enumerate(everything)
        if _owner(place, len(everything), [name for name in members if partition.topic in members[name]])
        == member
    )


def _owner(place: int, places: int, candidates: Sequence[str]) -> str | None:
    return candidates[place * len(candidates) // places] if candidates else None
