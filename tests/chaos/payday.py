"""Bonus periods, calculated, approved by somebody else, and read, while everything falls over."""

import asyncio
import hashlib
from contextlib import suppress
from datetime import datetime
from itertools import count

from tests.chaos.caller import Caller, RefusedError, until
from tests.chaos.commitments import commit
from tests.chaos.company import PEOPLE, PLAN, bonus_plan, days_counted
from tests.chaos.journal import Journal


async def publish_plan(caller: Caller) -> None:
    await caller.put("bonus", f"/v1/plans/{PLAN}", bonus_plan())
    waivers = [
        {"code": code, "reason": "a company that exists for an hour"}
        for code in ("too_few_responses", "responses_unknown", "target_not_positive", "short_notice")
    ]
    await caller.post("bonus", f"/v1/plans/{PLAN}/publish", {"waivers": waivers}, key="publish")


async def pay(
    admin: Caller, finance: Caller, journal: Journal, *, start: datetime, every: float, stop: asyncio.Event
) -> None:
    """Period after period, so many seconds apart, until told to stop between two."""

    async def counted() -> bool | None:
        path = "/v1/kpis/nps/organisation/all"
        return bool((await admin.get("kpi-aggregator", path, **days_counted(start)))["n"]) or None

    for number in count():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
        if stop.is_set():
            return
        await until(counted)  # without any answer there is nothing to pay by
        try:
            await commit(admin, journal, name=f"commitment-{number}", number=number)
            await pay_once(admin, finance, journal, period=f"period-{number}", start=start)
        except RefusedError as error:
            admin.unexpected.append(f"period-{number}: {error}")


async def pay_once(admin: Caller, finance: Caller, journal: Journal, *, period: str, start: datetime) -> None:
    """Calculated twice, the second run approved; what it looks like then goes into the journal."""
    path = f"/v1/periods/{period}"
    await admin.put("bonus", path, {**days_counted(start), "plan": PLAN})
    await admin.post("bonus", f"{path}/calculate", None, key=f"{period}-first")
    run = await admin.post("bonus", f"{path}/calculate", None, key=f"{period}-second")
    approved = await finance.post("bonus", f"/v1/runs/{run['id']}/approve", None, key=f"{period}-approve")
    journal.write(
        "approved",
        period=period,
        run=run["id"],
        total_minor=approved["total_minor"],
        documents=await documents(admin, period),
    )


async def documents(caller: Caller, period: str) -> dict[str, str]:
    """SHA-256 of every statement and of the payroll file, byte for byte as they are answered."""
    path = f"/v1/periods/{period}"
    names = [*(f"statements/{person}" for person in sorted(PEOPLE)), "payroll.csv"]
    answers = [await caller.ask("bonus", "GET", f"{path}/{name}") for name in names]
    return {
        name: hashlib.sha256(answer.content).hexdigest() for name, answer in zip(names, answers, strict=True)
    }
