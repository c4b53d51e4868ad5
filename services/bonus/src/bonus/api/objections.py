"""How to object: the calls that question a number, ready to be made."""

from typing import Any

from fairloop.web import Answer


class CallOut(Answer):
    """A request to one of the services; `…` in `body` is for the caller to fill in."""

    to: str
    service: str
    method: str
    path: str
    body: dict[str, Any] | None = None


def objections(employee: str) -> list[CallOut]:
    """What a person can do about an answer that counts wrongly, or about a statement."""
    dispute = {"response_id": "…", "employee": employee, "reason": "…"}
    kinds = {
        "say that this was not your customer": "not_my_customer",
        "say that this was not your cause": "not_my_cause",
        "say that the answer is about another interaction": "wrong_interaction",
    }
    calls = [
        CallOut(
            to="see who could influence an answer, and how much",
            service="attribution",
            method="GET",
            path="/v1/attributions/{response_id}",
        )
    ]
    calls += [
        CallOut(
            to=to,
            service="attribution",
            method="POST",
            path="/v1/disputes",
            body={**dispute, "kind": kind},
        )
        for to, kind in kinds.items()
    ]
    question = {"period": "…", "employee": employee, "text": "…"}
    return [
        *calls,
        CallOut(
            to="see what became of your disputes",
            service="attribution",
            method="GET",
            path=f"/v1/disputes?employee={employee}",
        ),
        CallOut(
            to="ask about a statement", service="bonus", method="POST", path="/v1/inquiries", body=question
        ),
    ]
