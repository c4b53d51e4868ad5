"""A small company whose pay is looked at, in days of its own: what others do meanwhile is not in its figures."""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from tests.e2e.installation import Installation

CURVE = {"threshold": "30", "target": "40", "excellence": "60", "cap": "1.5"}
WEEKS = 12
PATIENCE_SECONDS = 60
WAIVERS = [
    {"code": code, "reason": "a company that exists for the length of a test"}
    for code in ("too_few_responses", "short_notice", "cliff")
]


def scores(promoters: int, passives: int, detractors: int) -> list[int]:
    return [9] * promoters + [8] * passives + [3] * detractors


def component(id: str, scope: str, weight: str, **more: Any) -> dict[str, Any]:
    """Of NPS; personal and units' scores influenced, the organisation's of all."""
    view = "all" if scope == "organisation" else "influenced"
    return {"id": id, "kpi": "nps", "scope": scope, "view": view, "weight": weight, "curve": CURVE, **more}


@dataclass
class PaidCompany:
    """`year` is its own; `name(x)` are ids nobody else uses."""

    installation: Installation
    year: int
    prefix: str = field(default_factory=lambda: f"pay-{secrets.token_hex(4)}")
    sent: int = 0
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def start(self) -> date:
        return date(self.year, 1, 2)

    @property
    def end(self) -> date:
        return self.start + timedelta(weeks=WEEKS)

    def name(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    async def call(
        self,
        service: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str = "admin",
        employee: str | None = None,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {await self._token(role, employee)}"}
        async with httpx.AsyncClient(
            base_url=self.installation.url(service), headers=headers, timeout=60
        ) as client:
            return await client.request(method, path, json=body)

    async def ask(self, service: str, method: str, path: str, body: Any = None, **caller: Any) -> Any:
        """What a step takes for granted: a success."""
        answer = await self.call(service, method, path, body, **caller)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    async def _token(self, role: str, employee: str | None) -> str:
        if role == "admin":
            return str(self.installation.state()["tokens"]["admin"])
        key = f"{role} {employee}"
        if key not in self._tokens:
            arguments = ["token", "--role", role]
            arguments += ["--employee", self.name(employee)] if employee else []
            told = await asyncio.to_thread(self.installation.fairloop, *arguments)
            self._tokens[key] = told.split()[-1]
        return self._tokens[key]

    async def found(self, people: Mapping[str, tuple[str, str]], **employees: Mapping[str, Any]) -> None:
        """`people`: name → role and unit. Mechanics meet customers and influence "work", planners do not."""
        units = sorted({unit for _, unit in people.values()})
        puts: list[tuple[str, str, Any]] = [
            ("attribution", f"/v1/org-units/{self.name('company')}", {"name": "Company", "parent": None}),
            *(
                (
                    "attribution",
                    f"/v1/org-units/{self.name(unit)}",
                    {"name": unit, "parent": self.name("company")},
                )
                for unit in units
            ),
            (
                "attribution",
                f"/v1/roles/{self.name('mechanic')}",
                {"name": "Mechanic", "customer_facing": True},
            ),
            (
                "attribution",
                f"/v1/roles/{self.name('planner')}",
                {"name": "Planner", "customer_facing": False},
            ),
            (
                "attribution",
                f"/v1/taxonomies/{self.name('causes')}",
                {"causes": [{"id": "work", "name": "Work"}]},
            ),
        ]
        for person, (role, unit) in people.items():
            body = {"name": person, **employees.get(person, {})}
            puts.append(("attribution", f"/v1/employees/{self.name(person)}", body))
            assignment = {
                "employee": self.name(person),
                "role": self.name(role),
                "org_unit": self.name(unit),
                "from": "1990-01-01",
            }
            puts.append(("attribution", f"/v1/assignments/{self.name(person)}", assignment))
        matrix = {
            "taxonomy": self.name("causes"),
            "valid_from": "1990-01-01",
            "cells": [{"role": self.name("mechanic"), "cause": "work", "influence": "1"}],
        }
        puts.append(("attribution", f"/v1/influence-matrices/{self.name('matrix')}", matrix))
        connection = {
            "platform": "fairloop",
            "survey_type": "transactional",
            "taxonomy": self.name("causes"),
            "unsigned": True,
        }
        puts.append(("survey-intake", f"/v1/connections/{self.name('shop')}", connection))
        for service, path, body in puts:
            await self.ask(service, "PUT", path, body)

    async def answered(
        self, person: str, unit: str, given: Sequence[int], *, segments: Mapping[str, str] | None = None
    ) -> None:
        """As many customers of a mechanic, spread over the weeks; then waits until they are counted."""
        jobs, responses = [], []
        for place, score in enumerate(given):
            id = self.name(f"{self.sent + place}")
            at = datetime(self.year, 1, 2, 12, tzinfo=UTC) + timedelta(days=place * 7 * WEEKS // len(given))
            jobs.append(
                {
                    "id": id,
                    "occurred_at": (at - timedelta(hours=5)).isoformat(),
                    "customer_ref": id,
                    "org_unit": self.name(unit),
                    "touchpoint": "work",
                    "participants": [{"employee": self.name(person), "role": self.name("mechanic")}],
                }
            )
            responses.append(
                {
                    "connection": self.name("shop"),
                    "survey_id": "nps",
                    "response_id": id,
                    "submitted_at": at.isoformat(),
                    "scores": {"nps": score},
                    "causes": [{"level1": "work"}],
                    "customer": {"ref": id},
                    "interaction_ref": id,
                    "segments": dict(segments or {}),
                }
            )
        await self.ask("attribution", "POST", "/v1/interactions", {"interactions": jobs})
        outcomes = (await self.ask("survey-intake", "POST", "/v1/responses", {"responses": responses}))[
            "outcomes"
        ]
        assert {one["outcome"] for one in outcomes} == {"accepted"}, outcomes
        self.sent += len(given)
        await self._counted()

    async def invited(self, first: int, eligible: int, sent: int) -> None:
        """Of the jobs from number `first` on so many customers could be asked, and so many were."""
        batch = []
        for place in range(eligible):
            id = self.name(f"{first + place}")
            at = datetime(self.year, 1, 3, tzinfo=UTC).isoformat()
            asked = {"sent_at": at} if place < sent else {}
            batch.append(
                {
                    "id": f"{id}-invitation",
                    "interaction": id,
                    "customer_ref": id,
                    "channel": "email",
                    "eligible_at": at,
                    **asked,
                }
            )
        await self.ask("survey-intake", "POST", "/v1/invitations", {"invitations": batch})

    async def invitations_known(self, person: str, eligible: int) -> None:
        """Waits until so many of this mechanic's customers are known to be askable."""
        path = f"/v1/coverage/employee/{self.name(person)}?from={self.start}&to={self.end}"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (told := await self.ask("kpi-aggregator", "GET", path))["eligible"] != eligible:
            assert time.monotonic() < deadline, told
            await asyncio.sleep(0.1)

    async def _counted(self) -> None:
        days = f"from={self.start}&to={self.end}&view=influenced"
        path = f"/v1/kpis/nps/org_unit/{self.name('company')}?{days}"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (figure := await self.ask("kpi-aggregator", "GET", path))["n"] != self.sent:
            assert time.monotonic() < deadline, figure
            await asyncio.sleep(0.1)

    def plan(self, components: Sequence[Mapping[str, Any]], people: Sequence[str], **more: Any) -> Any:
        return {
            "name": "Quarterly",
            "mode": "paid",
            "currency": "EUR",
            "scheme": "overachievement",
            "components": list(components),
            "payees": [{"employee": self.name(one), "target_bonus_minor": 100_000} for one in people],
            "notice_days": 0,
        } | more

    async def publish(self, id: str, plan: Any) -> Any:
        await self.ask("bonus", "PUT", f"/v1/plans/{self.name(id)}", plan)
        return await self.ask("bonus", "POST", f"/v1/plans/{self.name(id)}/publish", {"waivers": WAIVERS})

    async def close(self, id: str, plan: Any) -> str:
        """Published, calculated, approved by somebody else; the period."""
        await self.publish(id, plan)
        days = {"from": str(self.start), "to": str(self.end), "plan": self.name(id)}
        period = self.name(f"{id}-period")
        await self.ask("bonus", "PUT", f"/v1/periods/{period}", days)
        run = await self.ask("bonus", "POST", f"/v1/periods/{period}/calculate", role="finance")
        await self.ask("bonus", "POST", f"/v1/runs/{run['id']}/approve")
        return period

    async def statement(self, period: str, person: str) -> Any:
        return await self.ask("bonus", "GET", f"/v1/periods/{period}/statements/{self.name(person)}")
