"""Telling the stories through the public interfaces, and writing down what was answered."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.caller import Caller, RefusedError, until
from tests.chaos.journal import Journal
from tests.chaos.plan import Step, Story

DOCUMENTATION = {"root_cause": "Sealant.", "promised": "A check.", "outcome": "Done."}


@dataclass(frozen=True)
class Teller:
    """`start` is the time that all dates are counted from."""

    caller: Caller
    journal: Journal
    start: datetime

    async def tell_all(self, stories: Sequence[Story], *, began: float) -> None:
        """Each from its second after `began` (of the monotonic clock) to its end."""
        async with asyncio.TaskGroup() as group:
            for story in stories:
                await asyncio.sleep(max(0.0, began + story.at - time.monotonic()))
                group.create_task(self.tell(story), name=f"story {story.number}")

    async def tell(self, story: Story) -> None:
        told = _Told(self, story)
        for number, step in enumerate(story.steps):
            await asyncio.sleep(step.wait)
            try:
                facts = await told.steps[step.do](number, step)
            except RefusedError as error:
                self.caller.unexpected.append(f"story {story.number}, step {number}: {error}")
                return
            self.journal.write(step.do, story=story.number, survey=story.survey, **step.what, **facts)


class _Told:
    """One story while it is being told. Each step returns what the answer added to the plan's facts."""

    def __init__(self, teller: Teller, story: Story) -> None:
        self.caller = teller.caller
        self.start = teller.start
        self.story = story
        self.response_id = ""
        self.steps = {
            "answer": self.answer,
            "interaction": self.interaction,
            "dispute": self.dispute,
            "work": self.work,
            "erase": self.erase,
            "delete": self.delete,
        }

    def key(self, number: int) -> str:
        return f"{self.story.number}-{number}"

    async def answer(self, number: int, step: Step) -> dict[str, Any]:
        what = step.what
        body = self._body(what["revision"], what["score"], what["cause"])
        deliveries = (
            self.caller.deliver(self.story.survey, f"m-{self.key(number)}", body)
            for _ in range(what["copies"])
        )
        answers = await asyncio.gather(*deliveries)
        ids = {answer["response_id"] for answer in answers} - {None}
        if ids:
            (self.response_id,) = ids
        return {"outcomes": [answer["outcome"] for answer in answers], "response_id": self.response_id}

    def _body(self, revision: int, score: int, cause: str) -> bytes:
        submitted = self.start - timedelta(days=1 + self.story.number % 20)
        name = f"answer-{self.story.number}"
        data = {
            "nps": score,
            "rc1": "work" if cause else "",
            "rc2": cause,
            "customer": f"customer-{self.story.number}",
            "why": f"words of customer {self.story.number}",
        }
        if self._has_job():
            data["job"] = f"job-{self.story.number}"
        response = {
            "id": name,
            "surveyId": "chaos",
            "createdAt": submitted.isoformat(),
            "updatedAt": (submitted + timedelta(minutes=revision)).isoformat(),
            "finished": True,
            "data": data,
        }
        return json.dumps({"event": "responseFinished", "data": response}).encode()

    def _has_job(self) -> bool:
        return any(step.do == "interaction" for step in self.story.steps)

    async def interaction(self, number: int, step: Step) -> dict[str, Any]:
        customer = self.story.number if step.what["same_customer"] else f"other-{self.story.number}"
        body = {
            "id": f"job-{self.story.number}",
            "occurred_at": (self.start - timedelta(days=25)).isoformat(),
            "customer_ref": f"customer-{customer}",
            "org_unit": step.what["unit"],
            "touchpoint": "work",
            "participants": step.what["participants"],
        }
        answer = await self.caller.post("attribution", "/v1/interactions", body, key=self.key(number))
        return {"outcome": answer["outcome"], **await self._invite(number, body["customer_ref"])}

    async def _invite(self, number: int, customer: str) -> dict[str, Any]:
        """Every third customer could be asked and is not."""
        at = self.start - timedelta(days=24)
        is_sent = self.story.number % 3 > 0
        body = {
            "id": f"invitation-{self.story.number}",
            "interaction": f"job-{self.story.number}",
            "customer_ref": customer,
            "channel": "email",
            "eligible_at": at.isoformat(),
            **({"sent_at": at.isoformat()} if is_sent else {}),
        }
        answer = await self.caller.post("survey-intake", "/v1/invitations", body, key=f"{self.key(number)}-i")
        return {"invited": answer["outcome"], "sent": is_sent}

    async def dispute(self, number: int, step: Step) -> dict[str, Any]:
        """Filed once the attribution is there, decided by somebody else."""

        async def matched() -> Any:
            found = await self.caller.get("attribution", f"/v1/attributions/{self.response_id}")
            return found if found["status"] == "matched" else None

        await until(matched)
        claim = {
            "response_id": self.response_id,
            "employee": step.what["employee"],
            "kind": step.what["kind"],
            "reason": "It was not like that.",
        }
        filed = await self.caller.post("attribution", "/v1/disputes", claim, key=self.key(number))
        decision = {"uphold": step.what["uphold"], "reason": "Looked at it."}
        path = f"/v1/disputes/{filed['id']}/decide"
        decided = await self.caller.post("attribution", path, decision, key=self.key(number))
        return {"status": decided["status"]}

    async def work(self, number: int, step: Step) -> dict[str, Any]:
        verb = step.what["verb"]

        async def opened() -> Any:
            cases = await self.caller.every("closed-loop", "/v1/cases", response_id=self.response_id)
            return next((case["id"] for case in cases if case["alert_rule"] == "default"), None)

        case = await until(opened)
        body: dict[str, str] | None = None
        if verb == "contact":
            body = {"method": "phone", "note": "Called."}
        elif verb == "resolve":
            body = DOCUMENTATION
        path = f"/v1/cases/{case}/{verb}"
        answer = await self.caller.post("closed-loop", path, body, key=self.key(number))
        return {"case": case, "status": answer["status"], "response_id": self.response_id}

    async def erase(self, number: int, step: Step) -> dict[str, Any]:
        path = f"/v1/customers/customer-{self.story.number}"
        return {"receipt": (await self.caller.delete("survey-intake", path))["receipt"]}

    async def delete(self, number: int, step: Step) -> dict[str, Any]:
        path = f"/v1/responses/{self.response_id}"
        return {"status": (await self.caller.delete("survey-intake", path))["status"]}
