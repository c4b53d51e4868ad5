"""The year told to a running installation: jobs as the planning system posts them, answers as signed webhooks."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx
from examples.windscreen.client import Fairloop, StoryError
from examples.windscreen.company import LABELS
from examples.windscreen.signing import signed
from examples.year.company import YearCompany
from examples.year.generator import FIRST_LEVEL, Job, Year
from rich.progress import Progress

BATCH = 500
AT_ONCE = 24


def describe(api: Fairloop, company: YearCompany, secret: str) -> None:
    """Who works where, which causes there are, and the survey."""
    for service, path, body in (*company.directory(), *company.causes(), company.survey(secret)):
        api.put(service, path, body)


def play(api: Fairloop, company: YearCompany, year: Year, secret: str, progress: Progress) -> dict[int, str]:
    """Everything that happened in the year; job number → our id of its answer."""
    _post_jobs(api, company, year.jobs, progress)
    return asyncio.run(_post_answers(api, company, year.answers, secret, progress))


def _post_jobs(api: Fairloop, company: YearCompany, jobs: Sequence[Job], progress: Progress) -> None:
    task = progress.add_task("interactions", total=len(jobs))
    for start in range(0, len(jobs), BATCH):
        batch = [interaction(company, job) for job in jobs[start : start + BATCH]]
        outcomes = api.post("attribution", "/v1/interactions", {"interactions": batch})["outcomes"]
        refused = [one for one in outcomes if one.get("errors")]
        if refused:
            raise StoryError(f"interaction refused: {refused[0]}")
        progress.advance(task, len(batch))


async def _post_answers(
    api: Fairloop, company: YearCompany, answers: Sequence[Job], secret: str, progress: Progress
) -> dict[int, str]:
    task = progress.add_task("signed webhooks", total=len(answers))
    ids: dict[int, str] = {}
    waiting = iter(answers)
    path = f"/v1/webhooks/{company.id('windscreen')}"

    async def post(client: httpx.AsyncClient) -> None:
        for job in waiting:
            body = webhook_body(company, job)
            answer = await client.post(
                path, content=body, headers=signed(secret, company.id(f"msg-{job.number}"), body)
            )
            if answer.status_code != httpx.codes.ACCEPTED:
                raise StoryError(f"webhook: {answer.status_code} {answer.text}")
            ids[job.number] = answer.json()["response_id"]
            progress.advance(task)

    url = api.urls["survey-intake"]
    async with httpx.AsyncClient(base_url=url, timeout=60) as client, asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(post(client))
    return ids


def interaction(company: YearCompany, job: Job) -> dict[str, Any]:
    """What the planning system knows of a job."""
    return {
        "id": company.id(f"job-{job.number}"),
        "occurred_at": job.at.isoformat(),
        "customer_ref": company.id(f"customer-{job.number}"),
        "org_unit": company.id(job.branch),
        "touchpoint": "windscreen_replacement",
        "participants": [
            {"employee": company.id(job.mechanic), "role": company.id("mechanic")},
            {"employee": company.id(job.scheduler), "role": company.id("scheduler")},
        ],
        "attributes": {
            "channel": job.channel,
            "glass": job.glass,
            "hard": job.hard,
            "second_visit": job.second_visit,
        },
    }


def webhook_body(company: YearCompany, job: Job) -> bytes:
    """The platform's event about a finished response."""
    data: dict[str, Any] = {
        "q_nps": job.score,
        "q_why": f"A {job.score} for job {job.number}.",
        "q_ok": "accepted" if job.score >= 9 else "",
        "h_customer": company.id(f"customer-{job.number}"),
        "h_job": company.id(f"job-{job.number}"),
        "h_branch": company.id(job.branch),
    }
    if job.cause is not None and job.cause in FIRST_LEVEL:
        data["q_rc1"] = job.cause
    elif job.cause is not None:
        data |= {"q_rc1": "Window replacement", "q_rc2": job.cause}
    assert job.cause is None or job.cause in LABELS
    at = job.answered_at.isoformat()
    response = {
        "id": company.id(f"response-{job.number}"),
        "surveyId": "windscreen-year",
        "createdAt": at,
        "updatedAt": at,
        "finished": True,
        "data": data,
    }
    return json.dumps({"webhookId": "wh_year", "event": "responseFinished", "data": response}).encode()
