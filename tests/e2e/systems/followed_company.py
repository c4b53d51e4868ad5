"""The told company with people who have working hours, an account to look after, and customers who answer in any way."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
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
        await self.put("calendars", "later", later)
        await self.put("calendars", "always", always)
        for who, manager, hours in (
            ("mila", "bea", "later"),
            ("bea", "boss", "later"),
            ("mo", "bea", "always"),
        ):
            person = {"name": who, "manager": self.name(manager), "calendar": self.name(hours)}
            await self.ask("attribution", "PUT", f"/v1/employees/{self.name(who)}", person)
        account = {"owner": self.name("mo")}
        await self.ask("attribution", "PUT", f"/v1/accounts/{self.name('key')}", account)
        accounts = {"platform": "fairloop", "survey_type": "relationship", "unsigned": True}
        await self.ask("survey-intake", "PUT", f"/v1/connections/{self.name('accounts')}", accounts)
        unit = {"name": "The last one closed-loop hears of", "parent": self.name("all")}
        await self.ask("attribution", "PUT", f"/v1/org-units/{self.name('last')}", unit)
        await self.until(self._is_known)

    async def put(self, kind: str, id: str, body: Any) -> Any:
        """A document of closed-loop, under a name of ours."""
        return await self.ask("closed-loop", "PUT", f"/v1/{kind}/{self.name(id)}", body)

    async def rule(self, id: str, *conditions: tuple[str, str, Any], **rule: Any) -> None:
        """An alert rule for what this company's customers answer."""
        when = [{"field": "connection", "op": "==", "value": self.name("shop")}]
        when = when if not any(field == "connection" for field, _, _ in conditions) else []
        when += [{"field": field, "op": op, "value": value} for field, op, value in conditions]
        await self.put("alert-rules", id, {"when": when, **rule})

    async def said(self, job: str, answer: Mapping[str, Any], *, of: str = "shop") -> str:
        """Mila did a job at north and its customer answered in this way; our id of the answer."""
        now = datetime.now(UTC)
        interaction = {
            "id": self.name(job),
            "occurred_at": (now - timedelta(minutes=5)).isoformat(),
            "customer_ref": self.name(f"customer-{job}"),
            "org_unit": self.name("north"),
            "touchpoint": "repair",
            "participants": [{"employee": self.name("mila"), "role": self.name("mechanic")}],
        }
        await self.ask("attribution", "POST", "/v1/interactions", interaction)
        response = {
            "connection": self.name(of),
            "survey_id": "any",
            "response_id": self.name(f"answer-{job}"),
            "submitted_at": now.isoformat(),
            "scores": {},
            "customer": {"ref": self.name(f"customer-{job}")},
            "interaction_ref": self.name(job),
            **answer,
        }
        told = await self.ask("survey-intake", "POST", "/v1/responses", response)
        return str(told["response_id"])

    async def case(self, response_id: str, rule: str) -> dict[str, Any]:
        """The case that a rule of ours, or `default`, raised about an answer, once it is there."""
        id = rule if rule == "default" else self.name(rule)

        async def look() -> dict[str, Any] | None:
            path = f"/v1/cases?response_id={response_id}&alert_rule={id}"
            found = await self.ask("closed-loop", "GET", path)
            return found["items"][0] if found["items"] else None

        return await self.until(look)

    async def do(
        self, case: Mapping[str, Any], verb: str, body: Any = None, *, token: str = "", status: int = 200
    ) -> Any:
        path = f"/v1/cases/{case['id']}/{verb}"
        return await self.ask("closed-loop", "POST", path, body, token=token, status=status)

    async def told(self, who: str, subject: str) -> list[str]:
        """The kinds of notification somebody has about a case or plan, oldest first."""
        path = f"/v1/notifications?recipient={self.name(who)}&limit=500"
        items = (await self.ask("closed-loop", "GET", path))["items"]
        return [one["kind"] for one in reversed(items) if one["about"]["id"] == subject]

    async def _is_known(self) -> bool:
        headers = {"Authorization": f"Bearer {self.installation.state()['tokens']['admin']}"}
        async with httpx.AsyncClient(
            base_url=self.installation.url("closed-loop"), headers=headers
        ) as client:
            path = f"/v1/reports/follow-up?org_unit={self.name('last')}"
            return (await client.get(path)).status_code == 200
