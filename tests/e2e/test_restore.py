"""Backup and restore as the runbook says: each database alone, then all of them, back to an older dump.

Between dump and restore answers come in, are revised, erased, disputed, a case is worked on, a bonus is paid. After
`fairloop repair run` every service says again what it had said, and goes on from there.
"""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.installation import installed
from tests.e2e.restored import World, founded, unready, until, until_exact, until_settled
from tests.form import in_the_long_form

from fairloop.services import SERVICES

pytestmark = pytest.mark.timeout(1800)

BATCH = 12


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> AsyncIterator[World]:
    with installed(tmp_path_factory.mktemp("restore") / "home", prepared=prepared) as installation:
        world = World(installation)
        await founded(world)
        await world.send(world.fresh(BATCH))
        await until_exact(world)
        try:
            yield world
        finally:
            await world.close()


async def a_day_later(world: World) -> Any:
    """Something of everything happens, to what is old and to what is new. The statement that was paid."""
    first = world.sent
    await world.send(world.fresh(BATCH))
    old = [n for n in world.fold.newest if n < first]
    new = [n for n in world.fold.newest if n >= first]
    await world.send(world.revised([*old[:3], *new[:3]]))
    await world.erase(old[4])
    await world.erase(new[4])
    await world.ask("attribution", "PUT", f"/v1/employees/newcomer-{first}", name="Nadia")
    await until_settled(world)
    await world.dispute(next(n for n in new[5:] if world.fold.newest[n].cause == "right_window"))
    await world.acknowledge_a_case()
    await until_settled(world)
    statement = await world.pay_a_bonus()
    await until_exact(world)
    return statement


async def restored(world: World, folder: Path, *service: str) -> None:
    """Back to the dump. What was sent since then is noticed, and nothing is sent over it."""
    await world.close()
    world.installation.fairloop("restore", str(folder), *(("--service", *service) if service else ()))

    async def going_on() -> list[str]:
        halted = await unready(world)
        said = {name: str(halted.get(name, {}).get("halted")) for name in service or SERVICES}
        return [name for name, why in said.items() if "went back in time" not in why]

    await until(going_on)


async def goes_on(world: World) -> None:
    await world.send([*world.fresh(2), *world.revised(list(world.fold.newest)[-6:])])
    await until_exact(world)


@pytest.mark.fault(12)
@pytest.mark.parametrize(
    "service",
    [name if name == "attribution" else pytest.param(name, marks=in_the_long_form) for name in SERVICES],
)
async def test_a_service_restored_to_an_older_dump_is_brought_back_exactly(
    world: World, tmp_path: Path, service: str
) -> None:
    world.installation.fairloop("backup", str(tmp_path / "dumps"), "--service", service)
    statement = await a_day_later(world)
    before = await world.states(service)

    await restored(world, tmp_path / "dumps", service)
    assert await world.states(service) != before
    world.installation.fairloop("repair", "run", service)

    await until_exact(world)
    assert await world.states(service) == before
    assert await world.statement(f"period-{world.periods}") == statement
    await goes_on(world)


@in_the_long_form
@pytest.mark.fault(12)
async def test_everything_restored_to_dumps_of_different_ages_is_brought_back_exactly(
    world: World, tmp_path: Path
) -> None:
    for service in SERVICES:
        world.installation.fairloop("backup", str(tmp_path / "dumps"), "--service", service)
        await world.send(world.fresh(2))
    statement = await a_day_later(world)
    before = {service: await world.states(service) for service in SERVICES}

    await restored(world, tmp_path / "dumps")
    world.installation.fairloop("repair", "run")

    await until_exact(world)
    assert {service: await world.states(service) for service in SERVICES} == before
    assert await world.statement(f"period-{world.periods}") == statement
    assert "agree" in world.installation.fairloop("repair", "plan")
    await goes_on(world)


@in_the_long_form
@pytest.mark.fault(11)
async def test_a_log_that_was_lost_is_filled_again_and_everybody_goes_on(world: World) -> None:
    await until_exact(world)
    await world.lose_the_log()

    async def unnoticed() -> list[str]:
        halted = await unready(world)
        return [] if "rewound" in str(halted.get("attribution")) else ["attribution"]

    await until(unnoticed)
    world.installation.fairloop("repair", "run")
    await until_exact(world)
    await goes_on(world)


@in_the_long_form
@pytest.mark.fault(12)
async def test_a_lost_machine_is_made_again_of_dumps_and_secrets(tmp_path: Path, prepared: Path) -> None:
    with installed(tmp_path / "lost", prepared=prepared) as lost:
        world = World(lost)
        await founded(world)
        await world.send(world.fresh(BATCH))
        await until_exact(world)
        statement = await world.pay_a_bonus()
        before = {service: await world.states(service) for service in SERVICES}
        lost.fairloop("backup", str(tmp_path / "dumps"))
        await world.close()

    (tmp_path / "new/data").mkdir(parents=True)
    shutil.copy(tmp_path / "lost/data/secrets.json", tmp_path / "new/data")
    with installed(tmp_path / "new") as made_again:
        made_again.fairloop("restore", str(tmp_path / "dumps"))
        made_again.fairloop("repair", "run")

        world.move_to(made_again)
        await until_exact(world)
        assert {service: await world.states(service) for service in SERVICES} == before
        assert await world.statement("period-1") == statement
        await goes_on(world)
        await world.close()
