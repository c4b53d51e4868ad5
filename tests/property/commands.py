"""What customers, planners, managers and finance do: told to the services and to the fold alike."""

from typing import Any
from uuid import UUID

from tests.integration.attribution.company import assignment, job
from tests.property.checking import PAYEES, PERIOD, check
from tests.property.five_services import FiveServices
from tests.property.fold import ROLES, Answer, Job, Told

from fairloop.events import EventData

CUSTOMERS = {"r1": "ann", "r2": "ann", "r3": "bob"}
JOBS = {"j1": "ann", "j2": "ann", "j3": "bob"}


class Commands:
    """`ids`: the services' id of every response taken in. `closed`: what the closed quarter's answers were."""

    def __init__(self, five: FiveServices) -> None:
        self.five = five
        self.told = Told()
        self.ids: dict[str, UUID] = {}
        self.closed: dict[str, bytes] = {}

    async def answer(self, name: str, answer: Answer, minute: int) -> str:
        """A platform delivers; answers what it was told: accepted, duplicate or ignored."""
        body = _delivery(name, answer, minute)
        receipt = await self.five.must("survey-intake", "POST", "/v1/responses", body)
        expected = self.told.answered(name, CUSTOMERS[name], answer, minute)
        assert receipt["outcome"] == expected, f"intake about {name}"
        if expected == "accepted":
            id = UUID(receipt["response_id"])
            assert self.ids.setdefault(name, id) == id
        return expected

    async def forget(self, customer: str) -> None:
        await self.five.must("survey-intake", "DELETE", f"/v1/customers/{customer}")
        self.told.forgotten(customer)

    async def delete(self, name: str) -> None:
        await self.five.must("survey-intake", "DELETE", f"/v1/responses/{self.ids[name]}")
        self.told.deleted(name)

    async def do_job(self, id: str, by: list[str], *, unsure: str | None = None) -> None:
        body = job(id, *by, customer=JOBS[id], unverified=[unsure] if unsure else [])
        await self.five.must("attribution", "POST", "/v1/interactions", body)
        self.told.jobs[id] = Job(JOBS[id], {who: who != unsure for who in by})

    async def move(self, who: str, unit: str) -> None:
        path = f"/v1/assignments/{who}-{ROLES[who]}"
        await self.five.must("attribution", "PUT", path, assignment(who, ROLES[who], unit))
        self.told.unit_of[who] = unit

    async def give_manager(self, who: str, manager: str | None) -> None:
        body = {"name": f"Name of {who}", "email": f"{who}@example.org", "manager": manager}
        await self.five.must("attribution", "PUT", f"/v1/employees/{who}", body)
        self.told.manager[who] = manager

    async def put_north_below(self, parent: str) -> None:
        body = {"name": "North", "parent": parent}
        await self.five.must("attribution", "PUT", "/v1/org-units/north", body)
        self.told.parents["north"] = parent

    async def uphold(self, name: str, employee: str, kind: str, right_job: str | None = None) -> bool:
        """File a dispute and uphold it; False when that was refused by what attribution knew at the time."""
        claim = {"response_id": str(self.ids[name]), "employee": employee, "kind": kind, "reason": "an error"}
        filed = await self.five.call("attribution", "POST", "/v1/disputes", claim)
        if filed.status_code != 201:
            return False
        ruling = {"uphold": True, "reason": "right", "corrected_interaction": right_job}
        decided = await self.five.call(
            "attribution", "POST", f"/v1/disputes/{filed.json()['id']}/decide", ruling
        )
        if decided.is_success:
            self.told.upheld(name, employee, kind, right_job)
        return decided.is_success

    async def close_quarter(self) -> bool:
        """Calculate and approve; False while there is nothing to pay on."""
        await self.five.must("bonus", "PUT", "/v1/periods/2026Q1", PERIOD)
        run = await self.five.call("bonus", "POST", "/v1/periods/2026Q1/calculate")
        if run.is_success:
            other = self.five.boxes["bonus"].http("finance", sub="fin")
            assert (await other.post(f"/v1/runs/{run.json()['id']}/approve")).is_success
            self.closed = await self._closed_quarter()
        return run.is_success

    async def settle(self) -> None:
        """Everything arrives; then everything once more, and the oldest of each key last, which changes nothing."""
        await self.five.deliver_everything()
        for service in self.five.inputs:
            again = sorted(self.had(service), key=lambda event: event.version, reverse=True)
            for batch in (again, [event for event in again if event.version == 1]):
                assert not await self.five.deliver(service, batch), f"{service} changed its mind"

    async def check(self) -> None:
        """The services hold the fold of the commands, and a closed quarter is as it was."""
        await check(self.five, self.told, self.ids)
        if self.closed:
            assert await self._closed_quarter() == self.closed, "a closed quarter changed"

    def had(self, service: str) -> list[EventData]:
        """Every event that the service has had, answers first."""
        topics = self.five.inputs[service]
        return [event for topic in reversed(topics) for event in self.five.log.had(service, topic)]

    async def _closed_quarter(self) -> dict[str, bytes]:
        paths = [f"/v1/periods/2026Q1/{what}" for what in ("runs", "payroll.csv")]
        paths += [f"/v1/periods/2026Q1/statements/{payee}" for payee in PAYEES]
        return {path: (await self.five.call("bonus", "GET", path)).content for path in paths}


def _delivery(name: str, answer: Answer, minute: int) -> dict[str, Any]:
    return {
        "connection": "own",
        "survey_id": "s",
        "response_id": name,
        "submitted_at": "2026-03-02T08:00:00Z",
        "updated_at": f"2026-03-02T08:{minute:02}:00Z",
        "scores": {"nps": answer.score},
        "causes": [{"level1": "window_replacement", "level2": cause} for cause in answer.causes],
        "customer": {"ref": CUSTOMERS[name]},
        "interaction_ref": answer.job,
    }
