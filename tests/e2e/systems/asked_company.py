"""A company whose customers are invited and answer, in a year of its own: nobody else's answers are in its figures."""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from tests.e2e.installation import Installation

PATIENCE_SECONDS = 60
CURVE = {"threshold": "30", "target": "40", "excellence": "60", "cap": "1.5"}
WAIVERS = [
    {"code": code, "reason": "a company that exists for the length of a test"}
    for code in ("too_few_responses", "short_notice", "cliff")
]


@dataclass
class AskedCompany:
    """`name(x)` are ids nobody else uses; the answers lie in the first quarter of `year`."""

    installation: Installation
    year: int
    prefix: str = field(default_factory=lambda: f"asked-{secrets.token_hex(4)}")

    @property
    def quarter(self) -> str:
        return f"period={self.year}Q1"

    def name(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    async def ask(
        self, service: str, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> Any:
        """What a step takes for granted: a success."""
        token = token or str(self.installation.state()["tokens"]["admin"])
        async with httpx.AsyncClient(
            base_url=self.installation.url(service), headers={"Authorization": f"Bearer {token}"}, timeout=60
        ) as client:
            answer = await client.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def token(self, role: str, employee: str | None = None) -> str:
        arguments = ["token", "--role", role]
        arguments += ["--employee", self.name(employee)] if employee else []
        told = await asyncio.to_thread(self.installation.fairloop, *arguments)
        return told.split()[-1]

    async def found(self, *mechanics: str) -> None:
        """Mechanics of north, who influence quality; supply owns the cause "right window"."""
        units = {"company": None, "north": self.name("company"), "supply": self.name("company")}
        for unit, parent in units.items():
            await self._put(f"/v1/org-units/{self.name(unit)}", {"name": unit, "parent": parent})
        await self._put(f"/v1/roles/{self.name('mechanic')}", {"name": "Mechanic"})
        for person in mechanics:
            await self._put(f"/v1/employees/{self.name(person)}", {"name": person})
            works = {"employee": self.name(person), "role": self.name("mechanic"), "from": "1990-01-01"}
            await self._put(f"/v1/assignments/{self.name(person)}", works | {"org_unit": self.name("north")})
        causes = [
            {"id": "quality", "name": "Quality"},
            {"id": "window", "name": "Right window", "process_owner": self.name("supply")},
        ]
        await self._put(f"/v1/taxonomies/{self.name('causes')}", {"causes": causes})
        cell = {"role": self.name("mechanic"), "cause": "quality", "influence": "1"}
        matrix = {"taxonomy": self.name("causes"), "valid_from": "1990-01-01", "cells": [cell]}
        await self._put(f"/v1/influence-matrices/{self.name('matrix')}", matrix)
        connection = {
            "platform": "fairloop",
            "survey_type": "transactional",
            "taxonomy": self.name("causes"),
            "unsigned": True,
        }
        await self.ask("survey-intake", "PUT", f"/v1/connections/{self.name('shop')}", connection)

    async def _put(self, path: str, body: Any) -> None:
        await self.ask("attribution", "PUT", path, body)

    def day(self, place: int) -> datetime:
        return datetime(self.year, 1, 5, 12, tzinfo=UTC) + timedelta(days=place)

    def job(self, id: str, person: str, *, place: int = 0, touchpoint: str = "repair") -> dict[str, Any]:
        return {
            "id": self.name(id),
            "occurred_at": self.day(place).isoformat(),
            "customer_ref": self.name(f"customer-{id}"),
            "org_unit": self.name("north"),
            "touchpoint": self.name(touchpoint),
            "participants": [{"employee": self.name(person), "role": self.name("mechanic")}],
        }

    async def post_jobs(self, jobs: Sequence[Mapping[str, Any]]) -> None:
        told = await self.ask("attribution", "POST", "/v1/interactions", {"interactions": list(jobs)})
        assert {one["outcome"] for one in told["outcomes"]} == {"accepted"}, told

    async def answer(
        self,
        id: str,
        nps: int,
        *,
        place: int = 0,
        job: str | None = None,
        cause: str = "quality",
        segments: Mapping[str, str] | None = None,
    ) -> str:
        """The customer of a job answers; our id of the answer."""
        body = {
            "connection": self.name("shop"),
            "survey_id": "nps",
            "response_id": self.name(id),
            "submitted_at": (self.day(place) + timedelta(hours=3)).isoformat(),
            "scores": {"nps": nps},
            "causes": [{"level1": cause}],
            "customer": {"ref": self.name(f"customer-{id}")},
            "interaction_ref": self.name(job or id),
            "segments": dict(segments or {}),
        }
        return str((await self.ask("survey-intake", "POST", "/v1/responses", body))["response_id"])

    async def worked(
        self, person: str, given: Sequence[int], *, name: str | None = None, **more: Any
    ) -> list[str]:
        """One job and one answer each; our ids of the answers."""
        touchpoint = more.pop("touchpoint", "repair")
        ids = [f"{name or person}-{place}" for place in range(len(given))]
        await self.post_jobs(
            [self.job(id, person, place=place, touchpoint=touchpoint) for place, id in enumerate(ids)]
        )
        return [
            await self.answer(id, nps, place=place, **more)
            for place, (id, nps) in enumerate(zip(ids, given, strict=True))
        ]

    async def figure(self, scope: str, *, view: str = "influenced") -> Any:
        path = f"/v1/kpis/nps/{scope}?{self.quarter}&view={view}"
        return await self.ask("kpi-aggregator", "GET", path)

    async def until(self, service: str, path: str, **expected: Any) -> Any:
        """Ask again until the answer has these fields."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            told = await self.ask(service, "GET", path)
            if all(told[name] == value for name, value in expected.items()):
                return told
            assert time.monotonic() < deadline, (path, expected, told)
            await asyncio.sleep(0.1)

    async def counted(self, scope: str, n: int, *, view: str = "influenced") -> Any:
        return await self.until("kpi-aggregator", f"/v1/kpis/nps/{scope}?{self.quarter}&view={view}", n=n)

    async def plan(self, id: str, people: Sequence[str], **more: Any) -> str:
        """Published, on the own influenced NPS with the unit's to fall back on; its period."""
        component = {
            "id": "own",
            "kpi": "nps",
            "scope": "self",
            "view": "influenced",
            "weight": "1",
            "fallback": "own_unit",
            "curve": CURVE,
        }
        plan = {
            "name": "Quarterly",
            "mode": "paid",
            "currency": "EUR",
            "scheme": "overachievement",
            "components": [component],
            "payees": [{"employee": self.name(one), "target_bonus_minor": 100_000} for one in people],
            "notice_days": 0,
        } | more
        await self.ask("bonus", "PUT", f"/v1/plans/{self.name(id)}", plan)
        await self.ask("bonus", "POST", f"/v1/plans/{self.name(id)}/publish", {"waivers": WAIVERS})
        days = {"from": f"{self.year}-01-01", "to": f"{self.year}-04-01", "plan": self.name(id)}
        await self.ask("bonus", "PUT", f"/v1/periods/{self.name(id)}", days)
        return self.name(id)

    async def statement(self, period: str, person: str) -> Any:
        """Calculated on today's facts."""
        await self.ask("bonus", "POST", f"/v1/periods/{period}/calculate")
        return await self.ask("bonus", "GET", f"/v1/periods/{period}/statements/{self.name(person)}")
