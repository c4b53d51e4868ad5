"""Webhooks to other systems: signed, delivered at least once, never into the operator's own network."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.integration.closed_loop.outside import HttpServer, http_server
from tests.integration.closed_loop.world import DIRECTORY, answer, do, only_case

from closed_loop.main import service
from closed_loop.posting import post_due
from fairloop.db import sql
from fairloop.embedded import PostgresServer
from fairloop.events import KpiShift
from fairloop.standard_webhooks import is_signed, secret_key
from fairloop.testing import Box, running

SECRET = "whsec_" + b64encode(bytes(range(32))).decode()
HERE = {"webhook_allowed_networks": ["127.0.0.1/32"]}


@pytest.fixture
async def receiver() -> AsyncIterator[HttpServer]:
    async with http_server() as server:
        yield server


@pytest.fixture
async def box(postgres: PostgresServer) -> AsyncIterator[Box]:
    async with running(service, postgres, env=HERE) as started:
        await started.deliver(DIRECTORY)
        yield started


async def subscribe(box: Box, url: str, id: str = "crm", **fields: Any) -> None:
    body = {"url": url, "events": ["case"], "secret": SECRET, **fields}
    answered = await box.http("admin").put(f"/v1/webhook-subscriptions/{id}", json=body)
    assert answered.status_code == 200, answered.text
    assert SECRET not in answered.text


async def deliveries(box: Box, **wanted: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await box.http("ops").get("/v1/webhook-deliveries", params=wanted)).json()[
        "items"
    ]
    return items


async def test_every_version_of_a_case_arrives_once_signed_with_its_version(
    box: Box, receiver: HttpServer
) -> None:
    await subscribe(box, f"{receiver.url}/hook")
    await box.deliver([answer()])
    case = await do(box, await only_case(box), "acknowledge")
    assert await post_due(box.runtime) == 2
    assert await post_due(box.runtime) == 0
    bodies = sorted((request.json for request in receiver.requests), key=lambda body: body["data"]["version"])
    assert [(body["type"], body["data"]["version"], body["data"]["status"]) for body in bodies] == [
        ("case", 1, "assigned"),
        ("case", 2, "acknowledged"),
    ]
    assert {body["data"]["case_id"] for body in bodies} == {case["id"]}
    for request in receiver.requests:
        assert is_signed(request.headers, request.body, keys=[secret_key(SECRET)], now=box.clock())
        assert request.path == "/hook"
        assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert {one["state"] for one in await deliveries(box)} == {"delivered"}


async def test_a_figure_that_moved_is_told_once_to_who_asked_for_it(box: Box, receiver: HttpServer) -> None:
    shift = KpiShift(
        version=1,
        shift_id=UUID(int=7),
        kpi="nps",
        scope_type="org_unit",
        scope_id="north",
        view="all",
        before_from=date(2026, 1, 1),
        window_from=date(2026, 2, 1),
        window_to=date(2026, 3, 1),
        value=20.0,
        before=45.0,
        n=80,
        n_before=90,
        z=-2.4,
        threshold=1.96,
    )
    await subscribe(box, receiver.url, events=["kpi.shift"])
    await box.deliver([shift, answer()])
    await box.deliver([shift])
    await post_due(box.runtime)
    (request,) = receiver.requests
    assert request.json["type"] == "kpi.shift"
    assert request.json["data"]["scope_id"] == "north"
    assert request.headers["webhook-id"] == f"kpi_shift_{shift.shift_id.hex}"


async def test_a_failed_attempt_is_made_again_under_the_same_id_after_growing_pauses(
    box: Box, receiver: HttpServer
) -> None:
    receiver.answer = lambda request: (503 if len(receiver.requests) < 3 else 204, {})
    await subscribe(box, receiver.url)
    await box.deliver([answer()])
    pauses = []
    while (await deliveries(box))[0]["state"] == "pending":
        await post_due(box.runtime)
        pauses.append(len(receiver.requests))
        box.clock.advance(timedelta(seconds=5))
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert len({request.body for request in receiver.requests}) == 1
    # at once, after 5 s, after 30 s more
    assert pauses == [1, 2, 2, 2, 2, 2, 2, 3]
    (done,) = await deliveries(box)
    assert (done["attempts"], done["answer"]) == (3, "204")


async def test_a_redirect_is_not_followed(box: Box, receiver: HttpServer) -> None:
    receiver.answer = lambda request: (302, {})
    await subscribe(box, f"{receiver.url}/hook")
    await box.deliver([answer()])
    await post_due(box.runtime)
    assert [request.path for request in receiver.requests] == ["/hook"]
    assert (await deliveries(box))[0]["answer"] == "302"


async def test_410_switches_the_subscription_off_until_it_is_put_again(
    box: Box, receiver: HttpServer
) -> None:
    receiver.answer = lambda request: (410, {})
    await subscribe(box, receiver.url)
    await box.deliver([answer(1)])
    await post_due(box.runtime)
    subscription = (await box.http("admin").get("/v1/webhook-subscriptions/crm")).json()
    assert (subscription["active"], subscription["disabled_reason"]) == (
        False,
        "the receiver answered 410 Gone",
    )
    await box.deliver([answer(2)])
    assert await post_due(box.runtime) == 0
    assert [one["state"] for one in await deliveries(box)] == ["failed"]
    receiver.answer = lambda request: (200, {})
    await subscribe(box, receiver.url)
    await box.deliver([answer(3)])
    assert await post_due(box.runtime) == 1


async def test_after_days_it_is_given_up_visibly_and_can_be_replayed_by_hand(
    box: Box, receiver: HttpServer
) -> None:
    receiver.answer = lambda request: (500, {})
    await subscribe(box, receiver.url)
    await box.deliver([answer()])
    while (await deliveries(box))[0]["state"] == "pending":
        assert await post_due(box.runtime) == 1
        box.clock.advance(timedelta(hours=12))
    (given_up,) = await deliveries(box, state="failed")
    assert (given_up["answer"], given_up["next_try_at"]) == ("500", None)
    assert len(receiver.requests) == 11  # five days of half days, and the first
    receiver.answer = lambda request: (200, {})
    again = await box.http("admin").post(f"/v1/webhook-deliveries/{given_up['id']}/replay")
    assert again.json()["state"] == "pending"
    await post_due(box.runtime)
    assert (await deliveries(box))[0]["state"] == "delivered"
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1


async def test_two_workers_at_once_post_a_delivery_once(box: Box, receiver: HttpServer) -> None:
    await subscribe(box, receiver.url)
    await box.deliver([answer(number) for number in range(30)])
    while any(await asyncio.gather(*(post_due(box.runtime) for _ in range(6)))):
        pass
    ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert len(ids) == len(set(ids)) == 30


async def test_who_wakes_up_late_overwrites_nothing(box: Box, receiver: HttpServer) -> None:
    """A second worker makes the attempt of one that took too long; the first one's answer then counts no more."""

    gate = asyncio.Event()

    def late_at_first(_: Any) -> tuple[int, Any]:
        if gate.is_set():
            return 200, {}
        gate.set()
        box.clock.advance(timedelta(seconds=61))
        return 500, {}

    await subscribe(box, receiver.url)
    await box.deliver([answer()])
    receiver.answer = late_at_first
    slow = asyncio.create_task(post_due(box.runtime))
    await gate.wait()
    assert await post_due(box.runtime) == 1
    await slow
    (only,) = await deliveries(box)
    assert (only["state"], only["answer"], only["attempts"]) == ("delivered", "200", 2)


@pytest.mark.fault(20)
async def test_no_webhook_goes_into_the_operators_network(postgres: PostgresServer) -> None:
    """A literal address is refused at once; a name that leads there is found out before connecting."""
    async with http_server() as inside, running(service, postgres) as box:
        await box.deliver(DIRECTORY)
        for url in (
            "https://169.254.169.254/latest",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.0.0.8/",
        ):
            refused = await box.http("admin").put(
                "/v1/webhook-subscriptions/crm", json={"url": url, "events": ["case"], "secret": SECRET}
            )
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["pointer"] == "/body/url"
        await subscribe(box, f"https://localhost:{inside.port}/")
        await box.deliver([answer()])
        await post_due(box.runtime)
        (blocked,) = await deliveries(box)
        assert (blocked["state"], blocked["answer"]) == ("pending", "NotAllowedAddressError")
        assert inside.requests == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"url": "ftp://crm.test/"}, "/body/url"),
        ({"url": "https://user:pw@crm.test/"}, "/body/url"),
        ({"url": "https://"}, "/body/url"),
        ({"events": []}, "/body/events"),
        ({"events": ["payslip"]}, "/body/events/0"),
        ({"secret": "hunter2"}, "/body/secret"),
        ({"secret": None}, "/body/secret"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_field(
    box: Box, change: dict[str, Any], pointer: str
) -> None:
    body = {"url": "https://crm.test/", "events": ["case"], "secret": SECRET, **change}
    refused = await box.http("admin").put("/v1/webhook-subscriptions/crm", json=body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert "hunter2" not in refused.text
    assert (await box.http("admin").get("/v1/webhook-subscriptions/crm")).status_code == 404


async def test_without_tls_only_where_the_operator_allows_a_network(postgres: PostgresServer) -> None:
    async with running(service, postgres) as box:
        body = {"url": "http://crm.test/", "events": ["case"], "secret": SECRET}
        refused = await box.http("admin").put("/v1/webhook-subscriptions/crm", json=body)
        assert refused.status_code == 422


async def test_what_was_sent_can_be_read_and_deleted(box: Box, receiver: HttpServer) -> None:
    await subscribe(box, receiver.url)
    await box.deliver([answer(1), answer(2)])
    waiting, other = await deliveries(box)
    await box.http("admin").delete(f"/v1/webhook-deliveries/{waiting['id']}")
    await post_due(box.runtime)
    (request,) = receiver.requests
    detail = (await box.http("ops").get(f"/v1/webhook-deliveries/{other['id']}")).json()
    assert detail["body"] == request.json
    assert request.headers["webhook-id"] == detail["message_id"]
    await box.http("admin").delete("/v1/webhook-subscriptions/crm")
    assert await deliveries(box) == []


async def test_the_secret_is_sealed_at_rest_and_stays_when_left_out(box: Box, receiver: HttpServer) -> None:
    await subscribe(box, receiver.url)
    body = {"url": f"{receiver.url}/new", "events": ["case"]}
    assert (await box.http("admin").put("/v1/webhook-subscriptions/crm", json=body)).status_code == 200
    async with box.db.begin() as session:
        (row,) = await sql(session, "SELECT secret FROM webhook_subscription")
    assert secret_key(SECRET) not in row.secret
    await box.deliver([answer()])
    await post_due(box.runtime)
    (request,) = receiver.requests
    assert request.path == "/new"
    assert is_signed(request.headers, request.body, keys=[secret_key(SECRET)], now=box.clock())
