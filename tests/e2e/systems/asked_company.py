"""A company whose customers are invited and answer, in a year of its own: nobody else's answers are in its figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.systems.company import Company, component


@dataclass
class AskedCompany(Company):
    """The answers lie in the first quarter of `year`."""

    year: int

    @property
    def quarter(self) -> str:
        return f"period={self.year}Q1"

    async def found(self, *mechanics: str) -> None:
        """Mechanics of north, who influence quality; supply owns the cause "right window"."""
        await self.establish(
            {"company": None, "north": "company", "supply": "company"},
            {person: ("mechanic", "north", {}) for person in mechanics},
            {"id": "quality", "name": "Quality"},
            {"id": "window", "name": "Right window", "process_owner": self.name("supply")},
        )

    def day(self, place: int) -> datetime:
        return datetime(self.year, 1, 5, 12, tzinfo=UTC) + timedelta(days=place)

    def answer(
        self, id: str, nps: int, *, place: int = 0, cause: str = "quality", **more: Any
    ) -> dict[str, Any]:
        return self.response(id, self.day(place) + timedelta(hours=3), nps, cause, **more)

    async def worked(
        self,
        person: str,
        given: Sequence[int],
        *,
        name: str | None = None,
        touchpoint: str = "repair",
        **more: Any,
    ) -> list[str]:
        """One job and one answer each; our ids of the answers."""
        jobs, answers = [], []
        for place, nps in enumerate(given):
            id = f"{name or person}-{place}"
            jobs.append(self.job(id, person, "north", self.day(place), touchpoint=touchpoint))
            answers.append(self.answer(id, nps, place=place, **more))
        return await self.post(jobs, answers)

    def path(self, scope: str, view: str) -> str:
        return f"/v1/kpis/nps/{scope}?{self.quarter}&view={view}"

    async def figure(self, scope: str, *, view: str = "influenced") -> Any:
        return await self.ask("kpi-aggregator", "GET", self.path(scope, view))

    async def counted(self, scope: str, n: int, *, view: str = "influenced") -> Any:
        return await self.shows("kpi-aggregator", self.path(scope, view), n=n)

    async def pays(self, id: str, people: Sequence[str], **more: Any) -> str:
        """Published, on the own influenced NPS with the unit's to fall back on; its period."""
        own = component("own", "self", "1", fallback="own_unit")
        await self.publish(id, self.plan([own], people, **more))
        days = {"from": f"{self.year}-01-01", "to": f"{self.year}-04-01", "plan": self.name(id)}
        await self.put("bonus", "periods", id, days)
        return self.name(id)

    async def statement(self, period: str, person: str) -> Any:
        """Calculated on today's facts."""
        await self.ask("bonus", "POST", f"/v1/periods/{period}/calculate")
        return await super().statement(period, person)
