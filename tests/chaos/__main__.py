"""`python -m tests.chaos --minutes 10 --seed 7 --log kafka`: non-zero when anything is wrong."""

import asyncio
import logging
import random
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, cast

import typer
from tests.chaos.run import Orders, chaos
from tests.chaos.schedule import Log


def main(
    *,
    minutes: Annotated[float, typer.Option(help="How long traffic and faults last.")] = 10,
    seed: Annotated[
        int | None, typer.Option(help="Of the schedule and the traffic; random when left out.")
    ] = None,
    log: Annotated[str, typer.Option(help="kafka or embedded")] = "kafka",
    per_second: Annotated[float, typer.Option(help="Stories begun a second.")] = 5,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the folder of a run that went well, too.")
    ] = False,
) -> None:
    if log not in {"kafka", "embedded"}:
        raise typer.BadParameter("kafka or embedded", param_hint="--log")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # brokers are away on purpose
    chosen = random.randrange(1_000_000) if seed is None else seed
    orders = Orders(chosen, 60 * minutes, cast(Log, log), per_second)
    folder = Path(tempfile.mkdtemp(prefix=f"fairloop-chaos-{chosen}-"))
    fine = False
    try:
        report = asyncio.run(chaos(orders, folder, _say))
        for name, figure in report.figures.items():
            print(f"{name}: {figure}")
        fine = report.fine
    finally:
        if fine and not keep:
            shutil.rmtree(folder)
        else:
            print(f"logs, journal and data: {folder}")
        again = f"make chaos MINUTES={minutes:g} SEED={chosen} LOG={log}"
        print(f"{'fine' if fine else 'FAILED'}: seed {chosen} (again: {again})", flush=True)
    raise typer.Exit(0 if fine else 1)


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)


if __name__ == "__main__":
    typer.run(main)
