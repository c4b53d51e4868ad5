"""The told company with people who have working hours, an account to look after, and customers who answer in any way."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.systems.told_company import ToldCompany

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class FollowedCompany(ToldCompany):
    """`mila` and `bea` do not work today nor tomorrow, `mo` always does and looks after the customer `key`."""

    async def open(self) -> None:
        """Founded, joined, and known to closed-loop."""
        await self.found()
        await self.join()
        today = datetime.now(UTC).weekday()
        later = {"timezone": "UTC", "weekly": {DAYS[(today + 3) % 7]: [["09:00", "12:00"]]}}
        always = {"timezone": "UTC", "weekly": {day: [["00:00", "24:00"]] for day in DAYS}}
        await self.put("closed-loop", "calendars", "later", later)
        await self.put("closed-loop", "calendars", "always", always)
        for who, manager, hours in (
            ("mila", "bea", "later"),
            ("bea", "boss", "later"),
            ("mo", "bea", "always"),
        ):
            person = {"name": who, "manager": self.name(manager), "calendar": self.name(hours)}
            await self.put("attribution", "employees", who, person)
        await self.put("attribution", "accounts", "key", {"owner": self.name("mo")})
        accounts = {"platform": "fairloop", "survey_type": "relationship", "unsigned": True}
        await self.put("survey-intake", "connections", "accounts", accounts)
        unit = {"name": "The last one closed-loop hears of", "parent": self.name("all")}
        await self.put("attribution", "org-units", "last", unit)
        report = f"/v1/reports/follow-up?org_unit={self.name('last')}"
        await self.until(
            lambda: self.call("closed-loop", "GET", report), lambda answer: answer.status_code == 200
        )

    async def rule(self, id: str, *conditions: tuple[str, str, Any], **rule: Any) -> None:
        """An alert rule for what this company's customers answer."""
        when = [{"field": "connection", "op": "==", "value": self.name("shop")}]
        when = when if not any(field == "connection" for field, _, _ in conditions) else []
        when += [{"field": field, "op": op, "value": value} for field, op, value in conditions]
        await self.put("closed-loop", "alert-rules", id, {"when": when, **rule})

    async def said(self, job: str, answer: Mapping[str, Any], *, of: str = "shop") -> str:
        """Mila did a job at north and its customer answered in this way; our id of the answer."""
        now = datetime.now(UTC)
        said = {"connection": self.name(of), "survey_id": "any", **answer}
        done = self.job(job, "mila", "north", now - timedelta(minutes=5))
        return (await self.post([done], [self.response(job, now, **said)]))[0]

    async def case(self, response_id: str, rule: str) -> dict[str, Any]:
        """The case that a rule of ours, or `default`, raised about an answer, once it is there."""
        return await self.case_of(response_id, alert_rule=rule if rule == "default" else self.name(rule))

    async def do(self, case: Mapping[str, Any], verb: str, body: Any = None, *, by: str = "admin") -> Any:
        return await self.ask("closed-loop", "POST", f"/v1/cases/{case['id']}/{verb}", body, by=by)

    async def told(self, who: str, subject: str) -> list[str]:
        """The kinds of notification somebody has about a case or plan, oldest first."""
        path = f"/v1/notifications?recipient={self.name(who)}&limit=500"
        items = (await self.ask("closed-loop", "GET", path))["items"]
        return [one["kind"] for one in reversed(items) if one["about"]["id"] == subject]
