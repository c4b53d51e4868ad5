"""Nobody is paid twice, and what was approved stays as it was."""

import csv
import io
from collections import Counter, defaultdict

from tests.chaos.company import PEOPLE
from tests.chaos.evidence import Evidence
from tests.chaos.payday import documents


async def approved_periods_keep_every_byte(evidence: Evidence) -> list[str]:
    wrong: list[str] = []
    for line in evidence.journal:
        if line["do"] == "approved":
            now = await documents(evidence.caller, line["period"])
            wrong += [
                f"{line['period']}: {name} has changed since the approval"
                for name, digest in line["documents"].items()
                if now[name] != digest
            ]
    return wrong


async def one_payout_for_one_person_and_period(evidence: Evidence) -> list[str]:
    """One run of a period is approved, in the service and on the log, and pays everybody once."""
    wrong: list[str] = []
    announced: defaultdict[str, set[str]] = defaultdict(set)
    for event in evidence.topic("bonus.run.v1"):
        if event.data["status"] == "approved":
            announced[event.data["period"]].add(event.key)
    for line in evidence.journal:
        if line["do"] != "approved":
            continue
        period = line["period"]
        runs = await evidence.caller.every("bonus", f"/v1/periods/{period}/runs")
        approved = {run["id"] for run in runs if run["status"] == "approved"}
        if approved != {line["run"]} or announced[period] != {line["run"]}:
            wrong.append(
                f"{period}: approved are {approved}, announced {announced[period]}, told {line['run']}"
            )
        left = [run["id"] for run in runs if run["status"] not in {"approved", "superseded"}]
        wrong += [f"{period}: run {id} is still open" for id in left]
        wrong += await _paid_otherwise_than_once(evidence, period, total=line["total_minor"])
    return wrong


async def _paid_otherwise_than_once(evidence: Evidence, period: str, *, total: int) -> list[str]:
    answer = await evidence.caller.ask("bonus", "GET", f"/v1/periods/{period}/payroll.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    lines = Counter(row["employee"] for row in rows)
    wrong = [f"{period}: {count} lines of {who}" for who, count in lines.items() if count > 1]
    if lines.keys() != PEOPLE.keys():
        wrong.append(f"{period}: the payroll has {sorted(lines)}")
    if len({row["payment_key"] for row in rows}) != len(rows):
        wrong.append(f"{period}: one payment key stands for two payments")
    paid = sum(int(row["amount_minor"]) for row in rows)
    return [*wrong, f"{period}: {paid} is paid, {total} approved"] if paid != total else wrong
