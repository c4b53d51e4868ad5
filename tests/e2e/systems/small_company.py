"""A branch of mechanics whose customers answered yesterday."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from tests.e2e.systems.company import Company


class SmallCompany(Company):
    """Its people can influence "work" but not "stock"."""

    async def found(self, people: Sequence[str]) -> None:
        await self.establish(
            {"company": None, "branch": "company"},
            {person: ("mechanic", "branch", {}) for person in people},
            {"id": self.name("work"), "name": "Work"},
            {"id": self.name("stock"), "name": "Stock"},
        )

    async def answered(self, person: str, given: Sequence[tuple[int, str | None]]) -> list[str]:
        """Score and cause of as many customers of a mechanic; our ids once all are counted."""
        at = datetime.now(UTC) - timedelta(days=1)
        jobs, responses = [], []
        for place, (nps, cause) in enumerate(given):
            id = f"{person}-{place}"
            customer = {"ref": self.name(f"customer-{id}"), "name": "Ada Customer"}
            said = {"customer": customer, "comment": f"words of {id}"}
            jobs.append(self.job(id, person, "branch", at - timedelta(hours=5)))
            responses.append(self.response(id, at, nps, cause and self.name(cause), **said))
        ids = await self.post(jobs, responses)
        path = f"/v1/kpis/nps/employee/{self.name(person)}?window=30d"
        await self.shows("kpi-aggregator", path, n=len(given))
        return ids


def from_today(days: int) -> str:
    """A date in the organisation's time zone, which is UTC here."""
    return str(today() + timedelta(days=days))


def today() -> date:
    return datetime.now(UTC).date()
