"""People who look at figures all the time: what they see is never a half of something."""

import asyncio
import random
from datetime import datetime

from tests.chaos.caller import Caller
from tests.chaos.company import PEOPLE, TOP, UNITS, days_counted

SCOPES = [
    ("organisation", "all"),
    *(("org_unit", unit) for unit in (TOP, *UNITS)),
    *(("employee", person) for person in PEOPLE),
]


async def read_figures(caller: Caller, *, seed: int, start: datetime, faults: list[str]) -> None:
    """Until cancelled; what does not add up is added to `faults`."""
    chance = random.Random(f"readers {seed}")
    days = days_counted(start)
    while True:
        kind, id = chance.choice(SCOPES)
        view = chance.choice(("all", "influenced"))
        figure = await caller.get("kpi-aggregator", f"/v1/kpis/nps/{kind}/{id}", view=view, **days)
        parts = [figure[name] for name in ("promoters", "passives", "detractors")]
        if not figure["suppressed"] and (sum(parts) != figure["n"] or min(parts) < 0):
            faults.append(f"{kind} {id} {view}: {parts} do not add up to {figure['n']}")
        await asyncio.sleep(chance.uniform(0.1, 0.5))
