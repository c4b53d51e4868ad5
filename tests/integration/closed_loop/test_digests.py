"""Digests: what each role is told, and what nobody is told; and the mails they go out in."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.integration.closed_loop.outside import (
    MEASURED,
    HttpServer,
    MailServer,
    OtherServices,
    http_server,
    mail_server,
)
from tests.integration.closed_loop.test_recognition import promoter, thank
from tests.integration.closed_loop.world import DIRECTORY, answer, only_case

from closed_loop.mailing import send_due
from closed_loop.main import service
from closed_loop.service.notifications import Subject, notify
from fairloop.embedded import PostgresServer
from fairloop.events import Employee
from fairloop.testing import Box, running


@pytest.fixture
def others() -> OtherServices:
    return OtherServices(names={"m1": "Mila", "bea": "Bea", "boss": "Bo <b>", "sam": "Sam"})


@pytest.fixture
async def peers(others: OtherServices) -> AsyncIterator[HttpServer]:
    async with http_server(others) as server:
        yield server


@pytest.fixture
async def smtp() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
async def box(postgres: PostgresServer, peers: HttpServer, smtp: MailServer) -> AsyncIterator[Box]:
    env = {
        "peer_urls": dict.fromkeys(("survey-intake", "attribution", "kpi-aggregator"), peers.url),
        "service_token": "t",
        "smtp_url": smtp.url,
        "mail_from": "Fairloop <digest@glass.test>",
        "link_base_url": "https://fairloop.glass.test/",
    }
    async with running(service, postgres, env=env) as started:
        await started.deliver(DIRECTORY)
        yield started


async def read(box: Box, employee: str, **asked: str) -> dict[str, Any]:
    answered = await box.http("admin").get(f"/v1/digests/{employee}", params=asked)
    assert answered.status_code == 200, answered.text
    digest: dict[str, Any] = answered.json()
    return digest


async def states(box: Box) -> dict[str, str]:
    items = (await box.http("ops").get("/v1/digest-deliveries")).json()["items"]
    return {item["employee"]: item["state"] for item in items}


async def test_an_employee_hears_of_themselves_their_unit_and_the_organisation_and_no_more(
    box: Box, others: OtherServices
) -> None:
    others.figures = {"employee/m1": MEASURED, "employee/bea": MEASURED}
    await box.deliver([promoter()])
    await thank(box)
    digest = await read(box, "m1")
    assert (digest["kind"], digest["team"], digest["programme"]) == ("employee", None, None)
    assert (digest["own"]["value"], digest["own"]["low"], digest["own"]["n"]) == (45.0, 8.4, 20)
    assert [one["cause"] for one in digest["wins"]] == ["quality"]
    assert [one["giver"] for one in digest["thanks"]] == ["sam"]
    assert digest["names"] == {"m1": "Mila", "sam": "Sam"}
    figures = {path.removeprefix("/v1/kpis/nps/") for path in others.asked if "kpis" in path}
    assert figures == {"employee/m1", "org_unit/north", "organisation/all"}


async def test_every_trigger_has_the_link_to_act(box: Box) -> None:
    await box.deliver([answer()])
    case = await only_case(box)
    (action,) = (await read(box, "bea"))["actions"]
    assert action["link"] == f"https://fairloop.glass.test/v1/cases/{case['id']}"
    assert (action["kind"], action["due_at"]) == ("case", "2026-03-02T13:00:00Z")
    box.clock.advance(timedelta(hours=5))
    assert [one["kind"] for one in (await read(box, "bea"))["actions"]] == ["overdue"]


async def test_what_somebody_was_told_and_has_not_seen_is_in_it_with_its_link(box: Box) -> None:
    async with box.db.begin() as session:
        about = Subject("action_plan", "cleaner-cars")
        await notify(session, ["m1"], "review_due", about=about, at=box.clock())
    (action,) = (await read(box, "m1"))["actions"]
    assert (action["text"], action["link"]) == (
        "review due: action plan cleaner-cars.",
        "https://fairloop.glass.test/v1/action-plans/cleaner-cars",
    )
    m1 = box.http("employee", employee_id="m1")
    (told,) = (await m1.get("/v1/notifications")).json()["items"]
    await m1.post(f"/v1/notifications/{told['id']}/read")
    assert (await read(box, "m1"))["actions"] == []


async def test_a_manager_sees_ageing_trend_and_coaching_moments(box: Box, others: OtherServices) -> None:
    others.figures = {"org_unit/north": MEASURED}
    await box.deliver([answer(number) for number in range(3)] + [promoter(7)])
    box.clock.advance(timedelta(days=2))
    digest = await read(box, "bea")
    assert digest["kind"] == "manager"
    assert digest["team"]["ageing"] == {
        "under_1_day": 0,
        "under_3_days": 3,
        "under_7_days": 0,
        "older": 0,
        "breached": 0,
    }
    (trend,) = digest["team"]["trends"]
    assert (trend["org_unit"], trend["trend"]["change"], trend["trend"]["moved"]) == ("north", 0.0, False)
    moments = {one["kind"]: one["text"] for one in digest["team"]["coaching"]}
    assert moments["pattern"] == "3 cases named quality in four weeks."
    assert moments["praise"] == "m1 had 1 win: say so."
    assert "never_recognised" not in moments


async def test_an_executive_sees_drivers_and_how_the_programme_does(box: Box, others: OtherServices) -> None:
    others.figures = {"organisation/all": MEASURED, "cause/quality": MEASURED}
    await box.deliver([answer(number) for number in range(2)])
    digest = await read(box, "boss")
    assert digest["kind"] == "executive"
    programme = digest["programme"]
    assert [(one["cause"], one["cases"], one["figure"]["value"]) for one in programme["drivers"]] == [
        ("quality", 2, 45.0)
    ]
    assert (programme["opened"], programme["still_open"]) == (2, 2)
    assert programme["organisation"]["trend"]["moved"] is False


async def test_nobody_reads_more_than_their_role_may_see(box: Box) -> None:
    def who(employee: str, *roles: str, units: tuple[str, ...] = ()) -> httpx.AsyncClient:
        return box.http(*roles, employee_id=employee, org_units=units)

    m1, sam = who("m1", "employee"), who("sam", "employee")
    bea = who("bea", "manager", units=("north",))
    assert (await m1.get("/v1/digests/m1")).status_code == 200
    assert (await sam.get("/v1/digests/m1")).status_code == 404
    assert (await m1.get("/v1/digests/nobody")).status_code == 404
    assert (await m1.get("/v1/digests/m1", params={"kind": "manager"})).status_code == 422
    # of their people managers see what these see of themselves, whatever they lead
    assert (await bea.get("/v1/digests/m1")).json()["kind"] == "employee"
    assert (await bea.get("/v1/digests/sam")).status_code == 404
    assert (await bea.get("/v1/digests/boss")).status_code == 404
    boss = who("boss", "manager", units=("glass",))
    assert (await boss.get("/v1/digests/bea")).json()["kind"] == "employee"
    # a token that does not say manager shows none of the team
    assert (await who("bea", "employee").get("/v1/digests/bea")).json()["kind"] == "employee"
    refused = await who("bea", "employee").get("/v1/digests/bea", params={"kind": "manager"})
    assert refused.status_code == 403
    # led on paper, but the token is for one branch only: no executive figures
    assert (await who("boss", "manager", units=("north",)).get("/v1/digests/boss")).json()[
        "kind"
    ] == "manager"


async def test_html_is_escaped_and_text_is_plain(box: Box) -> None:
    await thank(box, giver="sam", to="boss", text="<script>alert(1)</script>")
    client = box.http("admin")
    page = await client.get("/v1/digests/boss", headers={"Accept": "text/html,application/xhtml+xml"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in page.text
    assert "Bo &lt;b&gt;" in page.text
    text = await client.get("/v1/digests/boss", params={"format": "text"})
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Sam thanks you: <script>alert(1)</script>" in text.text
    assert "too few answers to show" in text.text


async def test_without_figures_there_is_no_digest(box: Box, others: OtherServices) -> None:
    others.down = True
    assert (await box.http("admin").get("/v1/digests/m1")).status_code == 503


async def test_on_monday_at_eight_everybody_gets_one_mail(box: Box, smtp: MailServer) -> None:
    """It is Monday, nine o'clock: within a day of its time."""
    await box.deliver([answer(), promoter(2)])
    case = await only_case(box)
    while await send_due(box.runtime):
        pass
    assert sorted(smtp.recipients) == [f"{who}@glass.test" for who in ("bea", "boss", "m1", "sam")]
    by = {mail["To"]: mail for mail in smtp.mails}
    to_bea = by["bea@glass.test"]
    assert to_bea["Message-ID"] == "<digest.2026-W10.manager.bea@glass.test>"
    html = to_bea.get_body(("html",))
    assert html is not None
    assert f"https://fairloop.glass.test/v1/cases/{case['id']}" in html.get_content()
    plain = by["m1@glass.test"].get_body(("plain",))
    assert plain is not None
    assert "Hello Mila" in plain.get_content()
    assert "YOUR TEAM" not in plain.get_content()
    assert set((await states(box)).values()) == {"sent"}
    box.clock.advance(timedelta(hours=2))
    assert await send_due(box.runtime) == 0
    box.clock.advance(timedelta(days=7))
    assert await send_due(box.runtime) == 4


async def test_it_goes_out_at_eight_where_the_person_works(box: Box, smtp: MailServer) -> None:
    """It is nine in UTC: one in the morning in Los Angeles, ten in Amsterdam."""
    for id, zone in (("west", "America/Los_Angeles"), ("home", "Europe/Amsterdam")):
        weekly = {"timezone": zone, "weekly": {"mon": [["09:00", "17:00"]]}}
        assert (await box.http("admin").put(f"/v1/calendars/{id}", json=weekly)).status_code == 200
    m1 = Employee(version=2, employee="m1", manager="bea", calendar="west")
    bea = Employee(version=2, employee="bea", manager="boss", calendar="home")
    await box.deliver([m1, bea])
    assert await send_due(box.runtime) == 3
    assert "m1" not in await states(box)
    box.clock.advance(timedelta(hours=7))
    assert await send_due(box.runtime) == 1
    assert (await states(box))["m1"] == "sent"


async def test_eight_workers_at_once_send_one_mail_each(box: Box, smtp: MailServer) -> None:
    while any(await asyncio.gather(*(send_due(box.runtime) for _ in range(8)))):
        pass
    assert len(smtp.mails) == 4
    assert len({mail["Message-ID"] for mail in smtp.mails}) == 4


async def test_before_its_time_and_long_after_nothing_goes_out(box: Box, smtp: MailServer) -> None:
    box.clock.advance(timedelta(hours=23))
    assert await send_due(box.runtime) == 0
    box.clock.advance(timedelta(days=5, hours=23))
    assert await send_due(box.runtime) == 0
    assert smtp.mails == []


async def test_a_server_that_says_later_is_asked_again_and_one_that_says_no_is_not(
    box: Box, smtp: MailServer
) -> None:
    smtp.rcpt_answers = ["451 busy"] * 4
    await send_due(box.runtime)
    assert set((await states(box)).values()) == {"pending"}
    assert await send_due(box.runtime) == 0
    box.clock.advance(timedelta(minutes=1))
    smtp.data_answers = ["554 no"]
    assert await send_due(box.runtime) == 4
    assert sorted((await states(box)).values()) == ["failed", "sent", "sent", "sent"]
    (failed,) = (await box.http("ops").get("/v1/digest-deliveries", params={"state": "failed"})).json()[
        "items"
    ]
    assert failed["error"] == "SMTPDataError 554"
    url = f"/v1/digest-deliveries/{failed['employee']}/{failed['kind']}/{failed['period']}/retry"
    assert (await box.http("ops").post(url)).status_code == 200
    assert await send_due(box.runtime) == 1
    assert len(smtp.mails) == 4
    assert (await box.http("ops").post(url)).status_code == 409


async def test_after_the_last_attempt_it_has_failed_for_all_to_see(box: Box, smtp: MailServer) -> None:
    smtp.rcpt_answers = ["451 busy"] * 100
    for _ in range(6):
        await send_due(box.runtime)
        box.clock.advance(timedelta(hours=3))
    assert set((await states(box)).values()) == {"failed"}


async def test_without_the_other_services_it_is_tried_again(
    box: Box, others: OtherServices, smtp: MailServer
) -> None:
    others.down = True
    await send_due(box.runtime)
    assert set((await states(box)).values()) == {"pending"}
    others.down = False
    box.clock.advance(timedelta(minutes=1))
    assert await send_due(box.runtime) == 4
    assert len(smtp.mails) == 4


async def test_who_has_no_address_or_has_left_gets_none(
    box: Box, others: OtherServices, smtp: MailServer
) -> None:
    del others.names["sam"]
    await box.deliver([Employee(version=2, employee="m1", active=False)])
    await send_due(box.runtime)
    assert await states(box) == {"bea": "sent", "boss": "sent", "sam": "no_address"}
