"""What the people of a test do, one line each."""

from typing import Any

import httpx

from fairloop.testing import Box

WAIVED = {
    "waivers": [
        {"code": code, "reason": "a small company in a test"}
        for code in ("too_few_responses", "cliff", "short_notice")
    ]
}
CURVE = {"threshold": "30", "target": "40", "excellence": "60", "cap": "1.5"}


def plan_body(**changed: Any) -> dict[str, Any]:
    """m1 and m2: .6 on the own influenced NPS, .4 on the own unit's."""
    return {
        "name": "Quarterly",
        "mode": "paid",
        "currency": "EUR",
        "scheme": "overachievement",
        "components": [
            {
                "id": "own",
                "kpi": "nps",
                "scope": "self",
                "view": "influenced",
                "weight": "0.6",
                "curve": CURVE,
            },
            {
                "id": "unit",
                "kpi": "nps",
                "scope": "own_unit",
                "view": "influenced",
                "weight": "0.4",
                "curve": CURVE,
            },
        ],
        "payees": [
            {"employee": "m1", "target_bonus_minor": 100_000},
            {"employee": "m2", "target_bonus_minor": 100_000},
        ],
    } | changed


class Office:
    """The service with clients for its callers. Steps that a test takes for granted assert their success."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.admin = box.http("admin", sub="ada")
        self.finance = box.http("finance", sub="fin")

    def employee(self, id: str) -> httpx.AsyncClient:
        return self.box.http("employee", employee_id=id)

    async def publish(self, **changed: Any) -> dict[str, Any]:
        put = await self.admin.put("/v1/plans/quarterly", json=plan_body(**changed))
        assert put.status_code == 200, put.text
        published = await self.admin.post("/v1/plans/quarterly/publish", json=WAIVED)
        assert published.status_code == 200, published.text
        return dict(published.json())

    async def open_period(
        self, id: str = "2026Q1", start: str = "2026-01-01", end: str = "2026-04-01"
    ) -> None:
        put = await self.admin.put(f"/v1/periods/{id}", json={"from": start, "to": end, "plan": "quarterly"})
        assert put.status_code == 200, put.text

    async def calculate(self, id: str = "2026Q1") -> dict[str, Any]:
        run = await self.finance.post(f"/v1/periods/{id}/calculate")
        assert run.status_code == 200, run.text
        return dict(run.json())

    async def approve(self, run: dict[str, Any]) -> None:
        approved = await self.admin.post(f"/v1/runs/{run['id']}/approve")
        assert approved.status_code == 200, approved.text

    async def statement(self, employee: str = "m1", period: str = "2026Q1") -> dict[str, Any]:
        found = await self.finance.get(f"/v1/periods/{period}/statements/{employee}")
        assert found.status_code == 200, found.text
        return dict(found.json())
