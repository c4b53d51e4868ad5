"""Wins shared, recognition: promoters' words with consent, customers won back, thanks from peers, who is never in it."""

from typing import Any

import pytest
from tests.e2e.installation import Installation
from tests.e2e.systems.told_company import ToldCompany

pytestmark = pytest.mark.timeout(240)


async def test_wins_are_shared_with_consent_and_taken_back_with_the_answer(
    installation: Installation,
) -> None:
    company = ToldCompany(installation)
    await company.found()
    await company.join()
    team = f"/v1/recognitions?org_unit={company.name('north')}"
    mo = "employee mo"

    async def feed(size: int) -> list[dict[str, Any]]:
        async def look() -> list[dict[str, Any]] | None:
            items: list[dict[str, Any]] = (await company.ask("closed-loop", "GET", team, by=mo))["items"]
            return items if len(items) == size else None

        return await company.until(look) if size else []

    said = await company.answered("a", 10, comment="Mila was wonderful", quote=True)
    kept = await company.answered("b", 9, comment="Do not tell anybody", quote=False)
    items = {item["response_id"]: item for item in await feed(2)}
    assert {item["to"] for item in items.values()} == {company.name("mila")}
    assert (items[said]["quote"], items[kept]["quote"]) == ("Mila was wonderful", None)

    unhappy = await company.answered("c", 2, customer="lost")
    case = await company.case_of(unhappy)
    documented = {"root_cause": "late", "promised": "a voucher", "outcome": "recovered"}
    await company.ask("closed-loop", "POST", f"/v1/cases/{case['id']}/acknowledge")
    await company.ask("closed-loop", "POST", f"/v1/cases/{case['id']}/resolve", documented)
    back = await company.answered("d", 10, customer="lost")
    won = [item for item in await feed(4) if item["kind"] == "recovered"]
    assert [(item["to"], item["case_id"], item["response_id"]) for item in won] == [
        (case["owner"], case["id"], back)
    ]

    body = {"to": company.name("bea"), "text": "Thank you for the voucher idea."}
    thanks = await company.ask("closed-loop", "POST", "/v1/recognitions", body, by=mo)
    assert thanks["from"] == company.name("mo")
    bea = "manager bea north"
    missing = await company.ask("closed-loop", "GET", "/v1/recognitions/missing", by=bea)
    assert [item["employee"] for item in missing["items"]] == [company.name("mo")]

    await company.ask("survey-intake", "DELETE", f"/v1/customers/{company.name('customer-a')}")
    await company.ask("survey-intake", "DELETE", f"/v1/customers/{company.name('lost')}")
    left = {item["response_id"] for item in await feed(2)}
    assert left == {kept, None}
