from hypothesis import given
from hypothesis import strategies as st

from fairloop.log.port import TopicPartition
from fairloop.log.shares import share_of

TOPICS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1)
NAMES = st.lists(st.text("mnopq", min_size=1, max_size=3), min_size=1, max_size=6, unique=True)


@given(names=NAMES, partitions=TOPICS)
def test_every_partition_has_exactly_one_owner_and_nobody_has_more_than_the_rounded_up_share(
    names: list[str], partitions: dict[str, int]
) -> None:
    members = {name: frozenset(partitions) for name in names}

    shares = [share_of(name, members, partitions) for name in names]

    total = sum(partitions.values())
    assert sum(map(len, shares)) == len(frozenset[TopicPartition]().union(*shares)) == total
    assert max(map(len, shares)) <= -(-total // len(names))


@given(names=NAMES, partitions=TOPICS, data=st.data())
def test_a_member_gets_only_topics_it_subscribes_to_and_no_wanted_partition_is_left_out(
    names: list[str], partitions: dict[str, int], data: st.DataObject
) -> None:
    members = {name: data.draw(st.frozensets(st.sampled_from(sorted(partitions)))) for name in names}

    shares = {name: share_of(name, members, partitions) for name in names}

    for name, share in shares.items():
        assert {partition.topic for partition in share} <= members[name]
    wanted = frozenset[str]().union(*members.values())
    assert sum(map(len, shares.values())) == sum(partitions[topic] for topic in wanted)


def test_a_newcomer_leaves_the_first_member_most_of_what_it_had() -> None:
    two = {"first": frozenset("t"), "second": frozenset("t")}
    three = {**two, "third": frozenset("t")}

    before, after = (share_of("first", members, {"t": 6}) for members in (two, three))

    assert after < before
    assert len(after) == 2


def test_a_stranger_gets_nothing() -> None:
    assert share_of("stranger", {"member": frozenset("t")}, {"t": 2}) == frozenset()
