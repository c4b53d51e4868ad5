"""A branch of mechanics under ids nobody else uses, and what its people ask of the services."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from tests.e2e.installation import Installation

PATIENCE_SECONDS = 60
CURVE = {"threshold": "30", "target": "40", "excellence": "60", "cap": "1.5"}


@dataclass
class SmallCompany:
    """`units` go into the tokens of managers and employees."""

    installation: Installation
    prefix: str = field(default_factory=lambda: f"s{secrets.token_hex(4)}")
    _tokens: dict[tuple[str, str | None], str] = field(default_factory=dict)

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
        who: str | None = None,
    ) -> httpx.Response:
        """`who` acts as a person of the branch."""
        headers = {"Authorization": f"Bearer {await self._token(role, who)}"}
        url = self.installation.url(service)
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            return await client.request(method, path, json=body)

    async def ask(self, service: str, method: str, path: str, body: Any = None, **caller: Any) -> Any:
        """What a step takes for granted: a success."""
        answer = await self.call(service, method, path, body, **caller)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    async def refused(
        self, status: int, service: str, method: str, path: str, body: Any = None, **caller: Any
    ) -> Any:
        """The problem document of what must not work."""
        answer = await self.call(service, method, path, body, **caller)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def found(self, people: Sequence[str]) -> None:
        """People are mechanics of the branch, who can influence "work" but not "stock"."""
        company, branch, role = self.name("company"), self.name("branch"), self.name("mechanic")
        causes = {
            "causes": [{"id": self.name("work"), "name": "Work"}, {"id": self.name("stock"), "name": "Stock"}]
        }
        matrix = {
            "taxonomy": self.name("causes"),
            "valid_from": "2020-01-01",
            "cells": [{"role": role, "cause": self.name("work"), "influence": "1"}],
        }
        puts: list[tuple[str, str, Any]] = [
            ("attribution", f"/v1/org-units/{company}", {"name": "Company", "parent": None}),
            ("attribution", f"/v1/org-units/{branch}", {"name": "Branch", "parent": company}),
            ("attribution", f"/v1/roles/{role}", {"name": "Mechanic"}),
            ("attribution", f"/v1/taxonomies/{self.name('causes')}", causes),
            ("attribution", f"/v1/influence-matrices/{self.name('matrix')}", matrix),
        ]
        for person in people:
            id = self.name(person)
            posting = {"employee": id, "role": role, "org_unit": branch, "from": "2020-01-01"}
            puts.append(("attribution", f"/v1/employees/{id}", {"name": person}))
            puts.append(("attribution", f"/v1/assignments/{id}", posting))
        shop = {
            "platform": "fairloop",
            "survey_type": "transactional",
            "taxonomy": self.name("causes"),
            "unsigned": True,
        }
        puts.append(("survey-intake", f"/v1/connections/{self.name('shop')}", shop))
        for service, path, body in puts:
            await self.ask(service, "PUT", path, body)

    async def answered(self, person: str, given: Sequence[tuple[int, str | None]]) -> list[str]:
        """Score and cause of as many customers of a mechanic, yesterday; our ids once all are counted."""
        at = datetime.now(UTC) - timedelta(days=1)
        jobs, responses = [], []
        for place, (score, cause) in enumerate(given):
            id = self.name(f"{person}-{place}")
            jobs.append(
                {
                    "id": id,
                    "occurred_at": (at - timedelta(hours=5)).isoformat(),
                    "customer_ref": id,
                    "org_unit": self.name("branch"),
                    "touchpoint": "repair",
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
                    "causes": [] if cause is None else [{"level1": self.name(cause)}],
                    "comment": f"words of {id}",
                    "customer": {"ref": id, "name": "Ada Customer"},
                    "interaction_ref": id,
                }
            )
        await self.ask("attribution", "POST", "/v1/interactions", {"interactions": jobs})
        told = await self.ask("survey-intake", "POST", "/v1/responses", {"responses": responses})
        path = f"/v1/kpis/nps/employee/{self.name(person)}?window=30d"
        await self.until("kpi-aggregator", path, lambda figure: figure["n"] == len(given))
        return [one["response_id"] for one in told["outcomes"]]

    async def until(self, service: str, path: str, reached: Any) -> Any:
        """What the path answers once it is as it should be."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = await self.call(service, "GET", path)
            if answer.is_success and reached(answer.json()):
                return answer.json()
            assert time.monotonic() < deadline, answer.text
            await asyncio.sleep(0.1)

    async def _token(self, role: str, who: str | None) -> str:
        if role == "admin":
            return str(self.installation.state()["tokens"]["admin"])
        if (role, who) not in self._tokens:
            arguments = ["token", "--role", role]
            if who is not None:
                arguments += ["--employee", self.name(who), "--org-unit", self.name("branch")]
            told = await asyncio.to_thread(self.installation.fairloop, *arguments)
            self._tokens[role, who] = told.split()[-1]
        return self._tokens[role, who]


def from_today(days: int) -> str:
    """A date in the organisation's time zone, which is UTC here."""
    return str(datetime.now(UTC).date() + timedelta(days=days))


def today() -> date:
    return datetime.now(UTC).date()
