"""Incremental is the fold of the newest, whatever the order, the repetition and the interleaving."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.integration.kpi_aggregator.facts import answered, proof, result, retracted
from tests.unit.kpi_aggregator.seven import contribution, organisation, owner, person, took_part

from fairloop.db import sql
from fairloop.dispatch import dispatch
from fairloop.embedded import PostgresServer
from fairloop.events import AttributionResult, EventData, OrgUnit
from fairloop.testing import Box, running
from kpi_aggregator.handlers import build_handlers
from kpi_aggregator.main import service
from kpi_aggregator.service.contributions import shard_of

UNITS = ("a", "b", "c", "d")
EMPLOYEES = ("m1", "m2", "m3")


@st.composite
def results(draw: st.DrawFn) -> AttributionResult:
    """One version of one of four responses: anybody, anywhere, sometimes erased or deleted."""
    number, version = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    dice = draw(st.randoms(use_true_random=False))
    dice.seed(f"{number} {version}")  # one version of a response always says the same
    people = dice.sample(EMPLOYEES, dice.randint(0, 3))
    units = [dice.choice(UNITS) for _ in people]
    event = result(
        contribution(
            number,
            dice.randint(0, 10),
            causes=("quality", "speed")[: dice.randint(0, 2)],
            entries=(
                *(
                    person(p, dice.randint(0, 300_000), "quality", unit=u)
                    for p, u in zip(people, units, strict=True)
                ),
                owner(dice.choice(UNITS), dice.randint(0, 100_000), "speed"),
                organisation(dice.randint(0, 100_000)),
            ),
            participants=tuple(
                replace(took_part(p, verified=dice.random() < 0.8, excluded=dice.random() < 0.1), org_unit=u)
                for p, u in zip(people, units, strict=True)
            ),
            interaction_unit=dice.choice((None, *UNITS)),
        ),
        version=version,
    )
    if dice.random() < 0.2:
        return retracted(event, version=version, deleted=dice.random() < 0.5)
    return event


@st.composite
def unit_changes(draw: st.DrawFn) -> OrgUnit:
    """One version of one of the units; parents may form a ring for a while."""
    unit, version = draw(st.sampled_from(UNITS)), draw(st.integers(1, 4))
    parents = (None, *UNITS)
    parent = parents[(ord(unit) * 7 + version * 3) % len(parents)]
    return OrgUnit(version=version, org_unit=unit, name=unit, parent=None if parent == unit else parent)


batches = st.lists(
    st.one_of(st.lists(results(), min_size=1, max_size=5), st.lists(unit_changes(), min_size=1, max_size=2)),
    min_size=1,
    max_size=8,
)


def newest(history: list[list[EventData]]) -> list[EventData]:
    held: dict[str, EventData] = {}
    for event in (event for batch in history for event in batch):
        if event.key not in held or held[event.key].version < event.version:
            held[event.key] = event
    return list(held.values())


def expected_units(events: list[EventData]) -> tuple[Counter[str], Counter[str]]:
    """Per unit: responses in the view "all" and weight in "influenced", counted the plain way."""
    parents = {event.org_unit: event.parent for event in events if isinstance(event, OrgUnit)}
    seen, weight = Counter[str](), Counter[str]()
    for event in events:
        if not isinstance(event, AttributionResult) or event.status == "erased":
            continue
        out = {p.employee for p in event.participants if p.excluded}
        named = {p.org_unit for p in event.participants if p.verified and p.employee not in out}
        named |= {e.subject_id for e in event.entries if e.subject_type == "org_unit" and e.share}
        named |= {event.interaction.org_unit} if event.interaction else set()
        for unit in UNITS:
            below = {one for one in UNITS if unit in line(parents, one)}
            seen[unit] += bool(named & below)
            for entry in event.entries:
                where = entry.subject_id if entry.subject_type == "org_unit" else entry.org_unit
                weight[unit] += entry.share * (where in below)
    return +seen, +weight


def line(parents: dict[str, str | None], unit: str) -> set[str]:
    found: set[str] = set()
    above: str | None = unit
    while above is not None and above not in found:
        found.add(above)
        above = parents.get(above)
    return found


async def held_units(box: Box, view: str, column: str) -> Counter[str]:
    async with box.db.begin() as session:
        rows = await sql(
            session,
            f"SELECT scope_id, sum({column}) FROM bucket WHERE scope_type = 'org_unit' AND view = $1 GROUP BY 1",
            view,
        )
    return +Counter({row[0]: int(row[1]) for row in rows})


@pytest.mark.fault(18)
@settings(max_examples=25, deadline=None)
@given(history=batches)
async def test_any_history_ends_as_the_fold_of_the_newest(
    postgres: PostgresServer, history: list[list[EventData]]
) -> None:
    async with running(service, postgres) as box:
        for batch in history:
            await box.deliver(batch)

        outcome = await proof(box)
        seen, weight = expected_units(newest(history))
        assert outcome["equal"], outcome["differences"]
        assert await held_units(box, "all", "n") == seen
        assert await held_units(box, "influenced", "w") == weight


async def test_recompute_says_which_bucket_was_touched(box: Box) -> None:
    await box.deliver([result(answered(1, 9))])
    async with box.db.begin() as session:
        await sql(session, "UPDATE bucket SET w = w + 1 WHERE scope_type = 'employee' AND view = 'all'")

    outcome = await proof(box)

    assert outcome["equal"] is False
    assert [difference["grain"] for difference in outcome["differences"]] == ["day", "month"]
    for difference in outcome["differences"]:
        assert (difference["scope_id"], difference["view"]) == ("m1", "all")
        assert (difference["incremental"]["w"], difference["recomputed"]["w"]) == (1_000_001, 1_000_000)


async def test_recompute_says_which_month_was_touched(box: Box) -> None:
    await box.deliver([result(answered(1, 9))])
    async with box.db.begin() as session:
        await sql(session, "DELETE FROM month_bucket WHERE scope_type = 'employee' AND view = 'all'")

    (difference,) = (await proof(box))["differences"]
    assert (difference["grain"], difference["scope_id"], difference["incremental"]["n"]) == ("month", "m1", 0)


async def test_months_follow_days_that_are_taken_away(box: Box) -> None:
    await box.deliver([result(answered(number, 9)) for number in range(1, 9)])
    async with box.db.begin() as session:
        await sql(session, "DELETE FROM bucket")
        left = await sql(session, "SELECT count(*) FROM month_bucket WHERE n <> 0 OR w <> 0 OR w2 <> 0")
        held = await sql(session, "SELECT count(*) FROM month_bucket")
    assert left[0][0] == 0 < held[0][0]


def of_partition(partition: int, count: int, *, version: int = 1) -> list[AttributionResult]:
    """Responses of one log partition, all about the same people, units and day."""
    numbers = (n for n in range(1, 100 * count) if shard_of(UUID(int=n)) == partition)
    return [result(answered(next(numbers), 9, version=version, employee=f"m{i % 3}")) for i in range(count)]


async def test_two_partitions_never_wait_for_one_row(box: Box) -> None:
    handlers = build_handlers(box.runtime.settings, box.clock)
    async with box.db.begin() as first, asyncio.timeout(10):
        await dispatch(first, handlers, of_partition(0, 20))
        await box.deliver(of_partition(1, 20))

    assert (await proof(box))["responses"] == 40


async def test_concurrent_batches_and_a_changing_tree_never_deadlock(box: Box) -> None:
    async def partition(number: int) -> None:
        for version in range(1, 8):
            batch = of_partition(number, 30, version=version)
            await box.deliver(batch if version % 2 else batch[::-1])

    async def reorganise() -> None:
        for version in range(1, 8):
            parent = ("glass", "holding")[version % 2]
            await box.deliver([OrgUnit(version=version, org_unit="north", name="north", parent=parent)])

    await asyncio.gather(*(partition(number) for number in range(4)), reorganise())

    outcome = await proof(box)
    assert (outcome["equal"], outcome["responses"]) == (True, 120)
