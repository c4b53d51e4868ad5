"""A branch with a mechanic, a manager and a director, and customers who answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.systems.company import Company

MANAGERS = {"boss": None, "bea": "boss", "mila": "bea", "mo": "bea"}


class ToldCompany(Company):
    """`boss` leads all, `bea` leads north, `mila` and `mo` work there; all have addresses. They join with `join`."""

    def address(self, who: str) -> str:
        return f"{self.name(who)}@told.test"

    async def found(self) -> None:
        """Everything but that its people have begun: they are there, not active yet."""
        people = {
            who: ("mechanic", "all" if who == "boss" else "north", self._person(who, active=False))
            for who in MANAGERS
        }
        await self.establish({"all": None, "north": "all"}, people, {"id": "quality", "name": "Quality"})

    async def join(self) -> None:
        """From now on they are active. Whom nobody reports to yet leads nobody: those below join first."""
        for who in reversed(MANAGERS):
            await self.put("attribution", "employees", who, self._person(who, active=True))

    async def answered(
        self,
        job: str,
        nps: int,
        *,
        customer: str | None = None,
        comment: str = "",
        quote: bool = False,
        days_ago: int = 0,
    ) -> str:
        """Mila did a job and its customer answered; our id of the answer."""
        at = datetime.now(UTC) - timedelta(days=days_ago)
        ref = self.name(customer or f"customer-{job}")
        said: dict[str, Any] = {"customer": {"ref": ref}, "consent": {"quote": quote}}
        said |= {"comment": comment} if comment else {}
        answer = self.response(job, at, nps, "quality", **said)
        done = self.job(job, "mila", "north", at - timedelta(minutes=5)) | {"customer_ref": ref}
        return (await self.post([done], [answer]))[0]

    async def case_of(self, response_id: str, **more: str) -> dict[str, Any]:
        """The case of an answer, once it is there."""
        query = "&".join(f"{name}={value}" for name, value in {"response_id": response_id, **more}.items())
        found = await self.until(
            lambda: self.ask("closed-loop", "GET", f"/v1/cases?{query}"), lambda found: found["items"]
        )
        case: dict[str, Any] = found["items"][0]
        return case

    def _person(self, who: str, *, active: bool) -> dict[str, Any]:
        manager = MANAGERS[who]
        above = {"manager": self.name(manager)} if manager else {}
        return {"name": who.title(), "email": self.address(who), "active": active, **above}
