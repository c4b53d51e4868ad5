"""`python -m deploy.check.compose [--published] [--ha]`: brings compose.yaml up for real, unmodified, and tries it.

It starts a Docker engine of its own, which needs root on Debian, where `standins.py` makes all images but ours. With
`--published` they are pulled by the engine of this machine. `--ha` adds compose.ha.yaml. What was tried is printed as a
table, with the versions of what it was tried with.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from deploy.check.compose import engine, standins
from deploy.check.compose.installation import DEPLOY, ROOT, Installation, until
from deploy.check.compose.trying import (
    ask_every_api,
    cases,
    play_the_story,
    prometheus_sees_all,
    what_runs,
)
from deploy.check.compose.upkeep import back_up, restore, roll_back, scale, upgrade

from fairloop import __version__
from fairloop.cli.installation import SERVICE_NAMES
from fairloop.cli.secret_files import make_secrets

CACHE = ROOT / ".cache/compose-check"
PROGRAM = CACHE / "docker-compose"
COMPOSE = "github.com/docker/compose/v2/cmd"
KILLED = ("attribution-worker", "postgres", "kafka-1")


class Table:
    """What was tried, how long it took, and what came of it."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, str]] = []

    def step(self, what: str, action: Callable[[], Any]) -> None:
        print(f"{what} …", flush=True)
        began = time.monotonic()
        said: Any = "FAILED"
        try:
            said = action()
        finally:
            self.rows.append(
                (what, time.monotonic() - began, said if isinstance(said, str) and said else "fine")
            )

    def show(self) -> None:
        width = max(len(what) for what, _, _ in self.rows)
        for what, seconds, said in self.rows:
            print(f"{what:<{width}}  {seconds:6.1f} s  {said}")


def lint() -> str:
    """What hadolint, the compose schema and promtool say. Raises RuntimeError."""
    tools = CACHE / "venv/bin"
    schema = [str(tools / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    rules = [sys.executable, str(DEPLOY / "prometheus/promtool.py")]
    promtool = _run([*rules, "path"])
    _run([str(tools / "hadolint"), str(DEPLOY / "Dockerfile")])
    _run([*schema, *map(str, sorted(DEPLOY.glob("compose*.yaml")))])
    _run([promtool, "check", "config", str(DEPLOY / "prometheus/prometheus.yaml")])
    versions = (
        _run([str(tools / "hadolint"), "--version"]),
        _run([str(tools / "check-jsonschema"), "--version"]),
        _run([promtool, "--version"]).partition(" (")[0],
    )
    return "; ".join(versions)


def build_compose() -> str:
    """Docker compose, in the version go.mod pins."""
    _run(["go", "build", "-o", str(PROGRAM), COMPOSE], cwd=Path(__file__).parent)
    pinned = _run(["go", "list", "-m", "github.com/docker/compose/v2"], cwd=Path(__file__).parent)
    return f"Docker Compose {pinned.split()[-1]}"


def _run(command: list[str], cwd: Path = ROOT) -> str:
    """What it printed. Raises RuntimeError with all it said."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd)
    except FileNotFoundError as error:
        raise RuntimeError(f"put `{command[0]}` on the PATH") from error
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout.strip()


@contextmanager
def an_engine(*, published: bool) -> Iterator[Mapping[str, str]]:
    """What its clients need in their environment: stand-ins never get into the engine of this machine."""
    if not published:
        with engine.own_engine(CACHE / "docker") as environment:
            yield environment
    elif engine.answers():
        yield os.environ
    else:
        raise RuntimeError("no Docker engine answers here")


def main(arguments: list[str]) -> int:
    if unknown := set(arguments) - {"--published", "--ha"}:
        print(f"{' '.join(unknown)}?\n{__doc__}", file=sys.stderr)
        return 2
    published = "--published" in arguments
    files = ["compose.yaml", *(["compose.ha.yaml"] if "--ha" in arguments else [])]
    table = Table()
    with ExitStack() as stack:
        stack.callback(table.show)
        table.step("hadolint, compose schema, promtool", lint)
        table.step("docker compose from go.mod", build_compose)
        environment = stack.enter_context(an_engine(published=published))
        running = Installation(PROGRAM, files, environment)
        table.step("a Docker engine", running.engine_version)
        if not published:
            table.step("images that stand in", lambda: standins.make_all(CACHE, environment))
        make_secrets(DEPLOY / "secrets")
        table.step("compose config, both forms, all profiles", lambda: configured(environment))
        table.step("build our images", lambda: build(running))
        stack.callback(running.down)
        table.step(f"{' + '.join(files)} up --wait", running.up)
        table.step("what runs", lambda: what_runs(running))
        dumps = Path(stack.enter_context(TemporaryDirectory(prefix="fairloop-dumps-")))
        try_all(table, running, dumps, published=published)
        table.step("down", running.down)
    return 0


def try_all(table: Table, running: Installation, dumps: Path, *, published: bool) -> None:
    """On an installation that is up; it still is in the end."""
    table.step("every API with and without a token", ask_every_api)
    table.step("fairloop demo --target", play_the_story)
    table.step("backup", lambda: back_up(running, dumps))
    for name in KILLED:
        table.step(f"{name} is killed", partial(running.crash, name))
    table.step("everything is healthy again", running.heal)
    table.step("fairloop demo --target", play_the_story)
    before = cases()
    table.step("upgrade", lambda: upgrade(running))
    table.step("rollback", lambda: roll_back(running))
    table.step("stop", running.stop)
    table.step("up --wait, with the data that stayed", running.up)
    table.step("every case is still there", lambda: same(before, cases()))
    table.step("closed-loop is restored and repaired", lambda: restore(running, "closed-loop", dumps))
    table.step("every case is there again", lambda: all_come_back(before))
    table.step("scaling", lambda: scale(running, "attribution-worker", 3))
    if published:
        both = ("observability", "mail")
        table.step("profiles observability and mail", lambda: running.up(profiles=both))
    else:
        alone = ("observability",)
        table.step("Prometheus alone", lambda: running.up("prometheus", profiles=alone))
    table.step("what Prometheus sees", lambda: prometheus_sees_all(running))


def same(before: set[str], after: set[str]) -> str:
    if not before or before - after:
        raise RuntimeError(f"of {len(before)} cases {len(before - after)} are gone")
    return f"{len(before)} cases"


def all_come_back(before: set[str]) -> str:
    """Healthy is who reads the log again; what it brings back comes a little later."""
    began = time.monotonic()
    until(lambda: not before - cases(), f"{len(before)} cases are back", seconds=60)
    return f"{len(before)} cases, {time.monotonic() - began:.1f} s after all were healthy"


def configured(environment: Mapping[str, str]) -> None:
    """compose accepts its files, whatever is chosen of them."""
    for files in (["compose.yaml"], ["compose.yaml", "compose.ha.yaml"]):
        Installation(PROGRAM, files, environment).compose("--profile=*", "config", "--quiet")


def build(running: Installation) -> str:
    running.compose("build")
    sizes = [running.image_bytes(f"fairloop/{name}:{__version__}") / 1e6 for name in SERVICE_NAMES]
    return ", ".join(f"{name} {size:.0f} MB" for name, size in zip(SERVICE_NAMES, sizes, strict=True))


if __name__ == "__main__":
    # what runs is taken down first
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("deploy-check: told to stop"))
    try:
        sys.exit(main(sys.argv[1:]))
    except RuntimeError as error:
        sys.exit(f"deploy-check: {error}")
