"""A stand-in for the other services: answers with what a test has set, and keeps what it froze."""

import asyncio
import hashlib
import json
from typing import Any

import httpx

RESPONSES = [f"01900000-0000-7000-8000-0000000000{n:02}" for n in range(26)]


def figure(
    scope: str, value: float | None, *, view: str = "influenced", n: int = 20, **more: Any
) -> dict[str, Any]:
    """`scope` is "employee:m1", "org_unit:north" or "organisation:all"."""
    scope_type, _, scope_id = scope.partition(":")
    return {
        "kpi": "nps",
        "scope_type": scope_type,
        "scope_id": scope_id,
        "view": view,
        "n": n,
        "weight": f"{n}.000000",
        "n_eff": float(n),
        "promoters": 12,
        "passives": 5,
        "detractors": 3,
        "value": value,
        "ci95": [8.4, 69.8] if value is not None else None,
        "reliability": 0.5,
        "prior": {"mean": 40.0, "sd_between": 15.0, "sd_within": 80.0, "source": "published"},
        "shrunk": value,
        "suppressed": False,
        "reason": None,
    } | more


def contribution(
    index: int, category: str, *, employee: str = "m1", influenced: bool = True
) -> dict[str, Any]:
    return {
        "response_id": RESPONSES[index],
        "version": 1,
        "day": "2026-02-01",
        "score": 9,
        "category": category,
        "org_unit": "north",
        "segments": {"channel": "workshop"},
        "entries": [
            {
                "subject_type": "employee",
                "subject_id": employee,
                "role": "mechanic",
                "cause": "quality" if influenced else "right_window",
                "org_unit": "north",
                "share": "1.000000" if influenced else "0.000000",
                "reason": "influenced" if influenced else "not_influenceable",
            }
        ],
        "participants": [
            {
                "employee": employee,
                "role": "mechanic",
                "org_unit": "north",
                "verified": True,
                "excluded": False,
            }
        ],
    }


STORY = [
    *(contribution(n, "promoter") for n in range(12)),
    *(contribution(n, "passive") for n in range(12, 17)),
    *(contribution(n, "detractor") for n in range(17, 20)),
    *(contribution(n, "detractor", influenced=False) for n in range(20, 26)),
]


class Aggregator:
    """`peers` of a service under test. `down` makes it unreachable; `narrowed` is what it knows of any segments.

    `pause`: asked for a snapshot, it sets the first event and waits for the second.
    """

    def __init__(self) -> None:
        self.figures = [
            figure("employee:m1", 45.0),
            figure("employee:m1", 11.5, view="all", n=26),
            figure("employee:m2", 20.0),
            figure("org_unit:north", 33.0),
            figure("org_unit:north", 33.0, view="all"),
            figure("organisation:all", 11.5, view="all", n=26),
        ]
        self.contributions = STORY
        self.changed: list[dict[str, Any]] = []
        self.corrected: list[dict[str, Any]] = []
        self.frozen: dict[str, dict[str, Any]] = {}
        self.disputes: list[dict[str, Any]] = []
        self.adoption: dict[str, Any] = {"n": None, "share": None}
        self.down = False
        self.narrowed: list[dict[str, Any]] = []
        self.coverage = {"m1": {"eligible": 25, "sent": 24}, "m2": {"eligible": 30, "sent": 12}}
        self.parents: dict[str, str | None] = {"company": None, "north": "company", "south": "company"}
        self.pause: tuple[asyncio.Event, asyncio.Event] | None = None

    def __call__(self, peer: str) -> httpx.AsyncClient:
        answers = {
            "kpi-aggregator": self.answer,
            "attribution": self._disputes,
            "closed-loop": self._adoption,
        }
        return httpx.AsyncClient(transport=httpx.MockTransport(answers[peer]), base_url="http://peer")

    async def _disputes(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/disputes"
        return httpx.Response(200, json={"items": self.disputes, "next": None})

    async def _adoption(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/adoption/organisation/all"
        return httpx.Response(503) if self.down else httpx.Response(200, json={"total": self.adoption})

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        path = request.url.path
        if path == "/v1/snapshots":
            if self.pause is not None:
                asked, resume = self.pause
                asked.set()
                await resume.wait()
            return httpx.Response(201, json=self._freeze(json.loads(request.content)))
        if path.startswith("/v1/snapshots/") and "segment" in request.url.params:
            return httpx.Response(200, json={"figures": self.narrowed, "changed": [], "snapshot": "any"})
        if path.endswith("/corrections"):
            id = path.split("/")[-2]
            body = {"snapshot": id, "changed": self.changed, "figures": self.corrected or self.figures}
            return httpx.Response(200, json=body)
        if path.startswith("/v1/snapshots/"):
            return httpx.Response(200, json=self.frozen[path.rsplit("/", 1)[1]])
        return self._running(request)

    def _running(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.startswith("/v1/coverage/employee/"):
            nobody = {"eligible": 0, "sent": 0}
            return httpx.Response(200, json=self.coverage.get(path.rsplit("/", 1)[1], nobody))
        if path.endswith("/answers"):
            return httpx.Response(200, json={"items": self.contributions, "next": None})
        return self._kpi(path, request.url.params["view"])

    def _freeze(self, asked: dict[str, Any]) -> dict[str, Any]:
        content = {"figures": self.figures, "contributions": self.contributions}
        id = f"01900000-0000-7000-9000-{len(self.frozen):012}"
        self.frozen[id] = {
            "id": id,
            **asked,
            "content_hash": hashlib.sha256(json.dumps(content).encode()).hexdigest(),
            "created_at": "2026-04-02T09:00:00Z",
            **content,
            "coverage": self.coverage,
            "circumstances": {"parents": self.parents},
            "positions": {},
        }
        return self.frozen[id]

    def _kpi(self, path: str, view: str) -> httpx.Response:
        _, _, _, kpi, scope, id = path.split("/")
        wanted = (kpi, scope, id, view)
        for one in self.figures:
            if (one["kpi"], one["scope_type"], one["scope_id"], one["view"]) == wanted:
                return httpx.Response(200, json=one)
        return httpx.Response(200, json=figure(f"{scope}:{id}", None, view=view, n=0, kpi=kpi))
