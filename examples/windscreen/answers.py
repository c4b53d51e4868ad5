"""The customers' answers, as the survey platform posts them: JSON, signed as Standard Webhooks are."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from company import Company

FIRST_NAMES = ("Ada", "Bram", "Chloé", "Daan", "Emma", "Finn", "Greta", "Hugo", "Ines", "Jonas")


@dataclass(frozen=True)
class Answer:
    """One customer's answer about one job."""

    number: int
    mechanic: str
    branch: str
    score: int
    cause: str
    submitted_at: datetime
    updated_at: datetime
    consent: bool = False

    def rated_again(self, score: int, at: datetime) -> "Answer":
        """The same answer, edited on the platform."""
        return replace(self, score=score, updated_at=at)


# (mechanic, branch, second cause, scores)
BLOCKS = (
    ("mila", "north", "Quality of the replacement", (10, 9, 9, 10, 9, 8, 3)),
    ("mila", "north", "Cleanliness of the car on delivery", (9, 10, 9, 7, 8, 5)),
    ("mila", "north", "Speed of the work", (10, 10, 9, 9, 7, 8, 6)),
    ("mila", "north", "Right window present", (3, 2, 0, 4, 6, 1)),
    ("sam", "south", "Quality of the replacement", (10, 9, 9, 7, 8, 2)),
    ("sam", "south", "Speed of the work", (9, 10, 10, 9, 4)),
    ("sam", "south", "Lead time", (5, 8, 9)),
)
"""Mila: 12 promoters, 5 passives and 3 detractors she could influence, and 6 detractors because the right window
was not there. Sam: 7 promoters, 2 passives and 2 detractors he could influence, and 3 answers about the lead time,
which is planning's work."""


MILA_CAN_INFLUENCE = (
    "Quality of the replacement",
    "Cleanliness of the car on delivery",
    "Speed of the work",
)


def answers(until: datetime) -> list[Answer]:
    """All answers, spread over the 40 days before `until`."""
    flat = [
        (mechanic, branch, cause, score) for mechanic, branch, cause, scores in BLOCKS for score in scores
    ]
    step = timedelta(days=40) / (len(flat) + 1)
    begin = until - timedelta(days=40)
    return [
        Answer(
            number, mechanic, branch, score, cause, at := begin + step * (number + 1), at, consent=score >= 9
        )
        for number, (mechanic, branch, cause, score) in enumerate(flat)
    ]


def job(company: Company, answer: Answer) -> dict[str, Any]:
    """The interaction that the planning system knows: who did which job for whom, and when."""
    return {
        "id": company.id(f"job-{answer.number}"),
        "occurred_at": (answer.submitted_at - timedelta(hours=5)).isoformat(),
        "customer_ref": company.id(f"customer-{answer.number}"),
        "org_unit": company.id(answer.branch),
        "touchpoint": "windscreen_replacement",
        "participants": [{"employee": company.id(answer.mechanic), "role": company.id("mechanic")}],
    }


def webhook_body(company: Company, answer: Answer) -> bytes:
    """The platform's event about a finished response."""
    name = FIRST_NAMES[answer.number % len(FIRST_NAMES)]
    data = {
        "q_nps": answer.score,
        "q_rc1": "Window replacement",
        "q_rc2": answer.cause,
        "q_why": f"{name} gave a {answer.score}: {answer.cause.lower()}.",
        "q_name": f"{name} Customer",
        "q_mail": f"{name.lower()}.{answer.number}@customers.example",
        "q_ok": "accepted" if answer.consent else "",
        "h_customer": company.id(f"customer-{answer.number}"),
        "h_job": company.id(f"job-{answer.number}"),
        "h_branch": company.id(answer.branch),
    }
    event = {
        "webhookId": "wh_windscreen",
        "event": "responseFinished",
        "data": {
            "id": company.id(f"response-{answer.number}"),
            "surveyId": "windscreen-nps",
            "createdAt": answer.submitted_at.isoformat(),
            "updatedAt": answer.updated_at.isoformat(),
            "finished": True,
            "data": data,
        },
    }
    return json.dumps(event).encode()
