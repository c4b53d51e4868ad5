"""A small company whose pay is looked at, in days of its own: what others do meanwhile is not in its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.e2e.systems.company import Company

WEEKS = 12


def scores(promoters: int, passives: int, detractors: int) -> list[int]:
    return [9] * promoters + [8] * passives + [3] * detractors


@dataclass
class PaidCompany(Company):
    """`year` is its own."""

    year: int
    sent: int = field(init=False, default=0)

    @property
    def start(self) -> date:
        return date(self.year, 1, 2)

    @property
    def end(self) -> date:
        return self.start + timedelta(weeks=WEEKS)

    @property
    def days(self) -> str:
        return f"from={self.start}&to={self.end}"

    async def found(self, people: Mapping[str, tuple[str, str]], **details: Mapping[str, Any]) -> None:
        """`people`: name → role and unit. Mechanics meet customers and influence "work", planners do not."""
        await self.put("attribution", "roles", "planner", {"name": "Planner", "customer_facing": False})
        units = {"company": None, **dict.fromkeys(sorted({unit for _, unit in people.values()}), "company")}
        staff = {who: (role, unit, details.get(who, {})) for who, (role, unit) in people.items()}
        await self.establish(units, staff, {"id": "work", "name": "Work"})

    async def answered(
        self, person: str, unit: str, given: Sequence[int], *, segments: Mapping[str, str] | None = None
    ) -> None:
        """As many customers of a mechanic, spread over the weeks; then waits until they are counted."""
        jobs, responses = [], []
        for place, nps in enumerate(given):
            id = f"{self.sent + place}"
            at = datetime(self.year, 1, 2, 12, tzinfo=UTC) + timedelta(days=place * 7 * WEEKS // len(given))
            jobs.append(self.job(id, person, unit, at - timedelta(hours=5)))
            responses.append(self.response(id, at, nps, "work", segments=segments or {}))
        await self.post(jobs, responses)
        self.sent += len(given)
        path = f"/v1/kpis/nps/org_unit/{self.name('company')}?{self.days}&view=influenced"
        await self.shows("kpi-aggregator", path, n=self.sent)

    async def invited(self, first: int, eligible: int, sent: int) -> None:
        """Of the jobs from number `first` on so many customers could be asked, and so many were."""
        at = datetime(self.year, 1, 3, tzinfo=UTC).isoformat()
        batch = [
            {
                "id": self.name(f"{id}-invitation"),
                "interaction": self.name(f"{id}"),
                "customer_ref": self.name(f"customer-{id}"),
                "channel": "email",
                "eligible_at": at,
                **({"sent_at": at} if id < first + sent else {}),
            }
            for id in range(first, first + eligible)
        ]
        await self.batch("survey-intake", "invitations", batch)

    async def invitations_known(self, person: str, eligible: int) -> None:
        """Waits until so many of this mechanic's customers are known to be askable."""
        path = f"/v1/coverage/employee/{self.name(person)}?{self.days}"
        await self.shows("kpi-aggregator", path, eligible=eligible)

    async def close(self, id: str, plan: Any) -> str:
        """Published, calculated, approved by somebody else; the period."""
        await self.publish(id, plan)
        days = {"from": str(self.start), "to": str(self.end), "plan": self.name(id)}
        period = self.name(f"{id}-period")
        await self.ask("bonus", "PUT", f"/v1/periods/{period}", days)
        run = await self.ask("bonus", "POST", f"/v1/periods/{period}/calculate", by="finance")
        await self.ask("bonus", "POST", f"/v1/runs/{run['id']}/approve")
        return period
