"""A company under ids nobody else uses: who calls, how it is founded, what its jobs, answers and plans look like."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import httpx
from tests.e2e.installation import Installation

from fairloop.trust import trusted

T = TypeVar("T")
PATIENCE_SECONDS = 60
SINCE = "1990-01-01"
CURVE = {"threshold": "30", "target": "40", "excellence": "60", "cap": "1.5"}
WAIVERS = {
    "waivers": [
        {"code": code, "reason": "a company that exists for the length of a test"}
        for code in ("too_few_responses", "short_notice", "cliff")
    ]
}


def component(id: str, scope: str, weight: str, **more: Any) -> dict[str, Any]:
    """Of NPS; personal and units' scores influenced, the organisation's of all."""
    view = "all" if scope == "organisation" else "influenced"
    return {"id": id, "kpi": "nps", "scope": scope, "view": view, "weight": weight, "curve": CURVE, **more}


@dataclass
class Company:
    """`by` says who calls: a role, then perhaps who it is, then perhaps units, as in "manager bea north".

    `headers` go with every call.
    """

    installation: Installation
    prefix: str = field(init=False, default_factory=lambda: f"c{secrets.token_hex(4)}")
    headers: dict[str, str] = field(init=False, default_factory=dict)
    _tokens: dict[str, str] = field(init=False, default_factory=dict)

    def name(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    async def token(self, by: str) -> str:
        if by == "admin":
            return str(self.installation.state()["tokens"]["admin"])
        if by not in self._tokens:
            role, *names = by.split()
            arguments = ["token", "--role", role, *(f"--employee={self.name(one)}" for one in names[:1])]
            arguments += [f"--org-unit={self.name(one)}" for one in names[1:]]
            told = await asyncio.to_thread(self.installation.fairloop, *arguments)
            self._tokens[by] = told.split()[-1]
        return self._tokens[by]

    async def call(
        self, service: str, method: str, path: str, body: Any = None, *, by: str = "admin"
    ) -> httpx.Response:
        url = self.installation.url(service)
        headers = {**self.headers, "Authorization": f"Bearer {await self.token(by)}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, verify=trusted()) as client:
            return await client.request(method, path, json=body)

    async def ask(self, service: str, method: str, path: str, body: Any = None, *, by: str = "admin") -> Any:
        """What a step takes for granted: a success."""
        answer = await self.call(service, method, path, body, by=by)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    async def refused(
        self, status: int, service: str, method: str, path: str, body: Any = None, *, by: str = "admin"
    ) -> Any:
        """The problem document of what must not work."""
        answer = await self.call(service, method, path, body, by=by)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def put(self, service: str, kind: str, id: str, body: Any) -> Any:
        """Under a name of ours."""
        return await self.ask(service, "PUT", f"/v1/{kind}/{self.name(id)}", body)

    async def until(
        self, look: Callable[[], Awaitable[T | None]], enough: Callable[[Any], object] = bool
    ) -> T:
        """What `look` finds, once that is enough."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = await look()
            if found is not None and enough(found):
                return found
            assert time.monotonic() < deadline, (look, found)
            await asyncio.sleep(0.1)

    async def shows(self, service: str, path: str, **fields: Any) -> Any:
        """What the path answers, once it has these fields."""

        async def look() -> Any:
            return (await self.call(service, "GET", path)).json()

        return await self.until(look, lambda found: fields.items() <= found.items())

    async def establish(
        self,
        units: Mapping[str, str | None],
        people: Mapping[str, tuple[str, str, Mapping[str, Any]]],
        *causes: Mapping[str, str],
    ) -> None:
        """Unit → the one above; person → role, unit and details. Mechanics influence the first cause and no other."""
        for unit, above in units.items():
            body = {"name": unit.title(), "parent": above and self.name(above)}
            await self.put("attribution", "org-units", unit, body)
        mechanic, taxonomy = self.name("mechanic"), self.name("causes")
        await self.put("attribution", "roles", "mechanic", {"name": "Mechanic"})
        await self.put("attribution", "taxonomies", "causes", {"causes": causes})
        cells = [{"role": mechanic, "cause": causes[0]["id"], "influence": "1"}]
        matrix = {"taxonomy": taxonomy, "valid_from": SINCE, "cells": cells}
        await self.put("attribution", "influence-matrices", "matrix", matrix)
        for person, (role, unit, details) in people.items():
            await self.put("attribution", "employees", person, {"name": person.title(), **details})
            post = {"employee": self.name(person), "role": self.name(role), "org_unit": self.name(unit)}
            await self.put("attribution", "assignments", person, post | {"from": SINCE})
        shop = {"platform": "fairloop", "survey_type": "transactional", "unsigned": True}
        await self.put("survey-intake", "connections", "shop", shop | {"taxonomy": taxonomy})

    def job(
        self, id: str, person: str, unit: str, at: datetime, *, touchpoint: str = "repair"
    ) -> dict[str, Any]:
        """Of a mechanic."""
        return {
            "id": self.name(id),
            "occurred_at": at.isoformat(),
            "customer_ref": self.name(f"customer-{id}"),
            "org_unit": self.name(unit),
            "touchpoint": self.name(touchpoint),
            "participants": [{"employee": self.name(person), "role": self.name("mechanic")}],
        }

    def response(
        self, id: str, at: datetime, nps: int | None = None, cause: str | None = None, **more: Any
    ) -> dict[str, Any]:
        """What the customer of the job with this id says."""
        return {
            "connection": self.name("shop"),
            "survey_id": "nps",
            "response_id": self.name(id),
            "submitted_at": at.isoformat(),
            "scores": {} if nps is None else {"nps": nps},
            "causes": [] if cause is None else [{"level1": cause}],
            "customer": {"ref": self.name(f"customer-{id}")},
            "interaction_ref": self.name(id),
            **more,
        }

    async def batch(self, service: str, kind: str, items: Sequence[Any]) -> list[Any]:
        """All of it is accepted; the outcomes."""
        told = await self.ask(service, "POST", f"/v1/{kind}", {kind: items})
        assert {one["outcome"] for one in told["outcomes"]} == {"accepted"}, told
        return list(told["outcomes"])

    async def post(self, jobs: Sequence[Any], responses: Sequence[Any]) -> list[str]:
        """Our ids of the answers."""
        await self.batch("attribution", "interactions", jobs)
        outcomes = await self.batch("survey-intake", "responses", responses)
        return [one["response_id"] for one in outcomes]

    def plan(self, components: Iterable[Any], people: Iterable[str], **more: Any) -> dict[str, Any]:
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
        await self.put("bonus", "plans", id, plan)
        return await self.ask("bonus", "POST", f"/v1/plans/{self.name(id)}/publish", WAIVERS)

    async def statement(self, period: str, person: str) -> Any:
        return await self.ask("bonus", "GET", f"/v1/periods/{period}/statements/{self.name(person)}")
