"""What the story leaves on somebody's installation, and how it is taken back."""

import httpx
from answers import BLOCKS
from client import Checks, Fairloop, StoryError
from company import Company
from rich.console import Console


def what_was_made(console: Console, company: Company) -> None:
    """To be read at the end, whatever the checks found."""
    count = sum(len(scores) for *_, scores in BLOCKS)
    console.print(f"\n[bold]What it made[/], as far as it came (every id ends in {company.tag})")
    console.print(f"  {count} jobs and answers, one forgotten again; with their cases and figures")
    console.print("  connection, units, people, roles, taxonomy, matrix, alert rules, SLA policy, calendar")
    console.print("  a bonus plan and a period with its runs")
    console.print("  until they are taken back, its answers count in the organisation's own figures:")
    console.print(f"  [bold]fairloop demo --remove {company.tag} --target …[/]")


def take_back(console: Console, api: Fairloop, company: Company) -> Checks:
    """Delete the answers, close the connection, end the people and rules. Raises StoryError where nothing was played."""
    checks = Checks(console)
    connection = company.id("windscreen")
    if (
        api.answer("GET", "survey-intake", f"/v1/connections/{connection}").status_code
        == httpx.codes.NOT_FOUND
    ):
        raise StoryError(f"nothing was played under {company.tag} here")
    for answer in api.every("survey-intake", "/v1/responses", connection=connection):
        if answer["status"] not in {"deleted", "erased"}:
            api.call("DELETE", "survey-intake", f"/v1/responses/{answer['response_id']}")
    service, path, body = company.survey("")
    api.put(service, path, {**body, "secrets": []})
    for service, path, body in company.directory():
        if path.startswith("/v1/employees/"):
            api.put(service, path, {**body, "active": False})
    for rule in (company.id("at-once"), company.detractor_rule):
        path = f"/v1/alert-rules/{rule}"
        held = api.get("closed-loop", path)
        api.put(
            "closed-loop",
            path,
            {k: v for k, v in held.items() if k not in {"id", "version"}} | {"active": False},
        )
    figure = f"/v1/kpis/nps/org_unit/{company.top}"
    checks.eventually(
        "its answers count nowhere", lambda: api.get("kpi-aggregator", figure, window="90d")["n"], None
    )
    checks.eventually("its cases are closed", lambda: open_cases(api, company), [])
    console.print(
        "taken back; the empty company, its plan and its period stay, and nothing else refers to them"
    )
    return checks


def open_cases(api: Fairloop, company: Company) -> list[str]:
    """Ids of the company's cases that are not closed."""
    cases = api.every("closed-loop", "/v1/cases", org_unit=company.top)
    return [case["id"] for case in cases if case["status"] != "closed"]
