"""`python -m tests.soak --minutes 30 --log kafka --out FILE`: half of what it can do at most, for a long time.

First the highest rate of the whole line is measured: so many answers as fast as they are taken, until the last one
is counted and followed up. Then half of that (or --rate) for the minutes asked for, with a look every five seconds.
Non-zero when something grows without bound.
"""

import asyncio
import logging
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from tests.bench.processes import result_of
from tests.chaos.caller import Caller
from tests.chaos.schedule import Log
from tests.chaos.stand import Stand, standing
from tests.soak.report import markdown
from tests.soak.samples import Sample, look
from tests.soak.verdict import grows
from tests.soak.world import set_up

from fairloop.log import open_log

LOOK_SECONDS = 5.0
AT_ONCE = 6_000
"""Deliveries for measuring the highest rate."""
PATIENCE_SECONDS = 600.0


class Soak:
    """One installation under load, and what was seen of it."""

    def __init__(self, stand: Stand, began: float) -> None:
        self.stand = stand
        self.began = began
        self.samples: list[Sample] = []

    async def send(self, *, rate: float, count: int, series: str) -> Any:
        port = self.stand.installation.url("survey-intake").rpartition(":")[2]
        return await result_of("tests.soak.load", port, str(rate), str(count), series)

    async def highest_rate(self) -> float:
        """Deliveries a second, taken and followed up to the end."""
        began = time.monotonic()
        await self.send(rate=0, count=AT_ONCE, series="first")
        await self.settle()
        return AT_ONCE / (time.monotonic() - began)

    async def settle(self) -> float:
        """Until no event waits anywhere; the seconds it took. Raises TimeoutError."""
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE_SECONDS), open_log(self.stand.log_url) as log:
            while True:
                sample = await look(self.stand, log, began=self.began)
                if not sample.lag and not any(sample.rows[name] for name in sample.rows if "outbox" in name):
                    return time.monotonic() - began
                await asyncio.sleep(0.5)

    async def keep_looking(self) -> None:
        """Until cancelled."""
        async with open_log(self.stand.log_url) as log:
            while True:
                self.samples.append(await look(self.stand, log, began=self.began))
                await asyncio.sleep(LOOK_SECONDS)


async def soak(folder: Path, *, minutes: float, log: Log, rate: float | None) -> tuple[str, list[str]]:
    """The report, and what grows without bound."""
    async with standing(folder, log=log, breakable=False) as stand:
        state = stand.installation.state()
        async with Caller(state["services"], state["tokens"]["admin"]) as caller:
            await set_up(caller)
        under_load = Soak(stand, time.monotonic())
        highest = None if rate is not None else await under_load.highest_rate()
        chosen = rate if highest is None else highest / 2
        assert chosen is not None
        measured = "not measured" if highest is None else f"{highest:.0f}"
        print(f"at most {measured} deliveries/s; {minutes:g} minutes at {chosen:.0f}/s", flush=True)
        looking = asyncio.create_task(under_load.keep_looking())
        sent = await under_load.send(rate=chosen, count=int(chosen * minutes * 60), series="soak")
        looking.cancel()
        await asyncio.wait({looking})
        if (failure := None if looking.cancelled() else looking.exception()) is not None:
            raise failure
        drained = await under_load.settle()
    samples = under_load.samples
    facts = {
        "log": log,
        "highest rate measured first, deliveries/s": measured,
        "rate, deliveries/s": f"{sent['taken'] / sent['seconds']:.0f} (asked for {chosen:.0f})",
        "minutes": f"{sent['seconds'] / 60:.1f}",
        "deliveries": str(sent["taken"]),
        "lag at most, events": str(max(sample.lag for sample in samples)),
        "lag at last, events": str(samples[-1].lag),
        "seconds to drain at the end": f"{drained:.1f}",
    }
    wrong = grows(samples)
    return markdown(samples, facts, wrong), wrong


def main(
    *,
    minutes: Annotated[float, typer.Option(help="How long it lasts.")] = 30,
    log: Annotated[str, typer.Option(help="kafka or embedded")] = "kafka",
    rate: Annotated[
        float | None, typer.Option(help="Deliveries a second instead of half the highest.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A file for the report.")] = None,
) -> None:
    if log not in {"kafka", "embedded"}:
        raise typer.BadParameter("kafka or embedded", param_hint="--log")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="fairloop-soak-"))
    ended = False
    try:
        report, wrong = asyncio.run(soak(folder, minutes=minutes, log=cast(Log, log), rate=rate))
        ended = True
    finally:
        if ended:
            shutil.rmtree(folder)
        else:
            print(f"logs and data: {folder}")
    print(report)
    if out is not None:
        out.write_text(report)
    raise typer.Exit(1 if wrong else 0)


if __name__ == "__main__":
    typer.run(main)
