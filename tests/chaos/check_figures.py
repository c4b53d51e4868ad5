"""Answers, ledgers and figures are what the journal's fold says."""

import asyncio
import json
from typing import Any

from tests.chaos.caller import side_by_side
from tests.chaos.company import days_counted
from tests.chaos.evidence import Evidence
from tests.chaos.fold import MILLION, Figure, Response, Scope, figures_of, ledger_of, status_of
from tests.chaos.reading import SCOPES

KINDS = {"erase": "erased", "delete": "deleted", None: "active"}


async def every_answer_once_in_its_newest_revision(evidence: Evidence) -> list[str]:
    """Intake holds each answer once, with the content that came newest, and only those."""
    listed = await evidence.caller.every("survey-intake", "/v1/responses")
    held = {one["response_id"]: one for one in listed}
    wrong = [f"{len(listed) - len(held)} answers are listed twice"] if len(listed) != len(held) else []
    wrong += [f"intake has {id}, which nobody was told" for id in held.keys() - evidence.responses.keys()]
    for id, response in evidence.responses.items():
        one = held.get(id)
        if one is None:
            wrong.append(f"story {response.story}: answer {id} is lost")
            continue
        found = one["status"], one["scores"]["nps"], [cause["level2"] for cause in one["causes"]]
        score = None if response.retracted else response.score
        causes = [response.cause] if response.cause and not response.retracted else []
        if found != (KINDS[response.retracted], score, causes):
            wrong.append(f"story {response.story}: {id} is {found}, not {response}")
    return wrong


async def ledgers_are_the_folds(evidence: Evidence) -> list[str]:
    responses = list(evidence.responses.values())
    return [
        wrong
        for wrong in await side_by_side(_ledger(evidence, one) for one in responses)
        if wrong is not None
    ]


async def _ledger(evidence: Evidence, response: Response) -> str | None:
    found = await evidence.caller.get("attribution", f"/v1/attributions/{response.id}")
    shares: dict[tuple[str, str], int] = {}
    for entry in found["entries"]:
        subject = entry["subject_type"], entry["subject_id"]
        share = int(entry["share"].replace(".", ""))
        shares[subject] = shares.get(subject, 0) + share
    held = {subject: share for subject, share in shares.items() if share}
    expected = ledger_of(response)
    if (found["status"], held) == (status_of(response), expected):
        return None
    return f"story {response.story}: {response.id} is {found['status']} with {held}, expected {expected}"


async def figures_are_the_folds(evidence: Evidence) -> list[str]:
    expected = figures_of(evidence.responses.values())
    scopes: list[Scope] = [(kind, id, view) for kind, id in SCOPES for view in ("all", "influenced")]
    missing = [
        f"the fold has a figure of {scope}, which nobody reads" for scope in expected.keys() - set(scopes)
    ]
    found = await side_by_side(_figure(evidence, scope) for scope in scopes)
    return missing + [
        f"{' '.join(scope)}: {shown}, expected {wanted}"
        for scope, shown in zip(scopes, found, strict=True)
        for wanted in [_shown(expected.get(scope, Figure()))]
        if shown != wanted
    ]


Shown = tuple[int, list[int], list[int], float | None]
"""n, the classes' counts and weights (millionths), the score"""


def _shown(figure: Figure) -> Shown:
    return sum(figure.counts), figure.counts, figure.weights, figure.value


async def _figure(evidence: Evidence, scope: Scope) -> Shown:
    kind, id, view = scope
    figure = await evidence.caller.get(
        "kpi-aggregator", f"/v1/kpis/nps/{kind}/{id}", view=view, **days_counted(evidence.start)
    )
    if figure["suppressed"]:  # fewer than min_n, which is 1
        return 0, [0, 0, 0], [0, 0, 0], None
    classes = ("promoters", "passives", "detractors")
    counts = [figure[name] for name in classes]
    weights = [int(figure[f"{name}_weight"].replace(".", "")) for name in classes]
    return figure["n"], counts, weights, figure["value"]


async def running_figures_equal_their_recomputation(evidence: Evidence) -> list[str]:
    """`fairloop recompute` folds the kept contributions anew, and has every answer that is not retracted."""
    report: dict[str, Any] = json.loads(
        await asyncio.to_thread(evidence.stand.installation.fairloop, "recompute")
    )
    wrong = [] if report["equal"] else [f"different: {report['differences']}"]
    counted = sum(1 for response in evidence.responses.values() if not response.retracted)
    if report["responses"] != counted:
        wrong.append(f"it counts {report['responses']} answers, the fold {counted}")
    return wrong


async def every_share_is_given_out(evidence: Evidence) -> list[str]:
    """In every version that was ever published, not only in the newest."""
    return [
        f"{event.key} version {event.data['version']}: its shares sum to {total}"
        for event in evidence.topic("attribution.result.v1")
        for total in [sum(entry["share"] for entry in event.data["entries"])]
        if total != (0 if event.data["status"] == "erased" else MILLION)
    ]
