"""A branch with a mechanic, a manager and a director, and customers who answer; ids that nobody else uses."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
from tests.e2e.installation import Installation

T = TypeVar("T")
PATIENCE_SECONDS = 60


@dataclass
class ToldCompany:
    """`boss` leads all, `bea` leads north, `mila` and `mo` work there; all have addresses. They join with `join`."""

    installation: Installation
    prefix: str = field(default_factory=lambda: f"told-{secrets.token_hex(4)}")

    def name(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def address(self, who: str) -> str:
        return f"{self.name(who)}@told.test"

    async def ask(
        self, service: str, method: str, path: str, body: Any = None, *, token: str = "", status: int = 200
    ) -> Any:
        """The answer's body; its status is `status`, or another 2xx when that is 200."""
        token = token or str(self.installation.state()["tokens"]["admin"])
        async with httpx.AsyncClient(
            base_url=self.installation.url(service), headers={"Authorization": f"Bearer {token}"}, timeout=60
        ) as client:
            answer = await client.request(method, path, json=body)
        assert answer.status_code == status or (status == 200 and answer.is_success), answer.text
        kind = answer.headers.get("content-type", "")
        return answer.json() if "json" in kind else answer.text

    async def token(self, role: str, who: str, *units: str) -> str:
        arguments = ["token", "--role", role, "--employee", self.name(who)]
        for unit in units:
            arguments += ["--org-unit", self.name(unit)]
        return (await asyncio.to_thread(self.installation.fairloop, *arguments)).split()[-1]

    async def found(self) -> None:
        """Everything but that its people have begun: they are there, not active yet."""
        await self._put(f"/v1/org-units/{self.name('all')}", {"name": "All", "parent": None})
        await self._put(f"/v1/org-units/{self.name('north')}", {"name": "North", "parent": self.name("all")})
        await self._put(f"/v1/roles/{self.name('mechanic')}", {"name": "Mechanic"})
        await self._people(active=False)
        for who, unit in (("boss", "all"), ("bea", "north"), ("mila", "north"), ("mo", "north")):
            post = {"employee": self.name(who), "role": self.name("mechanic"), "org_unit": self.name(unit)}
            await self._put(f"/v1/assignments/{self.name(who)}", {**post, "from": "2020-01-01"})
        causes = [{"id": "quality", "name": "Quality"}]
        await self._put(f"/v1/taxonomies/{self.name('causes')}", {"causes": causes})
        cell = {"role": self.name("mechanic"), "cause": "quality", "influence": "1"}
        matrix = {"taxonomy": self.name("causes"), "valid_from": "2020-01-01", "cells": [cell]}
        await self._put(f"/v1/influence-matrices/{self.name('matrix')}", matrix)
        shop = {"platform": "fairloop", "survey_type": "transactional", "unsigned": True}
        await self.ask(
            "survey-intake",
            "PUT",
            f"/v1/connections/{self.name('shop')}",
            {**shop, "taxonomy": self.name("causes")},
        )

    async def join(self) -> None:
        """From now on they are active."""
        await self._people(active=True)

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
        ref = self.name(customer or f"customer-{job}")
        now = datetime.now(UTC) - timedelta(days=days_ago)
        interaction = {
            "id": self.name(job),
            "occurred_at": (now - timedelta(minutes=5)).isoformat(),
            "customer_ref": ref,
            "org_unit": self.name("north"),
            "touchpoint": "repair",
            "participants": [{"employee": self.name("mila"), "role": self.name("mechanic")}],
        }
        await self.ask("attribution", "POST", "/v1/interactions", interaction)
        response = {
            "connection": self.name("shop"),
            "survey_id": "nps",
            "response_id": self.name(f"answer-{job}"),
            "submitted_at": now.isoformat(),
            "scores": {"nps": nps},
            "causes": [{"level1": "quality"}],
            "customer": {"ref": ref},
            "interaction_ref": self.name(job),
            "consent": {"quote": quote},
            **({"comment": comment} if comment else {}),
        }
        told = await self.ask("survey-intake", "POST", "/v1/responses", response)
        return str(told["response_id"])

    async def case_of(self, response_id: str) -> dict[str, Any]:
        """The case of an answer, once it is there."""

        async def look() -> dict[str, Any] | None:
            found = await self.ask("closed-loop", "GET", f"/v1/cases?response_id={response_id}")
            return found["items"][0] if found["items"] else None

        return await self.until(look)

    async def until(self, look: Callable[[], Awaitable[T | None]]) -> T:
        """What `look` finds, once it finds something."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = await look()
            if found:
                return found
            assert time.monotonic() < deadline, look
            await asyncio.sleep(0.1)

    async def _people(self, *, active: bool) -> None:
        managers = {"boss": None, "bea": "boss", "mila": "bea", "mo": "bea"}
        # whom nobody reports to yet leads nobody: those below join first
        for who, manager in reversed(managers.items()) if active else managers.items():
            person = {"name": who.title(), "email": self.address(who), "active": active}
            above = {"manager": self.name(manager)} if manager else {}
            await self._put(f"/v1/employees/{self.name(who)}", person | above)

    async def _put(self, path: str, body: Any) -> None:
        await self.ask("attribution", "PUT", path, body)
