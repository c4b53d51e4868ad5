"""Outgoing webhooks: what happens to a case arrives signed, can be listed, sent again and deleted."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from tests.e2e.installation import Installation
from tests.e2e.systems.told_company import ToldCompany
from tests.integration.closed_loop.outside import Request, http_server

from fairloop.standard_webhooks import is_signed, secret_key

pytestmark = pytest.mark.timeout(240)
SECRET = "whsec_" + b64encode(bytes(range(32))).decode()


async def test_the_integrator_gets_case_events_signed_and_can_list_replay_and_delete_them(
    installation: Installation,
) -> None:
    company = ToldCompany(installation)
    await company.found()
    await company.join()
    subscription = f"/v1/webhook-subscriptions/{company.name('crm')}"
    async with http_server() as receiver:
        body = {"url": f"{receiver.url}/fairloop", "events": ["case"], "secret": SECRET}
        await company.ask("closed-loop", "PUT", subscription, body)
        case = await company.case_of(await company.answered("bad", 1, comment="The glass was scratched"))
        await company.ask("closed-loop", "POST", f"/v1/cases/{case['id']}/acknowledge")

        async def of_case(least: int) -> list[Request]:
            async def look() -> list[Request] | None:
                found = [one for one in receiver.requests if one.json["data"]["case_id"] == case["id"]]
                statuses = {one.json["data"]["status"] for one in found}
                return found if len(found) >= least and "acknowledged" in statuses else None

            return await company.until(look)

        requests = await of_case(2)
        versions = [request.json["data"]["version"] for request in requests]
        assert len(versions) == len(set(versions))
        newest = max(requests, key=lambda request: request.json["data"]["version"])
        assert newest.json["data"]["status"] == "acknowledged"
        for request in requests:
            key = secret_key(SECRET)
            assert is_signed(request.headers, request.body, keys=[key], now=datetime.now(UTC))
            assert b"scratched" not in request.body

        listed = f"/v1/webhook-deliveries?subscription={company.name('crm')}&limit=500"
        items = (await company.ask("closed-loop", "GET", listed))["items"]
        sent = {item["message_id"]: item for item in items}
        wanted = sent[newest.headers["webhook-id"]]["id"]
        await company.ask("closed-loop", "POST", f"/v1/webhook-deliveries/{wanted}/replay")
        again = [
            one
            for one in await of_case(len(requests) + 1)
            if one.headers["webhook-id"] == newest.headers["webhook-id"]
        ]
        assert [one.body for one in again] == [newest.body, newest.body]
        await company.ask("closed-loop", "DELETE", f"/v1/webhook-deliveries/{wanted}")
        await company.refused(404, "closed-loop", "GET", f"/v1/webhook-deliveries/{wanted}")
        await company.ask("closed-loop", "DELETE", subscription)
        assert (await company.ask("closed-loop", "GET", listed))["items"] == []
