"""Role-relevant reporting with triggers: each role its digest, by mail and to read, with the links to act."""

from email.message import EmailMessage

import pytest
from tests.e2e.installation import Installation
from tests.e2e.mailbox import Mailbox
from tests.e2e.systems.told_company import ToldCompany

pytestmark = pytest.mark.timeout(240)


async def test_each_role_is_told_what_is_theirs_and_nobody_more(
    installation: Installation, mails: Mailbox
) -> None:
    company = ToldCompany(installation)
    await company.found()
    for number in range(6):
        await company.answered(f"fine-{number}", 10, days_ago=2)
    unhappy = await company.answered("bad", 2, days_ago=2)
    case = await company.case_of(unhappy)
    path = f"/v1/kpis/nps/employee/{company.name('mila')}?window=90d"
    await company.shows("kpi-aggregator", path, n=7)
    await company.join()

    async def mail(who: str) -> EmailMessage:
        async def look() -> EmailMessage | None:
            found = mails.of(company.address(who))
            assert len(found) <= 1
            return found[0] if found else None

        return await company.until(look)

    texts = {}
    for who in ("mila", "mo", "bea", "boss"):
        html = (await mail(who)).get_body(("html",))
        assert html is not None
        texts[who] = html.get_content()
    assert "Hello Mila" in texts["mila"]
    assert "71.4" in texts["mila"]  # 6 promoters and 1 detractor of 7
    assert "71.4" not in texts["mo"].split("To do")[0].split("north")[0]  # her figure is not his to see
    assert "Your team" in texts["bea"]
    assert "The programme" in texts["boss"]
    assert "Your team" not in texts["mila"]

    bea = "manager bea north"
    case = await company.case_of(unhappy)
    digest = await company.ask("closed-loop", "GET", f"/v1/digests/{company.name('bea')}", by=bea)
    assert digest["kind"] == "manager"
    assert digest["team"]["ageing"]["under_1_day"] == 1
    (trend,) = digest["team"]["trends"]
    assert (trend["now"]["n"], trend["before"]["suppressed"], trend["trend"]) == (7, True, None)
    assert {one["kind"] for one in digest["team"]["coaching"]} == {"praise", "never_recognised"}
    (oldest,) = digest["team"]["oldest"]
    assert oldest["link"] == f"https://fairloop.test/v1/cases/{case['id']}"
    assert oldest["link"].removeprefix("https://fairloop.test") in texts["bea"]
    await company.ask("closed-loop", "GET", oldest["link"].removeprefix("https://fairloop.test"), by=bea)

    mila = "employee mila"
    own = await company.ask("closed-loop", "GET", f"/v1/digests/{company.name('mila')}", by=mila)
    assert (own["kind"], own["own"]["n"], own["team"]) == ("employee", 7, None)
    assert len(own["wins"]) == 6
    page = await company.ask("closed-loop", "GET", f"/v1/digests/{company.name('mila')}?format=html", by=mila)
    assert page.startswith("<!doctype html>")
    for other in ("mo", "bea", "boss"):
        await company.refused(404, "closed-loop", "GET", f"/v1/digests/{company.name(other)}", by=mila)
    path = f"/v1/digest-deliveries?employee={company.name('mila')}"
    (delivery,) = (await company.ask("closed-loop", "GET", path))["items"]
    assert (delivery["state"], delivery["attempts"]) == ("sent", 1)
