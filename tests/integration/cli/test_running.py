"""What an installation that is up looks like from outside."""

import asyncpg
import httpx
import pytest
from tests.integration.cli.launcher import Launcher

from fairloop.auth import Role, verify_token
from fairloop.cli.installation import SERVICE_NAMES, SERVICES
from fairloop.cli.vault import open_vault


def test_run_json_tells_where_everything_is(running: Launcher) -> None:
    content = running.run_json()
    base = running.installation.port_base
    assert content["services"] == {
        "survey-intake": f"http://127.0.0.1:{base + 1}",
        "attribution": f"http://127.0.0.1:{base + 2}",
        "kpi-aggregator": f"http://127.0.0.1:{base + 3}",
        "closed-loop": f"http://127.0.0.1:{base + 4}",
        "bonus": f"http://127.0.0.1:{base + 5}",
    }
    assert list(content["pids"]) == list(SERVICE_NAMES)
    assert content["log_url"].startswith("postgresql://fairloop_log:")
    assert running.installation.run_file.stat().st_mode & 0o777 == 0o600


def test_secrets_are_for_their_owner_only(running: Launcher) -> None:
    assert (running.installation.data / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert running.installation.process_file.stat().st_mode & 0o777 == 0o600


def test_the_admin_token_of_run_json_is_an_admins(running: Launcher) -> None:
    public_key = running.environment_of("bonus")["FAIRLOOP_TOKEN_PUBLIC_KEY"]
    assert verify_token(running.run_json()["tokens"]["admin"], public_key).roles == {Role.ADMIN}


def test_a_minted_token_carries_its_claims(running: Launcher) -> None:
    done = running.run(
        "token", "--role", "employee", "--employee", "m1", "--org-unit", "north", "--org-unit", "south"
    )
    caller = verify_token(done.stdout.strip(), open_vault(running.installation.data).token_public_key)
    assert (caller.sub, caller.employee_id) == ("m1", "m1")
    assert (caller.roles, caller.org_units) == ({Role.EMPLOYEE}, {"north", "south"})


def test_up_again_says_so_and_changes_nothing(running: Launcher) -> None:
    before = running.run_json()
    done = running.run("up")
    assert done.returncode == 0
    assert "up already" in done.stdout
    assert running.run_json() == before


def test_a_service_gets_its_own_secrets_and_no_others(running: Launcher) -> None:
    environments = {name: running.environment_of(name) for name in SERVICE_NAMES}
    urls = {environment["FAIRLOOP_DATABASE_URL"] for environment in environments.values()}
    assert len(urls) == len(SERVICES)
    assert [name for name in SERVICE_NAMES if "FAIRLOOP_MASTER_KEY" in environments[name]] == [
        "survey-intake"
    ]
    service_token = environments["bonus"]["FAIRLOOP_SERVICE_TOKEN"]
    caller = verify_token(service_token, environments["bonus"]["FAIRLOOP_TOKEN_PUBLIC_KEY"])
    assert (caller.sub, caller.roles) == ("bonus", {Role.SERVICE})


@pytest.mark.parametrize("name", SERVICE_NAMES)
async def test_no_role_can_connect_to_another_services_database(running: Launcher, name: str) -> None:
    url = running.environment_of(name)["FAIRLOOP_DATABASE_URL"]
    own = url.rpartition("/")[2]
    connection = await asyncpg.connect(url)
    databases = {
        row[0] for row in await connection.fetch("SELECT datname FROM pg_database WHERE datallowconn")
    }
    await connection.close()
    assert {service.package for service in SERVICES} | {"fairloop_log"} < databases
    for other in databases - {own}:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(url, database=other)


async def test_no_role_gets_in_without_its_password(running: Launcher) -> None:
    url = running.environment_of("bonus")["FAIRLOOP_DATABASE_URL"]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url, password="guessed")


async def test_a_services_role_is_no_superuser(running: Launcher) -> None:
    connection = await asyncpg.connect(running.environment_of("bonus")["FAIRLOOP_DATABASE_URL"])
    rows = await connection.fetch(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = current_user"
    )
    await connection.close()
    assert rows == [(False, False, False, False)]


def test_status_adds_up_what_the_services_report(running: Launcher) -> None:
    done = running.run("status")
    assert done.returncode == 0
    line = next(line for line in done.stdout.splitlines() if line.startswith("bonus"))
    assert line.split() == [
        "bonus", running.run_json()["services"]["bonus"], str(running.pid("bonus")), "ready", "7", "–", "–", "–",
    ]  # fmt: skip


def test_logs_show_what_a_service_wrote(running: Launcher) -> None:
    done = running.run("logs", "bonus")
    assert done.stdout.splitlines() == ["bonus migrate", "bonus all"]


def test_an_operators_command_runs_in_every_service(running: Launcher) -> None:
    done = running.run("parked", "list")
    assert done.returncode == 0
    for service in SERVICES:
        assert f"{service.name}\n{service.package} parked list\n" in done.stdout


def test_an_operators_command_runs_in_one_service_with_what_it_does_not_know_itself(
    running: Launcher,
) -> None:
    done = running.run("parked", "discard", "7", "--reason", "a test", "--service", "bonus")
    assert done.stdout == "bonus parked discard 7 --reason a test\n"


def test_a_failing_operators_command_fails(running: Launcher) -> None:
    done = running.run("recompute", STAND_IN_FAILS="kpi_aggregator:recompute")
    assert done.returncode == 1


def test_a_second_installation_runs_beside_the_first(running: Launcher, launcher: Launcher) -> None:
    launcher.up()
    for each in (running, launcher):
        assert httpx.get(f"{each.run_json()['services']['bonus']}/readyz").is_success
    assert (
        running.environment_of("bonus")["FAIRLOOP_DATABASE_URL"]
        != (launcher.environment_of("bonus")["FAIRLOOP_DATABASE_URL"])
    )
