"""One run: start everything, let traffic and faults loose, heal, wait, check."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.caller import Caller
from tests.chaos.check_telling import subscribe
from tests.chaos.checks import CHECKS, name_of
from tests.chaos.commitments import expect
from tests.chaos.company import requests
from tests.chaos.drained import NotDrainedError, wait_until_drained
from tests.chaos.evidence import Evidence, gather
from tests.chaos.faults import inject
from tests.chaos.journal import Journal
from tests.chaos.payday import pay, publish_plan
from tests.chaos.plan import Story, stories
from tests.chaos.reading import read_figures
from tests.chaos.schedule import Fault, Log, schedule, table
from tests.chaos.stand import Stand, standing
from tests.chaos.traffic import Teller
from tests.fault.checks import keep_committed

from fairloop.db import Database
from fairloop.services import SERVICES

HEAL_SECONDS = 400.0
"""How long the stories under way may take to end once everything is healed."""
PAYDAYS = 6
"""Bonus periods a run, at least ten seconds apart."""


@dataclass(frozen=True)
class Orders:
    """What to do; the schedule of the faults and the plan of the traffic follow from the seed."""

    seed: int
    seconds: float
    log: Log
    per_second: float = 5.0

    @property
    def faults(self) -> list[Fault]:
        return schedule(self.seed, seconds=self.seconds, log=self.log)

    @property
    def stories(self) -> list[Story]:
        return stories(self.seed, seconds=self.seconds, per_second=self.per_second)


@dataclass
class Report:
    """What was done, and what was found wrong, by check."""

    figures: dict[str, object] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    @property
    def fine(self) -> bool:
        return not self.wrong


async def chaos(orders: Orders, folder: Path, say: Callable[[str], None]) -> Report:
    """The folder gets all logs, data and the journal."""
    say(f"seed {orders.seed}, {orders.seconds:.0f} s on {orders.log}, {len(orders.stories)} stories")
    say(table(orders.faults))
    async with standing(folder, log=orders.log) as stand, AsyncExitStack() as stack:
        say("everything is up")
        for service in SERVICES:
            database = Database(stand.database(service))
            await keep_committed(database)
            await database.close()
        admin = await stack.enter_async_context(_caller(stand))
        finance = await stack.enter_async_context(
            Caller(stand.installation.state()["services"], await _finance_token(stand))
        )
        for service, path, body in requests():
            await admin.put(service, path, body)
        await publish_plan(admin)
        await expect(admin)
        await subscribe(admin, stand)
        run = _Run(orders, stand, admin, finance, say)
        return await run.whole()


def _caller(stand: Stand) -> Caller:
    state = stand.installation.state()
    return Caller(state["services"], state["tokens"]["admin"])


async def _finance_token(stand: Stand) -> str:
    arguments = ("token", "--role", "finance", "--sub", "fin")
    return (await asyncio.to_thread(stand.installation.fairloop, *arguments)).strip()


class _Run:
    """The parts of a run share the clock, the journal and the callers."""

    def __init__(
        self, orders: Orders, stand: Stand, admin: Caller, finance: Caller, say: Callable[[str], None]
    ) -> None:
        self.orders = orders
        self.stand = stand
        self.admin = admin
        self.finance = finance
        self.say = say
        self.start = datetime.now(UTC).replace(microsecond=0, second=0, minute=0)
        self.remarks: list[str] = []
        self.report = Report()

    async def whole(self) -> Report:
        journal = Journal(self.stand.folder / "journal.jsonl")
        try:
            ended = await self._live(journal)
            self.say("everything is healed; waiting until it is drained")
            drained = await wait_until_drained(self.stand)
        except (TimeoutError, NotDrainedError) as error:
            self._found("everything comes to rest", [str(error) or "some stories do not end"])
            return self.report
        finally:
            journal.close()
        self.report.figures |= {"stories ended after (s)": ended, "drained after (s)": round(drained, 1)}
        self.remarks += self.finance.unexpected
        evidence = await gather(self.stand, self.admin, start=self.start, remarks=self.remarks)
        await self._check(evidence)
        self.report.figures |= _figures(evidence)
        return self.report

    async def _live(self, journal: Journal) -> float:
        """Traffic and faults; the seconds the last story took after everything was healed."""
        teller = Teller(self.admin, journal, self.start)
        began, stop = time.monotonic(), asyncio.Event()
        paydays = max(10.0, self.orders.seconds / PAYDAYS)
        readers = asyncio.create_task(
            read_figures(self.admin, seed=self.orders.seed, start=self.start, faults=self.remarks)
        )
        payers = asyncio.create_task(
            pay(self.admin, self.finance, journal, start=self.start, every=paydays, stop=stop)
        )
        tellers = asyncio.create_task(teller.tell_all(self.orders.stories, began=began))
        try:
            await inject(self.stand, self.orders.faults, began=began)
            await asyncio.sleep(max(0.0, began + self.orders.seconds - time.monotonic()))
            stop.set()
            await self.stand.heal()
            healed = time.monotonic()
            async with asyncio.timeout(HEAL_SECONDS):
                await asyncio.gather(tellers, payers)
            return round(time.monotonic() - healed, 1)
        finally:
            for task in (readers, payers, tellers):
                task.cancel()
            ends = await asyncio.gather(readers, payers, tellers, return_exceptions=True)
            self.remarks += [repr(end) for end in ends if isinstance(end, Exception)]

    async def _check(self, evidence: Evidence) -> None:
        for check in CHECKS:
            try:
                wrong = await check(evidence)
            except Exception as error:
                wrong = [f"{type(error).__name__}: {error}"]
            self._found(name_of(check), wrong)

    def _found(self, what: str, wrong: list[str]) -> None:
        self.say(f"{'FAILED' if wrong else 'ok':<7}{what}")
        for one in wrong[:10]:
            self.say(f"         {one}")
        if wrong:
            self.report.wrong[what] = wrong


def _figures(evidence: Evidence) -> dict[str, object]:
    lines = Counter(line["do"] for line in evidence.journal)
    events = {topic: len(evidence.topic(topic)) for topic in sorted({part.topic for part in evidence.log})}
    repeats = sum(map(len, evidence.log.values())) - sum(map(len, evidence.events.values()))
    return {
        "answers known": json.dumps(lines),
        "events": json.dumps(events),
        "repeats on the log": repeats,
        "requests by answer": json.dumps(evidence.caller.answers),
    }
